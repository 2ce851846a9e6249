CREATE TABLE "encryption_states" (
	"tenant_id" integer NOT NULL,
	"state" text NOT NULL,
	"terms_version" integer DEFAULT 0 NOT NULL,
	"terms_keyed" boolean NOT NULL,
	"next_terms" boolean DEFAULT false NOT NULL,
	"changed_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "encryption_states_tenant_id_pk" PRIMARY KEY("tenant_id")
);
