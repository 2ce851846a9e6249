CREATE TABLE "session_heads" (
	"tenant_id" integer NOT NULL,
	"id" uuid NOT NULL,
	"session_id" uuid NOT NULL,
	"body" "bytea" NOT NULL,
	"key_version" integer DEFAULT 0 NOT NULL,
	CONSTRAINT "session_heads_tenant_id_session_id_pk" PRIMARY KEY("tenant_id","session_id")
);
--> statement-breakpoint
CREATE TABLE "synced_sessions" (
	"tenant_id" integer NOT NULL,
	"peer_id" uuid NOT NULL,
	"session_id" uuid NOT NULL,
	"version" bigint NOT NULL,
	"peer_version" bigint NOT NULL,
	"erasures" integer NOT NULL,
	"peer_erasures" integer NOT NULL,
	"last_seq" bigint NOT NULL,
	CONSTRAINT "synced_sessions_tenant_id_peer_id_session_id_pk" PRIMARY KEY("tenant_id","peer_id","session_id")
);
--> statement-breakpoint
ALTER TABLE "tombstones" DROP CONSTRAINT "tombstones_tenant_id_hash_pk";--> statement-breakpoint
ALTER TABLE "tombstones" ADD CONSTRAINT "tombstones_tenant_id_hash_erasure_id_pk" PRIMARY KEY("tenant_id","hash","erasure_id");--> statement-breakpoint
ALTER TABLE "tombstones" ADD COLUMN "is_local" boolean DEFAULT false NOT NULL;--> statement-breakpoint
ALTER TABLE "messages" ADD COLUMN "follows_id" uuid;--> statement-breakpoint
ALTER TABLE "sessions" ADD COLUMN "said_at" timestamp (3) with time zone;--> statement-breakpoint
CREATE INDEX "synced_sessions_by_session" ON "synced_sessions" USING btree ("tenant_id","session_id");--> statement-breakpoint
ALTER TABLE "sync_peers" DROP COLUMN "name";--> statement-breakpoint
ALTER TABLE "sync_peers" DROP COLUMN "sent_up_to";--> statement-breakpoint
ALTER TABLE "sync_peers" DROP COLUMN "received_up_to";--> statement-breakpoint
ALTER TABLE "sync_peers" DROP COLUMN "state";--> statement-breakpoint
ALTER TABLE "sync_peers" DROP COLUMN "priority";