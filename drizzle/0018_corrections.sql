CREATE TABLE "corrections" (
	"tenant_id" integer NOT NULL,
	"session_id" uuid NOT NULL,
	"seq" bigint NOT NULL,
	"message_id" uuid NOT NULL,
	"correction_seq" bigint NOT NULL,
	"correction_id" uuid NOT NULL,
	"corrected_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "corrections_tenant_id_session_id_seq_pk" PRIMARY KEY("tenant_id","session_id","seq")
);
