ALTER TABLE "fact_sources" ADD COLUMN "seq" bigint NOT NULL;--> statement-breakpoint
ALTER TABLE "fact_sources" ADD COLUMN "span_start" integer NOT NULL;--> statement-breakpoint
ALTER TABLE "fact_sources" ADD COLUMN "span_end" integer NOT NULL;--> statement-breakpoint
ALTER TABLE "facts" ADD COLUMN "session_id" uuid NOT NULL;--> statement-breakpoint
ALTER TABLE "facts" ADD COLUMN "statement_term" bigint NOT NULL;--> statement-breakpoint
ALTER TABLE "facts" ADD COLUMN "terms" bigint[] NOT NULL;--> statement-breakpoint
ALTER TABLE "facts" ADD COLUMN "changed_at" timestamp (3) with time zone;--> statement-breakpoint
ALTER TABLE "facts" ADD COLUMN "deleted_at" timestamp (3) with time zone;--> statement-breakpoint
CREATE INDEX "facts_by_session" ON "facts" USING btree ("tenant_id","session_id");--> statement-breakpoint
CREATE INDEX "facts_by_statement" ON "facts" USING btree ("tenant_id","statement_term");--> statement-breakpoint
-- What is there already is learned from too.
INSERT INTO "outbox" ("tenant_id", "topic", "session_id", "first_seq", "last_seq")
SELECT "tenant_id", 'learn', "id", 1, "last_seq" FROM "sessions" WHERE "last_seq" > 0 ORDER BY "last_active_at";
