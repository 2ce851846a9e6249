CREATE TABLE "provider_usage" (
	"day" date NOT NULL,
	"provider" text NOT NULL,
	"tokens" bigint NOT NULL,
	"calls" bigint NOT NULL,
	CONSTRAINT "provider_usage_day_provider_pk" PRIMARY KEY("day","provider")
);
--> statement-breakpoint
ALTER TABLE "search_units" ADD COLUMN "traits" smallint DEFAULT 0 NOT NULL;--> statement-breakpoint
-- Units of an older version lack what the ranking reads now: they are made again from the messages, in the background.
do $$
begin
  if exists (select from search_units limit 1) then
    delete from search_units;
    delete from term_stats;
    delete from corpus_stats;
    insert into outbox (tenant_id, topic, session_id, first_seq, last_seq)
      select tenant_id, 'index', id, 1, last_seq from sessions where last_seq > 0;
  end if;
end $$;
