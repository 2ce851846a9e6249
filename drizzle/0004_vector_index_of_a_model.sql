ALTER TABLE "embedding_models" DROP CONSTRAINT "embedding_models_identity";--> statement-breakpoint
ALTER TABLE "embedding_models" ADD COLUMN "vector_index" text DEFAULT 'pgvector' NOT NULL;--> statement-breakpoint
ALTER TABLE "embedding_models" ADD CONSTRAINT "embedding_models_identity" UNIQUE("tenant_id","provider","name","dimensions","revision","vector_index");