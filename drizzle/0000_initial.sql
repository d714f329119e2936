CREATE TABLE "account_advertisers" (
	"tenant_id" uuid NOT NULL,
	"account_id" uuid NOT NULL,
	"adapter_config_id" uuid NOT NULL,
	"external_advertiser_id" text NOT NULL,
	"advertiser_name" text NOT NULL,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "account_advertisers_tenant_id_account_id_adapter_config_id_pk" PRIMARY KEY("tenant_id","account_id","adapter_config_id")
);
--> statement-breakpoint
CREATE TABLE "accounts" (
	"tenant_id" uuid NOT NULL,
	"id" uuid NOT NULL,
	"principal_id" uuid NOT NULL,
	"brand_domain" text NOT NULL,
	"brand_id" text,
	"operator" text NOT NULL,
	"name" text NOT NULL,
	"is_sandbox" boolean NOT NULL,
	"status" text DEFAULT 'active' NOT NULL,
	"billing" text,
	"payment_terms" text,
	"details" jsonb DEFAULT '{}'::jsonb NOT NULL,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"archived_at" timestamp (3) with time zone,
	CONSTRAINT "accounts_tenant_id_id_pk" PRIMARY KEY("tenant_id","id"),
	CONSTRAINT "accounts_natural_key" UNIQUE NULLS NOT DISTINCT("tenant_id","principal_id","brand_domain","brand_id","operator","is_sandbox"),
	CONSTRAINT "accounts_status" CHECK ("accounts"."status" in ('active','pending_approval','rejected','payment_required','suspended','closed'))
);
--> statement-breakpoint
CREATE TABLE "ad_server_inventory" (
	"tenant_id" uuid NOT NULL,
	"adapter_config_id" uuid NOT NULL,
	"kind" text NOT NULL,
	"external_id" text NOT NULL,
	"parent_external_id" text,
	"name" text NOT NULL,
	"path" text,
	"status" text,
	"data" jsonb DEFAULT '{}'::jsonb NOT NULL,
	"synced_at" timestamp (3) with time zone NOT NULL,
	"retired_at" timestamp (3) with time zone,
	CONSTRAINT "ad_server_inventory_tenant_id_adapter_config_id_kind_external_id_pk" PRIMARY KEY("tenant_id","adapter_config_id","kind","external_id")
);
--> statement-breakpoint
CREATE TABLE "adapter_configs" (
	"tenant_id" uuid NOT NULL,
	"id" uuid NOT NULL,
	"kind" text NOT NULL,
	"name" text NOT NULL,
	"mode" text NOT NULL,
	"status" text DEFAULT 'unverified' NOT NULL,
	"currency" char(3) NOT NULL,
	"time_zone" text NOT NULL,
	"network_name" text,
	"config" jsonb NOT NULL,
	"credentials_encrypted" text,
	"credentials_hint" text,
	"rate_per_second" double precision NOT NULL,
	"external_id_base" integer NOT NULL,
	"external_id_used" integer DEFAULT 0 NOT NULL,
	"last_test" jsonb,
	"verified_at" timestamp (3) with time zone,
	"version" integer DEFAULT 1 NOT NULL,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"archived_at" timestamp (3) with time zone,
	CONSTRAINT "adapter_configs_tenant_id_id_pk" PRIMARY KEY("tenant_id","id"),
	CONSTRAINT "adapter_configs_mode" CHECK ("adapter_configs"."mode" in ('live','simulated'))
);
--> statement-breakpoint
CREATE TABLE "adapter_rates" (
	"tenant_id" uuid NOT NULL,
	"adapter_config_id" uuid NOT NULL,
	"booked_until" timestamp (3) with time zone NOT NULL,
	CONSTRAINT "adapter_rates_tenant_id_adapter_config_id_pk" PRIMARY KEY("tenant_id","adapter_config_id")
);
--> statement-breakpoint
CREATE TABLE "external_objects" (
	"tenant_id" uuid NOT NULL,
	"adapter_config_id" uuid NOT NULL,
	"kind" text NOT NULL,
	"our_key" text NOT NULL,
	"fulfilment_id" uuid,
	"external_id" text NOT NULL,
	"applied" jsonb DEFAULT '{}'::jsonb NOT NULL,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "external_objects_tenant_id_adapter_config_id_kind_our_key_pk" PRIMARY KEY("tenant_id","adapter_config_id","kind","our_key"),
	CONSTRAINT "external_objects_external_key" UNIQUE("tenant_id","adapter_config_id","kind","external_id")
);
--> statement-breakpoint
CREATE TABLE "workflow_steps" (
	"tenant_id" uuid NOT NULL,
	"id" uuid NOT NULL,
	"kind" text NOT NULL,
	"state" text NOT NULL,
	"media_buy_id" uuid NOT NULL,
	"fulfilment_id" uuid,
	"task_id" uuid,
	"payload" jsonb DEFAULT '{}'::jsonb NOT NULL,
	"due_at" timestamp (3) with time zone,
	"decision" text,
	"reason" text,
	"decided_by" uuid,
	"decided_by_label" text,
	"decided_at" timestamp (3) with time zone,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "workflow_steps_tenant_id_id_pk" PRIMARY KEY("tenant_id","id")
);
--> statement-breakpoint
CREATE TABLE "audit_log" (
	"tenant_id" uuid NOT NULL,
	"id" bigint GENERATED ALWAYS AS IDENTITY (sequence name "audit_log_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"actor_kind" text NOT NULL,
	"actor_id" uuid,
	"actor_label" text NOT NULL,
	"action" text NOT NULL,
	"object_kind" text NOT NULL,
	"object_id" text NOT NULL,
	"media_buy_id" uuid,
	"summary" text NOT NULL,
	"before" jsonb,
	"after" jsonb,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "audit_log_tenant_id_id_pk" PRIMARY KEY("tenant_id","id")
);
--> statement-breakpoint
CREATE TABLE "memberships" (
	"tenant_id" uuid NOT NULL,
	"user_id" uuid NOT NULL,
	"role" text NOT NULL,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "memberships_tenant_id_user_id_pk" PRIMARY KEY("tenant_id","user_id"),
	CONSTRAINT "memberships_role" CHECK ("memberships"."role" in ('admin','trafficker','viewer'))
);
--> statement-breakpoint
CREATE TABLE "users" (
	"id" uuid PRIMARY KEY NOT NULL,
	"email" text NOT NULL,
	"name" text NOT NULL,
	"password_hash" text,
	"session_version" integer DEFAULT 1 NOT NULL,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"archived_at" timestamp (3) with time zone
);
--> statement-breakpoint
CREATE TABLE "principal_tokens" (
	"tenant_id" uuid NOT NULL,
	"id" uuid NOT NULL,
	"principal_id" uuid NOT NULL,
	"token_hash" "bytea" NOT NULL,
	"prefix" text NOT NULL,
	"scopes" text[] DEFAULT '{}' NOT NULL,
	"expires_at" timestamp (3) with time zone,
	"revoked_at" timestamp (3) with time zone,
	"last_used_at" timestamp (3) with time zone,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "principal_tokens_tenant_id_id_pk" PRIMARY KEY("tenant_id","id")
);
--> statement-breakpoint
CREATE TABLE "principals" (
	"tenant_id" uuid NOT NULL,
	"id" uuid NOT NULL,
	"name" text NOT NULL,
	"is_sandbox" boolean DEFAULT false NOT NULL,
	"platform_mappings" jsonb DEFAULT '{}'::jsonb NOT NULL,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"archived_at" timestamp (3) with time zone,
	CONSTRAINT "principals_tenant_id_id_pk" PRIMARY KEY("tenant_id","id")
);
--> statement-breakpoint
CREATE TABLE "creative_assignments" (
	"tenant_id" uuid NOT NULL,
	"package_id" uuid NOT NULL,
	"creative_id" uuid NOT NULL,
	"weight" integer,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "creative_assignments_tenant_id_package_id_creative_id_pk" PRIMARY KEY("tenant_id","package_id","creative_id")
);
--> statement-breakpoint
CREATE TABLE "creatives" (
	"tenant_id" uuid NOT NULL,
	"id" uuid NOT NULL,
	"principal_id" uuid NOT NULL,
	"account_id" uuid NOT NULL,
	"creative_id" text NOT NULL,
	"name" text NOT NULL,
	"format_id" jsonb NOT NULL,
	"assets" jsonb NOT NULL,
	"status" text NOT NULL,
	"rejection_reason" text,
	"tags" text[] DEFAULT '{}' NOT NULL,
	"content_hash" text NOT NULL,
	"version" integer DEFAULT 1 NOT NULL,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"archived_at" timestamp (3) with time zone,
	CONSTRAINT "creatives_tenant_id_id_pk" PRIMARY KEY("tenant_id","id"),
	CONSTRAINT "creatives_creative_id_key" UNIQUE("tenant_id","account_id","creative_id")
);
--> statement-breakpoint
CREATE TABLE "outbox" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "outbox_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"tenant_id" uuid NOT NULL,
	"event_id" text NOT NULL,
	"name" text NOT NULL,
	"data" jsonb NOT NULL,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"lease_until" timestamp (3) with time zone,
	"lease_owner" uuid,
	"attempts" integer DEFAULT 0 NOT NULL,
	"last_error" text,
	"sent_at" timestamp (3) with time zone,
	CONSTRAINT "outbox_event_id_unique" UNIQUE("event_id")
);
--> statement-breakpoint
CREATE TABLE "workers" (
	"id" uuid PRIMARY KEY NOT NULL,
	"started_at" timestamp (3) with time zone NOT NULL,
	"heartbeat_at" timestamp (3) with time zone NOT NULL,
	"info" jsonb DEFAULT '{}'::jsonb NOT NULL
);
--> statement-breakpoint
CREATE TABLE "fulfilment_operations" (
	"tenant_id" uuid NOT NULL,
	"id" uuid NOT NULL,
	"fulfilment_id" uuid NOT NULL,
	"desired_version" integer NOT NULL,
	"position" integer NOT NULL,
	"operation_key" text NOT NULL,
	"kind" text NOT NULL,
	"summary" text NOT NULL,
	"payload" jsonb NOT NULL,
	"intent_hash" text NOT NULL,
	"state" text DEFAULT 'planned' NOT NULL,
	"attempts" integer DEFAULT 0 NOT NULL,
	"external_ids" jsonb,
	"correlation_id" text,
	"error" jsonb,
	"started_at" timestamp (3) with time zone,
	"finished_at" timestamp (3) with time zone,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "fulfilment_operations_tenant_id_id_pk" PRIMARY KEY("tenant_id","id"),
	CONSTRAINT "fulfilment_operations_key" UNIQUE("tenant_id","fulfilment_id","desired_version","operation_key","intent_hash")
);
--> statement-breakpoint
CREATE TABLE "fulfilments" (
	"tenant_id" uuid NOT NULL,
	"id" uuid NOT NULL,
	"media_buy_id" uuid NOT NULL,
	"adapter_config_id" uuid NOT NULL,
	"state" text DEFAULT 'pending' NOT NULL,
	"desired_version" integer NOT NULL,
	"applied_version" integer DEFAULT 0 NOT NULL,
	"external_order_number" integer,
	"blocked_code" text,
	"blocked_reason" text,
	"drift" jsonb DEFAULT '[]'::jsonb NOT NULL,
	"observed_at" timestamp (3) with time zone,
	"waiting_since" timestamp (3) with time zone,
	"wait_count" integer DEFAULT 0 NOT NULL,
	"inventory_override" text,
	"lease_owner" text,
	"lease_until" timestamp (3) with time zone,
	"lease_epoch" bigint DEFAULT 0 NOT NULL,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "fulfilments_tenant_id_id_pk" PRIMARY KEY("tenant_id","id"),
	CONSTRAINT "fulfilments_media_buy_connection" UNIQUE("tenant_id","media_buy_id","adapter_config_id"),
	CONSTRAINT "fulfilments_state" CHECK ("fulfilments"."state" in ('pending','applying','awaiting_ad_server','in_sync','blocked','failed','ended'))
);
--> statement-breakpoint
CREATE TABLE "idempotency_keys" (
	"tenant_id" uuid NOT NULL,
	"id" uuid NOT NULL,
	"principal_id" uuid NOT NULL,
	"account_id" uuid,
	"key" text NOT NULL,
	"tool" text NOT NULL,
	"request_hash" text NOT NULL,
	"response" jsonb,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"expires_at" timestamp (3) with time zone NOT NULL,
	CONSTRAINT "idempotency_keys_tenant_id_id_pk" PRIMARY KEY("tenant_id","id")
);
--> statement-breakpoint
CREATE TABLE "media_buys" (
	"tenant_id" uuid NOT NULL,
	"id" uuid NOT NULL,
	"principal_id" uuid NOT NULL,
	"account_id" uuid NOT NULL,
	"status" text NOT NULL,
	"revision" integer DEFAULT 1 NOT NULL,
	"desired_version" integer DEFAULT 1 NOT NULL,
	"name" text NOT NULL,
	"po_number" text,
	"currency" char(3) NOT NULL,
	"budget_micros" bigint NOT NULL,
	"starts_at" timestamp (3) with time zone NOT NULL,
	"effective_starts_at" timestamp (3) with time zone,
	"ends_at" timestamp (3) with time zone NOT NULL,
	"is_sandbox" boolean NOT NULL,
	"confirmed_at" timestamp (3) with time zone,
	"canceled_at" timestamp (3) with time zone,
	"canceled_by" text,
	"cancellation_reason" text,
	"rejection_reason" text,
	"raw_request" jsonb NOT NULL,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "media_buys_tenant_id_id_pk" PRIMARY KEY("tenant_id","id"),
	CONSTRAINT "media_buys_status" CHECK ("media_buys"."status" in ('pending_approval','pending_creatives','pending_start','active','paused','completed','rejected','canceled')),
	CONSTRAINT "media_buys_flight" CHECK ("media_buys"."ends_at" > "media_buys"."starts_at"),
	CONSTRAINT "media_buys_budget" CHECK ("media_buys"."budget_micros" > 0)
);
--> statement-breakpoint
CREATE TABLE "media_packages" (
	"tenant_id" uuid NOT NULL,
	"id" uuid NOT NULL,
	"media_buy_id" uuid NOT NULL,
	"position" integer NOT NULL,
	"product_id" uuid NOT NULL,
	"sold" jsonb NOT NULL,
	"pricing_model" text NOT NULL,
	"rate_micros" bigint NOT NULL,
	"currency" char(3) NOT NULL,
	"budget_micros" bigint NOT NULL,
	"units" bigint NOT NULL,
	"starts_at" timestamp (3) with time zone NOT NULL,
	"ends_at" timestamp (3) with time zone NOT NULL,
	"pacing" text DEFAULT 'even' NOT NULL,
	"targeting" jsonb DEFAULT '{}'::jsonb NOT NULL,
	"is_paused" boolean DEFAULT false NOT NULL,
	"canceled_at" timestamp (3) with time zone,
	"cancellation_reason" text,
	"buyer_context" jsonb,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "media_packages_tenant_id_id_pk" PRIMARY KEY("tenant_id","id"),
	CONSTRAINT "media_packages_budget" CHECK ("media_packages"."budget_micros" > 0 and "media_packages"."units" > 0)
);
--> statement-breakpoint
CREATE TABLE "tasks" (
	"tenant_id" uuid NOT NULL,
	"id" uuid NOT NULL,
	"principal_id" uuid NOT NULL,
	"task_type" text NOT NULL,
	"status" text NOT NULL,
	"media_buy_id" uuid,
	"message" text,
	"result" jsonb,
	"error" jsonb,
	"buyer_context" jsonb,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"completed_at" timestamp (3) with time zone,
	CONSTRAINT "tasks_tenant_id_id_pk" PRIMARY KEY("tenant_id","id")
);
--> statement-breakpoint
CREATE TABLE "currency_limits" (
	"tenant_id" uuid NOT NULL,
	"currency" char(3) NOT NULL,
	"min_package_micros" bigint NOT NULL,
	"max_daily_package_micros" bigint,
	CONSTRAINT "currency_limits_tenant_id_currency_pk" PRIMARY KEY("tenant_id","currency")
);
--> statement-breakpoint
CREATE TABLE "pricing_options" (
	"tenant_id" uuid NOT NULL,
	"id" uuid NOT NULL,
	"product_id" uuid NOT NULL,
	"pricing_option_id" text NOT NULL,
	"pricing_model" text NOT NULL,
	"currency" char(3) NOT NULL,
	"rate_micros" bigint,
	"floor_micros" bigint,
	"price_guidance" jsonb,
	"min_spend_micros" bigint,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"archived_at" timestamp (3) with time zone,
	CONSTRAINT "pricing_options_tenant_id_id_pk" PRIMARY KEY("tenant_id","id"),
	CONSTRAINT "pricing_options_key" UNIQUE("tenant_id","product_id","pricing_option_id"),
	CONSTRAINT "pricing_options_price" CHECK (("pricing_options"."rate_micros" is null) <> ("pricing_options"."floor_micros" is null))
);
--> statement-breakpoint
CREATE TABLE "product_targets" (
	"tenant_id" uuid NOT NULL,
	"product_id" uuid NOT NULL,
	"adapter_config_id" uuid NOT NULL,
	"config" jsonb NOT NULL,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "product_targets_tenant_id_product_id_adapter_config_id_pk" PRIMARY KEY("tenant_id","product_id","adapter_config_id")
);
--> statement-breakpoint
CREATE TABLE "products" (
	"tenant_id" uuid NOT NULL,
	"id" uuid NOT NULL,
	"product_id" text NOT NULL,
	"name" text NOT NULL,
	"description" text NOT NULL,
	"channels" text[] DEFAULT '{}' NOT NULL,
	"format_ids" text[] NOT NULL,
	"delivery_type" text NOT NULL,
	"is_review_required" boolean,
	"details" jsonb DEFAULT '{}'::jsonb NOT NULL,
	"position" integer DEFAULT 0 NOT NULL,
	"version" integer DEFAULT 1 NOT NULL,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"archived_at" timestamp (3) with time zone,
	CONSTRAINT "products_tenant_id_id_pk" PRIMARY KEY("tenant_id","id"),
	CONSTRAINT "products_product_id_key" UNIQUE("tenant_id","product_id"),
	CONSTRAINT "products_delivery_type" CHECK ("products"."delivery_type" in ('guaranteed','non_guaranteed'))
);
--> statement-breakpoint
CREATE TABLE "publisher_partners" (
	"tenant_id" uuid NOT NULL,
	"id" uuid NOT NULL,
	"publisher_domain" text NOT NULL,
	"properties" jsonb DEFAULT '[]'::jsonb NOT NULL,
	"tags" text[] DEFAULT '{}' NOT NULL,
	"is_verified" boolean DEFAULT false NOT NULL,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"archived_at" timestamp (3) with time zone,
	CONSTRAINT "publisher_partners_tenant_id_id_pk" PRIMARY KEY("tenant_id","id"),
	CONSTRAINT "publisher_partners_domain_key" UNIQUE("tenant_id","publisher_domain")
);
--> statement-breakpoint
CREATE TABLE "sync_jobs" (
	"tenant_id" uuid NOT NULL,
	"id" uuid NOT NULL,
	"adapter_config_id" uuid NOT NULL,
	"kind" text NOT NULL,
	"state" text DEFAULT 'queued' NOT NULL,
	"requested_by" text NOT NULL,
	"phases" jsonb DEFAULT '[]'::jsonb NOT NULL,
	"counts" jsonb DEFAULT '{}'::jsonb NOT NULL,
	"error" jsonb,
	"lease_owner" text,
	"lease_until" timestamp (3) with time zone,
	"heartbeat_at" timestamp (3) with time zone,
	"started_at" timestamp (3) with time zone,
	"finished_at" timestamp (3) with time zone,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "sync_jobs_tenant_id_id_pk" PRIMARY KEY("tenant_id","id")
);
--> statement-breakpoint
CREATE TABLE "tenant_hosts" (
	"host" text PRIMARY KEY NOT NULL,
	"tenant_id" uuid NOT NULL
);
--> statement-breakpoint
CREATE TABLE "tenants" (
	"id" uuid PRIMARY KEY NOT NULL,
	"slug" text NOT NULL,
	"name" text NOT NULL,
	"is_demo" boolean DEFAULT false NOT NULL,
	"time_zone" text NOT NULL,
	"default_currency" char(3) NOT NULL,
	"is_review_required" boolean DEFAULT false NOT NULL,
	"is_advertiser_creation_allowed" boolean DEFAULT false NOT NULL,
	"is_overbooking_allowed" boolean DEFAULT false NOT NULL,
	"decision_time_minutes" bigint DEFAULT 2880 NOT NULL,
	"staff_webhook_encrypted" text,
	"staff_webhook_hint" text,
	"catalog_version" bigint DEFAULT 1 NOT NULL,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"archived_at" timestamp (3) with time zone,
	CONSTRAINT "tenants_slug_unique" UNIQUE("slug")
);
--> statement-breakpoint
CREATE TABLE "push_notification_configs" (
	"tenant_id" uuid NOT NULL,
	"id" uuid NOT NULL,
	"principal_id" uuid NOT NULL,
	"task_id" uuid,
	"media_buy_id" uuid,
	"url" text NOT NULL,
	"operation_id" text,
	"token_encrypted" text,
	"auth_scheme" text,
	"credentials_encrypted" text,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "push_notification_configs_tenant_id_id_pk" PRIMARY KEY("tenant_id","id")
);
--> statement-breakpoint
CREATE TABLE "signing_keys" (
	"kid" text PRIMARY KEY NOT NULL,
	"algorithm" text NOT NULL,
	"public_jwk" jsonb NOT NULL,
	"private_jwk_encrypted" text NOT NULL,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"retired_at" timestamp (3) with time zone
);
--> statement-breakpoint
CREATE TABLE "webhook_deliveries" (
	"tenant_id" uuid NOT NULL,
	"id" uuid NOT NULL,
	"audience" text NOT NULL,
	"config_id" uuid,
	"media_buy_id" uuid,
	"task_id" uuid,
	"event_key" text NOT NULL,
	"idempotency_key" text NOT NULL,
	"body" jsonb NOT NULL,
	"state" text DEFAULT 'pending' NOT NULL,
	"attempts" integer DEFAULT 0 NOT NULL,
	"next_attempt_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"last_status" integer,
	"last_error" text,
	"delivered_at" timestamp (3) with time zone,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "webhook_deliveries_tenant_id_id_pk" PRIMARY KEY("tenant_id","id"),
	CONSTRAINT "webhook_deliveries_event" UNIQUE NULLS NOT DISTINCT("tenant_id","config_id","event_key")
);
--> statement-breakpoint
ALTER TABLE "account_advertisers" ADD CONSTRAINT "account_advertisers_tenant_id_account_id_accounts_tenant_id_id_fk" FOREIGN KEY ("tenant_id","account_id") REFERENCES "public"."accounts"("tenant_id","id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "account_advertisers" ADD CONSTRAINT "account_advertisers_tenant_id_adapter_config_id_adapter_configs_tenant_id_id_fk" FOREIGN KEY ("tenant_id","adapter_config_id") REFERENCES "public"."adapter_configs"("tenant_id","id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "accounts" ADD CONSTRAINT "accounts_tenant_id_principal_id_principals_tenant_id_id_fk" FOREIGN KEY ("tenant_id","principal_id") REFERENCES "public"."principals"("tenant_id","id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "adapter_configs" ADD CONSTRAINT "adapter_configs_tenant_id_tenants_id_fk" FOREIGN KEY ("tenant_id") REFERENCES "public"."tenants"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "workflow_steps" ADD CONSTRAINT "workflow_steps_tenant_id_media_buy_id_media_buys_tenant_id_id_fk" FOREIGN KEY ("tenant_id","media_buy_id") REFERENCES "public"."media_buys"("tenant_id","id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "audit_log" ADD CONSTRAINT "audit_log_tenant_id_tenants_id_fk" FOREIGN KEY ("tenant_id") REFERENCES "public"."tenants"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "memberships" ADD CONSTRAINT "memberships_tenant_id_tenants_id_fk" FOREIGN KEY ("tenant_id") REFERENCES "public"."tenants"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "memberships" ADD CONSTRAINT "memberships_user_id_users_id_fk" FOREIGN KEY ("user_id") REFERENCES "public"."users"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "principal_tokens" ADD CONSTRAINT "principal_tokens_tenant_id_principal_id_principals_tenant_id_id_fk" FOREIGN KEY ("tenant_id","principal_id") REFERENCES "public"."principals"("tenant_id","id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "principals" ADD CONSTRAINT "principals_tenant_id_tenants_id_fk" FOREIGN KEY ("tenant_id") REFERENCES "public"."tenants"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "creative_assignments" ADD CONSTRAINT "creative_assignments_tenant_id_package_id_media_packages_tenant_id_id_fk" FOREIGN KEY ("tenant_id","package_id") REFERENCES "public"."media_packages"("tenant_id","id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "creative_assignments" ADD CONSTRAINT "creative_assignments_tenant_id_creative_id_creatives_tenant_id_id_fk" FOREIGN KEY ("tenant_id","creative_id") REFERENCES "public"."creatives"("tenant_id","id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "creatives" ADD CONSTRAINT "creatives_tenant_id_account_id_accounts_tenant_id_id_fk" FOREIGN KEY ("tenant_id","account_id") REFERENCES "public"."accounts"("tenant_id","id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "outbox" ADD CONSTRAINT "outbox_tenant_id_tenants_id_fk" FOREIGN KEY ("tenant_id") REFERENCES "public"."tenants"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "fulfilment_operations" ADD CONSTRAINT "fulfilment_operations_tenant_id_fulfilment_id_fulfilments_tenant_id_id_fk" FOREIGN KEY ("tenant_id","fulfilment_id") REFERENCES "public"."fulfilments"("tenant_id","id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "fulfilments" ADD CONSTRAINT "fulfilments_tenant_id_media_buy_id_media_buys_tenant_id_id_fk" FOREIGN KEY ("tenant_id","media_buy_id") REFERENCES "public"."media_buys"("tenant_id","id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "fulfilments" ADD CONSTRAINT "fulfilments_tenant_id_adapter_config_id_adapter_configs_tenant_id_id_fk" FOREIGN KEY ("tenant_id","adapter_config_id") REFERENCES "public"."adapter_configs"("tenant_id","id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "media_buys" ADD CONSTRAINT "media_buys_tenant_id_principal_id_principals_tenant_id_id_fk" FOREIGN KEY ("tenant_id","principal_id") REFERENCES "public"."principals"("tenant_id","id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "media_buys" ADD CONSTRAINT "media_buys_tenant_id_account_id_accounts_tenant_id_id_fk" FOREIGN KEY ("tenant_id","account_id") REFERENCES "public"."accounts"("tenant_id","id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "media_packages" ADD CONSTRAINT "media_packages_tenant_id_media_buy_id_media_buys_tenant_id_id_fk" FOREIGN KEY ("tenant_id","media_buy_id") REFERENCES "public"."media_buys"("tenant_id","id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "media_packages" ADD CONSTRAINT "media_packages_tenant_id_product_id_products_tenant_id_id_fk" FOREIGN KEY ("tenant_id","product_id") REFERENCES "public"."products"("tenant_id","id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "tasks" ADD CONSTRAINT "tasks_tenant_id_principal_id_principals_tenant_id_id_fk" FOREIGN KEY ("tenant_id","principal_id") REFERENCES "public"."principals"("tenant_id","id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "currency_limits" ADD CONSTRAINT "currency_limits_tenant_id_tenants_id_fk" FOREIGN KEY ("tenant_id") REFERENCES "public"."tenants"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "pricing_options" ADD CONSTRAINT "pricing_options_tenant_id_product_id_products_tenant_id_id_fk" FOREIGN KEY ("tenant_id","product_id") REFERENCES "public"."products"("tenant_id","id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "product_targets" ADD CONSTRAINT "product_targets_tenant_id_product_id_products_tenant_id_id_fk" FOREIGN KEY ("tenant_id","product_id") REFERENCES "public"."products"("tenant_id","id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "product_targets" ADD CONSTRAINT "product_targets_tenant_id_adapter_config_id_adapter_configs_tenant_id_id_fk" FOREIGN KEY ("tenant_id","adapter_config_id") REFERENCES "public"."adapter_configs"("tenant_id","id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "products" ADD CONSTRAINT "products_tenant_id_tenants_id_fk" FOREIGN KEY ("tenant_id") REFERENCES "public"."tenants"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "publisher_partners" ADD CONSTRAINT "publisher_partners_tenant_id_tenants_id_fk" FOREIGN KEY ("tenant_id") REFERENCES "public"."tenants"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "sync_jobs" ADD CONSTRAINT "sync_jobs_tenant_id_adapter_config_id_adapter_configs_tenant_id_id_fk" FOREIGN KEY ("tenant_id","adapter_config_id") REFERENCES "public"."adapter_configs"("tenant_id","id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "tenant_hosts" ADD CONSTRAINT "tenant_hosts_tenant_id_tenants_id_fk" FOREIGN KEY ("tenant_id") REFERENCES "public"."tenants"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "push_notification_configs" ADD CONSTRAINT "push_notification_configs_tenant_id_principal_id_principals_tenant_id_id_fk" FOREIGN KEY ("tenant_id","principal_id") REFERENCES "public"."principals"("tenant_id","id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "webhook_deliveries" ADD CONSTRAINT "webhook_deliveries_tenant_id_tenants_id_fk" FOREIGN KEY ("tenant_id") REFERENCES "public"."tenants"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "webhook_deliveries" ADD CONSTRAINT "webhook_deliveries_tenant_id_config_id_push_notification_configs_tenant_id_id_fk" FOREIGN KEY ("tenant_id","config_id") REFERENCES "public"."push_notification_configs"("tenant_id","id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "ad_server_inventory_name" ON "ad_server_inventory" USING btree ("tenant_id","adapter_config_id","kind","name");--> statement-breakpoint
CREATE INDEX "ad_server_inventory_parent" ON "ad_server_inventory" USING btree ("tenant_id","adapter_config_id","kind","parent_external_id");--> statement-breakpoint
CREATE INDEX "external_objects_fulfilment" ON "external_objects" USING btree ("tenant_id","fulfilment_id");--> statement-breakpoint
CREATE INDEX "workflow_steps_queue" ON "workflow_steps" USING btree ("tenant_id","state","created_at","id");--> statement-breakpoint
CREATE INDEX "workflow_steps_by_media_buy" ON "workflow_steps" USING btree ("tenant_id","media_buy_id");--> statement-breakpoint
CREATE UNIQUE INDEX "workflow_steps_open_approval" ON "workflow_steps" USING btree ("tenant_id","media_buy_id") WHERE "workflow_steps"."kind" = 'media_buy_approval' and "workflow_steps"."state" = 'requires_approval';--> statement-breakpoint
CREATE UNIQUE INDEX "workflow_steps_open_blocked" ON "workflow_steps" USING btree ("tenant_id","fulfilment_id") WHERE "workflow_steps"."kind" = 'fulfilment_blocked' and "workflow_steps"."state" = 'pending';--> statement-breakpoint
CREATE INDEX "audit_log_by_media_buy" ON "audit_log" USING btree ("tenant_id","media_buy_id","id");--> statement-breakpoint
CREATE INDEX "audit_log_list" ON "audit_log" USING btree ("tenant_id","created_at","id");--> statement-breakpoint
CREATE UNIQUE INDEX "users_email_key" ON "users" USING btree (lower("email"));--> statement-breakpoint
CREATE UNIQUE INDEX "principal_tokens_hash_key" ON "principal_tokens" USING btree ("token_hash");--> statement-breakpoint
CREATE INDEX "creative_assignments_by_creative" ON "creative_assignments" USING btree ("tenant_id","creative_id");--> statement-breakpoint
CREATE INDEX "creatives_by_principal" ON "creatives" USING btree ("tenant_id","principal_id","created_at","id");--> statement-breakpoint
CREATE INDEX "outbox_unsent" ON "outbox" USING btree ("id") WHERE "outbox"."sent_at" is null;--> statement-breakpoint
CREATE INDEX "outbox_sent" ON "outbox" USING btree ("sent_at") WHERE "outbox"."sent_at" is not null;--> statement-breakpoint
CREATE INDEX "fulfilment_operations_list" ON "fulfilment_operations" USING btree ("tenant_id","fulfilment_id","desired_version","position");--> statement-breakpoint
CREATE INDEX "fulfilments_by_state" ON "fulfilments" USING btree ("tenant_id","state");--> statement-breakpoint
CREATE INDEX "idempotency_keys_expiry" ON "idempotency_keys" USING btree ("expires_at");--> statement-breakpoint
CREATE INDEX "media_buys_by_status" ON "media_buys" USING btree ("tenant_id","status","created_at","id");--> statement-breakpoint
CREATE INDEX "media_buys_by_created" ON "media_buys" USING btree ("tenant_id","created_at","id");--> statement-breakpoint
CREATE INDEX "media_buys_by_principal" ON "media_buys" USING btree ("tenant_id","principal_id","created_at","id");--> statement-breakpoint
CREATE INDEX "media_buys_clock" ON "media_buys" USING btree ("status","ends_at") WHERE "media_buys"."status" in ('pending_creatives','pending_start','active','paused');--> statement-breakpoint
CREATE UNIQUE INDEX "media_packages_position" ON "media_packages" USING btree ("tenant_id","media_buy_id","position");--> statement-breakpoint
CREATE INDEX "tasks_by_principal" ON "tasks" USING btree ("tenant_id","principal_id","created_at","id");--> statement-breakpoint
CREATE INDEX "tasks_by_media_buy" ON "tasks" USING btree ("tenant_id","media_buy_id");--> statement-breakpoint
CREATE INDEX "products_list" ON "products" USING btree ("tenant_id","position","id");--> statement-breakpoint
CREATE INDEX "sync_jobs_list" ON "sync_jobs" USING btree ("tenant_id","created_at","id");--> statement-breakpoint
CREATE UNIQUE INDEX "sync_jobs_open" ON "sync_jobs" USING btree ("tenant_id","adapter_config_id","kind") WHERE "sync_jobs"."state" in ('queued','running');--> statement-breakpoint
CREATE INDEX "push_notification_configs_task" ON "push_notification_configs" USING btree ("tenant_id","task_id");--> statement-breakpoint
CREATE INDEX "webhook_deliveries_by_media_buy" ON "webhook_deliveries" USING btree ("tenant_id","media_buy_id");--> statement-breakpoint
CREATE INDEX "webhook_deliveries_due" ON "webhook_deliveries" USING btree ("next_attempt_at") WHERE "webhook_deliveries"."state" = 'pending';