CREATE TABLE "delivery_daily" (
	"tenant_id" uuid NOT NULL,
	"id" bigint GENERATED ALWAYS AS IDENTITY (sequence name "delivery_daily_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"media_buy_id" uuid NOT NULL,
	"package_id" uuid NOT NULL,
	"adapter_config_id" uuid NOT NULL,
	"day" date NOT NULL,
	"time_zone" text NOT NULL,
	"currency" char(3) NOT NULL,
	"impressions" bigint NOT NULL,
	"spend_micros" bigint NOT NULL,
	"clicks" bigint,
	"completed_views" bigint,
	"conversions" bigint,
	"source" text NOT NULL,
	"synced_at" timestamp (3) with time zone NOT NULL,
	"changed_at" timestamp (3) with time zone NOT NULL,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "delivery_daily_tenant_id_id_pk" PRIMARY KEY("tenant_id","id"),
	CONSTRAINT "delivery_daily_key" UNIQUE("tenant_id","package_id","adapter_config_id","day"),
	CONSTRAINT "delivery_daily_metrics" CHECK ("delivery_daily"."impressions" >= 0 and "delivery_daily"."spend_micros" >= 0 and "delivery_daily"."clicks" >= 0 and "delivery_daily"."completed_views" >= 0 and "delivery_daily"."conversions" >= 0)
);
--> statement-breakpoint
CREATE TABLE "delivery_slices" (
	"tenant_id" uuid NOT NULL,
	"id" bigint GENERATED ALWAYS AS IDENTITY (sequence name "delivery_slices_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"media_buy_id" uuid NOT NULL,
	"package_id" uuid NOT NULL,
	"adapter_config_id" uuid NOT NULL,
	"day" date NOT NULL,
	"dimension" text NOT NULL,
	"key" text NOT NULL,
	"label" text,
	"impressions" bigint NOT NULL,
	"spend_micros" bigint NOT NULL,
	"clicks" bigint,
	"completed_views" bigint,
	"conversions" bigint,
	"synced_at" timestamp (3) with time zone NOT NULL,
	CONSTRAINT "delivery_slices_tenant_id_id_pk" PRIMARY KEY("tenant_id","id"),
	CONSTRAINT "delivery_slices_key" UNIQUE("tenant_id","package_id","dimension","day","adapter_config_id","key"),
	CONSTRAINT "delivery_slices_dimension" CHECK ("delivery_slices"."dimension" in ('creative','country','region','device_type','device_platform','placement','ad_unit'))
);
--> statement-breakpoint
CREATE TABLE "performance_feedback" (
	"tenant_id" uuid NOT NULL,
	"id" bigint GENERATED ALWAYS AS IDENTITY (sequence name "performance_feedback_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"principal_id" uuid NOT NULL,
	"media_buy_id" uuid NOT NULL,
	"package_id" uuid,
	"creative_id" uuid,
	"period_start" timestamp (3) with time zone NOT NULL,
	"period_end" timestamp (3) with time zone NOT NULL,
	"performance_index" double precision NOT NULL,
	"metric_type" text NOT NULL,
	"feedback_source" text NOT NULL,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "performance_feedback_tenant_id_id_pk" PRIMARY KEY("tenant_id","id")
);
--> statement-breakpoint
ALTER TABLE "delivery_daily" ADD CONSTRAINT "delivery_daily_tenant_id_media_buy_id_media_buys_tenant_id_id_fk" FOREIGN KEY ("tenant_id","media_buy_id") REFERENCES "public"."media_buys"("tenant_id","id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "delivery_daily" ADD CONSTRAINT "delivery_daily_tenant_id_package_id_media_packages_tenant_id_id_fk" FOREIGN KEY ("tenant_id","package_id") REFERENCES "public"."media_packages"("tenant_id","id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "delivery_daily" ADD CONSTRAINT "delivery_daily_tenant_id_adapter_config_id_adapter_configs_tenant_id_id_fk" FOREIGN KEY ("tenant_id","adapter_config_id") REFERENCES "public"."adapter_configs"("tenant_id","id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "delivery_slices" ADD CONSTRAINT "delivery_slices_tenant_id_package_id_media_packages_tenant_id_id_fk" FOREIGN KEY ("tenant_id","package_id") REFERENCES "public"."media_packages"("tenant_id","id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "performance_feedback" ADD CONSTRAINT "performance_feedback_tenant_id_media_buy_id_media_buys_tenant_id_id_fk" FOREIGN KEY ("tenant_id","media_buy_id") REFERENCES "public"."media_buys"("tenant_id","id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "delivery_daily_by_media_buy" ON "delivery_daily" USING btree ("tenant_id","media_buy_id","day");--> statement-breakpoint
CREATE INDEX "delivery_daily_changes" ON "delivery_daily" USING btree ("tenant_id","changed_at");--> statement-breakpoint
CREATE INDEX "delivery_slices_by_media_buy" ON "delivery_slices" USING btree ("tenant_id","media_buy_id","dimension","day");--> statement-breakpoint
CREATE INDEX "performance_feedback_by_media_buy" ON "performance_feedback" USING btree ("tenant_id","media_buy_id","id");