CREATE TABLE "archive_manifests" (
	"tenant_id" integer NOT NULL,
	"kind" text NOT NULL,
	"subject_id" uuid NOT NULL,
	"number" integer NOT NULL,
	"version" bigint NOT NULL,
	"location" text NOT NULL,
	"sha256" "bytea" NOT NULL,
	"content_sha256" "bytea" NOT NULL,
	"written_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "archive_manifests_tenant_id_kind_subject_id_pk" PRIMARY KEY("tenant_id","kind","subject_id")
);
