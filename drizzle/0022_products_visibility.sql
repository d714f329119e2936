CREATE TABLE "pricing_option_buyers" (
	"tenant_id" uuid NOT NULL,
	"pricing_option_id" uuid NOT NULL,
	"principal_id" uuid NOT NULL,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "pricing_option_buyers_tenant_id_pricing_option_id_principal_id_pk" PRIMARY KEY("tenant_id","pricing_option_id","principal_id")
);
--> statement-breakpoint
CREATE TABLE "product_buyers" (
	"tenant_id" uuid NOT NULL,
	"product_id" uuid NOT NULL,
	"principal_id" uuid NOT NULL,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "product_buyers_tenant_id_product_id_principal_id_pk" PRIMARY KEY("tenant_id","product_id","principal_id")
);
--> statement-breakpoint
ALTER TABLE "principals" ADD COLUMN "are_prices_hidden" boolean DEFAULT false NOT NULL;--> statement-breakpoint
ALTER TABLE "pricing_options" ADD COLUMN "is_reserved" boolean DEFAULT false NOT NULL;--> statement-breakpoint
ALTER TABLE "products" ADD COLUMN "visibility" text DEFAULT 'all' NOT NULL;--> statement-breakpoint
ALTER TABLE "pricing_option_buyers" ADD CONSTRAINT "pricing_option_buyers_tenant_id_pricing_option_id_pricing_options_tenant_id_id_fk" FOREIGN KEY ("tenant_id","pricing_option_id") REFERENCES "public"."pricing_options"("tenant_id","id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "pricing_option_buyers" ADD CONSTRAINT "pricing_option_buyers_tenant_id_principal_id_principals_tenant_id_id_fk" FOREIGN KEY ("tenant_id","principal_id") REFERENCES "public"."principals"("tenant_id","id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "product_buyers" ADD CONSTRAINT "product_buyers_tenant_id_product_id_products_tenant_id_id_fk" FOREIGN KEY ("tenant_id","product_id") REFERENCES "public"."products"("tenant_id","id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "product_buyers" ADD CONSTRAINT "product_buyers_tenant_id_principal_id_principals_tenant_id_id_fk" FOREIGN KEY ("tenant_id","principal_id") REFERENCES "public"."principals"("tenant_id","id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "pricing_option_buyers_by_principal" ON "pricing_option_buyers" USING btree ("tenant_id","principal_id");--> statement-breakpoint
CREATE INDEX "product_buyers_by_principal" ON "product_buyers" USING btree ("tenant_id","principal_id");--> statement-breakpoint
ALTER TABLE "products" ADD CONSTRAINT "products_visibility" CHECK ("products"."visibility" in ('all','selected'));