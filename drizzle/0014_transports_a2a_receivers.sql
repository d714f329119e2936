ALTER TABLE "push_notification_configs" ADD COLUMN "form" text DEFAULT 'adcp' NOT NULL;--> statement-breakpoint
ALTER TABLE "push_notification_configs" ADD COLUMN "client_id" text;