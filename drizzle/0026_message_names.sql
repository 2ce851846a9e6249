CREATE TABLE "message_names" (
	"tenant_id" integer NOT NULL,
	"id" uuid NOT NULL,
	"session_id" uuid NOT NULL,
	"body" "bytea",
	"is_whole" boolean NOT NULL,
	"made_by" text NOT NULL,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"key_version" integer DEFAULT 0 NOT NULL,
	CONSTRAINT "message_names_tenant_id_id_pk" PRIMARY KEY("tenant_id","id")
);
--> statement-breakpoint
CREATE INDEX "message_names_by_session" ON "message_names" USING btree ("tenant_id","session_id");