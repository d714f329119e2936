CREATE TABLE "package_lists" (
	"tenant_id" uuid NOT NULL,
	"package_id" uuid NOT NULL,
	"field" text NOT NULL,
	"media_buy_id" uuid NOT NULL,
	"list_id" uuid NOT NULL,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "package_lists_tenant_id_package_id_field_pk" PRIMARY KEY("tenant_id","package_id","field"),
	CONSTRAINT "package_lists_field" CHECK ("package_lists"."field" in ('property_list','collection_list','collection_list_exclude'))
);
--> statement-breakpoint
ALTER TABLE "property_lists" RENAME TO "inventory_lists";--> statement-breakpoint
ALTER TABLE "inventory_lists" RENAME COLUMN "domains" TO "entries";--> statement-breakpoint
ALTER TABLE "inventory_lists" DROP CONSTRAINT "property_lists_key";--> statement-breakpoint
ALTER TABLE "inventory_lists" DROP CONSTRAINT "property_lists_state";--> statement-breakpoint
ALTER TABLE "inventory_lists" DROP CONSTRAINT "property_lists_tenant_id_principal_id_principals_tenant_id_id_fk";
--> statement-breakpoint
DROP INDEX "property_lists_reading";--> statement-breakpoint
ALTER TABLE "inventory_lists" DROP CONSTRAINT "property_lists_tenant_id_id_pk";--> statement-breakpoint
ALTER TABLE "inventory_lists" ADD CONSTRAINT "inventory_lists_tenant_id_id_pk" PRIMARY KEY("tenant_id","id");--> statement-breakpoint
ALTER TABLE "media_packages" ADD COLUMN "hold" jsonb;--> statement-breakpoint
ALTER TABLE "products" ADD COLUMN "collections" jsonb DEFAULT '[]'::jsonb NOT NULL;--> statement-breakpoint
-- All that were kept so far are of properties.
ALTER TABLE "inventory_lists" ADD COLUMN "kind" text NOT NULL DEFAULT 'property';--> statement-breakpoint
ALTER TABLE "inventory_lists" ALTER COLUMN "kind" DROP DEFAULT;--> statement-breakpoint
ALTER TABLE "package_lists" ADD CONSTRAINT "package_lists_tenant_id_package_id_media_packages_tenant_id_id_fk" FOREIGN KEY ("tenant_id","package_id") REFERENCES "public"."media_packages"("tenant_id","id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "package_lists" ADD CONSTRAINT "package_lists_tenant_id_list_id_inventory_lists_tenant_id_id_fk" FOREIGN KEY ("tenant_id","list_id") REFERENCES "public"."inventory_lists"("tenant_id","id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "package_lists_list" ON "package_lists" USING btree ("tenant_id","list_id");--> statement-breakpoint
CREATE INDEX "package_lists_media_buy" ON "package_lists" USING btree ("tenant_id","media_buy_id");--> statement-breakpoint
ALTER TABLE "inventory_lists" ADD CONSTRAINT "inventory_lists_principal_fk" FOREIGN KEY ("tenant_id","principal_id") REFERENCES "public"."principals"("tenant_id","id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "inventory_lists_reading" ON "inventory_lists" USING btree ("requested_at") WHERE "inventory_lists"."state" = 'reading';--> statement-breakpoint
ALTER TABLE "inventory_lists" ADD CONSTRAINT "inventory_lists_key" UNIQUE("tenant_id","principal_id","kind","agent_url","list_id");--> statement-breakpoint
ALTER TABLE "inventory_lists" ADD CONSTRAINT "inventory_lists_kind" CHECK ("inventory_lists"."kind" in ('property','collection'));--> statement-breakpoint
ALTER TABLE "inventory_lists" ADD CONSTRAINT "inventory_lists_state" CHECK ("inventory_lists"."state" in ('reading','read','failed'));