CREATE TABLE "product_availability" (
	"tenant_id" uuid NOT NULL,
	"product_id" uuid NOT NULL,
	"adapter_config_id" uuid NOT NULL,
	"config" jsonb NOT NULL,
	"first_day" date NOT NULL,
	"forecast" bigint[] NOT NULL,
	"available" bigint[] NOT NULL,
	"reason" text,
	"generated_at" timestamp (3) with time zone NOT NULL,
	CONSTRAINT "product_availability_tenant_id_product_id_adapter_config_id_pk" PRIMARY KEY("tenant_id","product_id","adapter_config_id")
);
--> statement-breakpoint
ALTER TABLE "product_availability" ADD CONSTRAINT "product_availability_tenant_id_product_id_adapter_config_id_product_targets_tenant_id_product_id_adapter_config_id_fk" FOREIGN KEY ("tenant_id","product_id","adapter_config_id") REFERENCES "public"."product_targets"("tenant_id","product_id","adapter_config_id") ON DELETE cascade ON UPDATE no action;