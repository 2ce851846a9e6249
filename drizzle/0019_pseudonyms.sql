CREATE TABLE "pseudonyms" (
	"tenant_id" integer NOT NULL,
	"session_id" uuid NOT NULL,
	"token" text NOT NULL,
	"sealed" "bytea" NOT NULL,
	"key_version" integer DEFAULT 0 NOT NULL,
	CONSTRAINT "pseudonyms_tenant_id_session_id_token_pk" PRIMARY KEY("tenant_id","session_id","token")
);
--> statement-breakpoint
CREATE INDEX "pseudonyms_by_token" ON "pseudonyms" USING btree ("tenant_id","token");