ALTER TABLE "workflow_steps" ALTER COLUMN "media_buy_id" DROP NOT NULL;--> statement-breakpoint
ALTER TABLE "workflow_steps" ADD COLUMN "creative_id" uuid;--> statement-breakpoint
ALTER TABLE "creatives" ADD COLUMN "receiver_id" uuid;--> statement-breakpoint
ALTER TABLE "tenants" ADD COLUMN "creative_review" text DEFAULT 'none' NOT NULL;--> statement-breakpoint
ALTER TABLE "workflow_steps" ADD CONSTRAINT "workflow_steps_tenant_id_creative_id_creatives_tenant_id_id_fk" FOREIGN KEY ("tenant_id","creative_id") REFERENCES "public"."creatives"("tenant_id","id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "creatives" ADD CONSTRAINT "creatives_tenant_id_receiver_id_push_notification_configs_tenant_id_id_fk" FOREIGN KEY ("tenant_id","receiver_id") REFERENCES "public"."push_notification_configs"("tenant_id","id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "workflow_steps_by_creative" ON "workflow_steps" USING btree ("tenant_id","creative_id") WHERE "workflow_steps"."creative_id" is not null;--> statement-breakpoint
CREATE UNIQUE INDEX "workflow_steps_open_creative" ON "workflow_steps" USING btree ("tenant_id","creative_id") WHERE "workflow_steps"."kind" = 'creative_review' and "workflow_steps"."state" = 'requires_approval';--> statement-breakpoint
CREATE INDEX "audit_log_by_creative" ON "audit_log" USING btree ("tenant_id","object_id","id") WHERE "audit_log"."object_kind" = 'creative';--> statement-breakpoint
ALTER TABLE "workflow_steps" ADD CONSTRAINT "workflow_steps_subject" CHECK (num_nonnulls("workflow_steps"."media_buy_id", "workflow_steps"."creative_id") = 1);--> statement-breakpoint
ALTER TABLE "tenants" ADD CONSTRAINT "tenants_creative_review" CHECK ("tenants"."creative_review" in ('none','third_party','all'));