ALTER TABLE "push_notification_configs" ADD COLUMN "account_id" uuid;--> statement-breakpoint
ALTER TABLE "push_notification_configs" ADD COLUMN "purpose" text DEFAULT 'task' NOT NULL;--> statement-breakpoint
ALTER TABLE "push_notification_configs" ADD COLUMN "archived_at" timestamp (3) with time zone;--> statement-breakpoint
ALTER TABLE "signing_keys" ADD COLUMN "activates_at" timestamp (3) with time zone DEFAULT now() NOT NULL;--> statement-breakpoint
ALTER TABLE "webhook_deliveries" ADD COLUMN "last_attempt_at" timestamp (3) with time zone;--> statement-breakpoint
ALTER TABLE "push_notification_configs" ADD CONSTRAINT "push_notification_configs_tenant_id_account_id_accounts_tenant_id_id_fk" FOREIGN KEY ("tenant_id","account_id") REFERENCES "public"."accounts"("tenant_id","id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "push_notification_configs_by_principal" ON "push_notification_configs" USING btree ("tenant_id","principal_id","url");--> statement-breakpoint
CREATE UNIQUE INDEX "push_notification_configs_account" ON "push_notification_configs" USING btree ("tenant_id","account_id") WHERE "push_notification_configs"."purpose" = 'account' and "push_notification_configs"."archived_at" is null;