CREATE TABLE "audit_lost" (
	"tenant_id" integer NOT NULL,
	"id" uuid NOT NULL,
	"count" bigint NOT NULL,
	CONSTRAINT "audit_lost_tenant_id_id_pk" PRIMARY KEY("tenant_id","id")
);
