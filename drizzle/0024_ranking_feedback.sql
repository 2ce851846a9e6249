-- Nothing was ever written into it.
DROP TABLE "recall_feedback" CASCADE;--> statement-breakpoint
CREATE TABLE "ranking_weights" (
	"tenant_id" integer PRIMARY KEY NOT NULL,
	"factors" jsonb,
	"searches" integer DEFAULT 0 NOT NULL,
	"principals" integer DEFAULT 0 NOT NULL,
	"first_at" timestamp (3) with time zone,
	"last_at" timestamp (3) with time zone,
	"gain" real,
	"learned_at" timestamp (3) with time zone,
	"changes" bigint DEFAULT 0 NOT NULL,
	"learned_changes" bigint DEFAULT 0 NOT NULL
);
--> statement-breakpoint
CREATE TABLE "recall_feedback" (
	"tenant_id" integer NOT NULL,
	"search_id" uuid NOT NULL,
	"session_id" uuid NOT NULL,
	"seq" bigint NOT NULL,
	"principal" text NOT NULL,
	"rank" integer NOT NULL,
	"use" text NOT NULL,
	"log_score" real NOT NULL,
	"effects" jsonb NOT NULL,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "recall_feedback_tenant_id_search_id_session_id_seq_pk" PRIMARY KEY("tenant_id","search_id","session_id","seq")
);
--> statement-breakpoint
CREATE INDEX "ranking_weights_stale" ON "ranking_weights" USING btree ("tenant_id") WHERE changes > learned_changes;--> statement-breakpoint
CREATE INDEX "recall_feedback_by_message" ON "recall_feedback" USING btree ("tenant_id","session_id","seq");--> statement-breakpoint
CREATE INDEX "recall_feedback_by_time" ON "recall_feedback" USING btree ("tenant_id","created_at");