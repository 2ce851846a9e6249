CREATE TABLE "restricted_participants" (
	"tenant_id" integer NOT NULL,
	"name" text NOT NULL,
	"reason" text NOT NULL,
	"restricted_by" text NOT NULL,
	"restricted_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "restricted_participants_tenant_id_name_pk" PRIMARY KEY("tenant_id","name")
);
