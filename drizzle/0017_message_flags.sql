ALTER TABLE "search_units" ADD COLUMN "flags" jsonb;--> statement-breakpoint
CREATE INDEX "search_units_flagged" ON "search_units" USING btree ("tenant_id","session_id") WHERE flags <> '{}';