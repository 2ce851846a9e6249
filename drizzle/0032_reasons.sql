CREATE TABLE "reasons" (
	"tenant_id" integer NOT NULL,
	"id" uuid NOT NULL,
	"session_id" uuid,
	"about" text,
	"body" "bytea",
	"key_version" integer DEFAULT 0 NOT NULL,
	CONSTRAINT "reasons_tenant_id_id_pk" PRIMARY KEY("tenant_id","id")
);
--> statement-breakpoint
CREATE INDEX "reasons_by_session" ON "reasons" USING btree ("tenant_id","session_id");