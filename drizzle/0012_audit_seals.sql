CREATE TABLE "audit_sealing" (
	"is_it" boolean PRIMARY KEY DEFAULT true NOT NULL,
	"sealed_snapshot" text,
	"target_snapshot" text,
	"cursor_tenant" bigint DEFAULT 0 NOT NULL,
	"cursor_id" bigint DEFAULT 0 NOT NULL,
	"floor_id" bigint DEFAULT 0 NOT NULL,
	"server" text
);
--> statement-breakpoint
CREATE TABLE "audit_seals" (
	"tenant_id" integer NOT NULL,
	"number" bigint NOT NULL,
	"format" smallint NOT NULL,
	"row_ids" bigint[] NOT NULL,
	"first_id" bigint NOT NULL,
	"last_id" bigint NOT NULL,
	"row_hashes" "bytea" NOT NULL,
	"previous_hash" "bytea" NOT NULL,
	"sealed_at" timestamp (3) with time zone NOT NULL,
	"sealed_in" "xid8" NOT NULL,
	"hash" "bytea" NOT NULL,
	CONSTRAINT "audit_seals_tenant_id_number_pk" PRIMARY KEY("tenant_id","number")
);
--> statement-breakpoint
ALTER TABLE "audit_log" ALTER COLUMN "request_id" SET DEFAULT (nullif(current_setting('verbatim.call', true), '')::jsonb ->> 'request')::text;--> statement-breakpoint
ALTER TABLE "audit_log" ADD COLUMN "auth_method" text DEFAULT (nullif(current_setting('verbatim.call', true), '')::jsonb ->> 'auth')::text;--> statement-breakpoint
ALTER TABLE "audit_log" ADD COLUMN "token_id" uuid DEFAULT (nullif(current_setting('verbatim.call', true), '')::jsonb ->> 'token')::uuid;--> statement-breakpoint
ALTER TABLE "audit_log" ADD COLUMN "origin" text DEFAULT (nullif(current_setting('verbatim.call', true), '')::jsonb ->> 'origin')::text;--> statement-breakpoint
ALTER TABLE "audit_log" ADD COLUMN "tool" text DEFAULT (nullif(current_setting('verbatim.call', true), '')::jsonb ->> 'tool')::text;--> statement-breakpoint
ALTER TABLE "audit_log" ADD COLUMN "policy_version" smallint DEFAULT (nullif(current_setting('verbatim.call', true), '')::jsonb ->> 'policy')::smallint;--> statement-breakpoint
ALTER TABLE "audit_log" ADD COLUMN "trace_id" text DEFAULT (nullif(current_setting('verbatim.call', true), '')::jsonb ->> 'trace')::text;--> statement-breakpoint
ALTER TABLE "audit_log" ADD COLUMN "objects" text[];--> statement-breakpoint
ALTER TABLE "audit_log" ADD COLUMN "written_in" "xid8" DEFAULT pg_current_xact_id() NOT NULL;--> statement-breakpoint
CREATE INDEX "audit_seals_by_last_id" ON "audit_seals" USING btree ("tenant_id","last_id");--> statement-breakpoint
CREATE INDEX "audit_log_by_transaction" ON "audit_log" USING btree ("written_in");--> statement-breakpoint
ALTER TABLE "audit_log" DROP COLUMN "previous_hash";--> statement-breakpoint
ALTER TABLE "audit_log" DROP COLUMN "hash";
--> statement-breakpoint
INSERT INTO audit_sealing DEFAULT VALUES;
--> statement-breakpoint
-- Rights keep requests from changing what was written; this keeps the owner of the tables from doing it by mistake. Whoever
-- owns them can drop it, and change rows then: that is what the seals and their signed heads show.
create function refuse_change_of_audit() returns trigger language plpgsql as $$
begin
  raise exception 'rows of % are only ever added', tg_table_name using errcode = 'insufficient_privilege';
end $$;
--> statement-breakpoint
create trigger only_added before update or delete or truncate on audit_log for each statement execute function refuse_change_of_audit();
--> statement-breakpoint
create trigger only_added before update or delete or truncate on audit_seals for each statement execute function refuse_change_of_audit();
