CREATE TABLE "reporting_subscriptions" (
	"tenant_id" uuid NOT NULL,
	"id" uuid NOT NULL,
	"media_buy_id" uuid NOT NULL,
	"config_id" uuid NOT NULL,
	"frequency" text NOT NULL,
	"requested_metrics" text[],
	"time_zone" text NOT NULL,
	"sequence_number" integer DEFAULT 0 NOT NULL,
	"window_starts_at" timestamp (3) with time zone NOT NULL,
	"delayed_at" timestamp (3) with time zone,
	"adjusted_until" timestamp (3) with time zone NOT NULL,
	"next_check_at" timestamp (3) with time zone NOT NULL,
	"ended_at" timestamp (3) with time zone,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "reporting_subscriptions_tenant_id_id_pk" PRIMARY KEY("tenant_id","id")
);
--> statement-breakpoint
ALTER TABLE "reporting_subscriptions" ADD CONSTRAINT "reporting_subscriptions_tenant_id_media_buy_id_media_buys_tenant_id_id_fk" FOREIGN KEY ("tenant_id","media_buy_id") REFERENCES "public"."media_buys"("tenant_id","id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "reporting_subscriptions" ADD CONSTRAINT "reporting_subscriptions_tenant_id_config_id_push_notification_configs_tenant_id_id_fk" FOREIGN KEY ("tenant_id","config_id") REFERENCES "public"."push_notification_configs"("tenant_id","id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE UNIQUE INDEX "reporting_subscriptions_media_buy" ON "reporting_subscriptions" USING btree ("tenant_id","media_buy_id");--> statement-breakpoint
CREATE INDEX "reporting_subscriptions_due" ON "reporting_subscriptions" USING btree ("next_check_at") WHERE "reporting_subscriptions"."ended_at" is null;