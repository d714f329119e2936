CREATE TABLE "sandbox_fixtures" (
	"tenant_id" uuid NOT NULL,
	"principal_id" uuid NOT NULL,
	"kind" text NOT NULL,
	"key" text NOT NULL,
	"content" jsonb NOT NULL,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "sandbox_fixtures_tenant_id_principal_id_kind_key_pk" PRIMARY KEY("tenant_id","principal_id","kind","key")
);
--> statement-breakpoint
ALTER TABLE "media_buys" ADD COLUMN "handle" text;--> statement-breakpoint
ALTER TABLE "media_buys" ADD COLUMN "status_forced_at" timestamp (3) with time zone;--> statement-breakpoint
ALTER TABLE "products" ADD COLUMN "seeded_for" uuid;--> statement-breakpoint
ALTER TABLE "sandbox_fixtures" ADD CONSTRAINT "sandbox_fixtures_tenant_id_principal_id_principals_tenant_id_id_fk" FOREIGN KEY ("tenant_id","principal_id") REFERENCES "public"."principals"("tenant_id","id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "products" ADD CONSTRAINT "products_tenant_id_seeded_for_principals_tenant_id_id_fk" FOREIGN KEY ("tenant_id","seeded_for") REFERENCES "public"."principals"("tenant_id","id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE UNIQUE INDEX "media_buys_handle" ON "media_buys" USING btree ("tenant_id","principal_id","handle") WHERE "media_buys"."handle" is not null;