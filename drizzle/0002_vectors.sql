CREATE TABLE "embedded_units" (
	"tenant_id" integer NOT NULL,
	"model_id" smallint NOT NULL,
	"level" smallint NOT NULL,
	"session_id" uuid NOT NULL,
	"first_seq" bigint NOT NULL,
	"part" integer NOT NULL,
	"text_sha256" "bytea" NOT NULL,
	"embedded_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "embedded_units_pkey" PRIMARY KEY("tenant_id","model_id","level","session_id","first_seq","part")
);
--> statement-breakpoint
CREATE INDEX "embedded_units_by_text" ON "embedded_units" USING btree ("tenant_id","model_id","text_sha256");
--> statement-breakpoint
-- The vectors of pgvector: keys and what a search can filter by; which text a vector is of is in embedded_units.
-- Returns whether the table is there. A server that gets pgvector later calls it again.
--
-- The embedded engine computes halfvec slowly (WebAssembly has no conversion instruction: 91 s instead of 19 s for an
-- index of 20,000 vectors), so it keeps `vector`; a server keeps `halfvec`, half the size and three to seven times as
-- fast to scan. EXTERNAL with the largest target keeps a vector in its row, uncompressed, up to 8,160 bytes (2,000
-- dimensions of `vector`): reading it from TOAST triples the time of a scan. PLAIN would refuse a longer one.
create function make_unit_vectors() returns boolean language plpgsql as $$
declare
  -- Only a server has several partitions.
  embedding_type text := case when to_regclass('messages_p1') is null then 'vector' else 'halfvec' end;
begin
  if to_regclass('unit_vectors') is not null then
    return true;
  end if;
  if not exists (select from pg_available_extensions where name = 'vector') then
    return false;
  end if;
  create extension if not exists vector;
  execute format('create table unit_vectors (
      tenant_id integer not null,
      model_id smallint not null,
      level smallint not null,
      session_id uuid not null,
      first_seq bigint not null,
      part integer not null,
      timestamp timestamptz(3) not null,
      role text not null,
      embedding %s not null,
      primary key (tenant_id, model_id, level, session_id, first_seq, part)
    ) with (toast_tuple_target = 8160)', embedding_type);
  alter table unit_vectors alter column embedding set storage external;
  -- Counts and finds the vectors that a filter by role and time leaves.
  create index unit_vectors_by_time on unit_vectors (tenant_id, model_id, level, role, timestamp);
  return true;
exception when insufficient_privilege then
  raise notice 'The extension vector is available but this role may not create it: semantic search needs it or Pinecone';
  return false;
end $$;
--> statement-breakpoint
-- The table of the first version never held a vector.
drop table if exists unit_vectors;
--> statement-breakpoint
select make_unit_vectors();
