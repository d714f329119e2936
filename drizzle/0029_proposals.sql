CREATE TABLE "proposals" (
	"tenant_id" uuid NOT NULL,
	"id" text NOT NULL,
	"principal_id" uuid NOT NULL,
	"brief" text NOT NULL,
	"name" text NOT NULL,
	"currency" char(3) NOT NULL,
	"allocations" jsonb NOT NULL,
	"status" text NOT NULL,
	"expires_at" timestamp (3) with time zone NOT NULL,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "proposals_tenant_id_id_pk" PRIMARY KEY("tenant_id","id"),
	CONSTRAINT "proposals_status" CHECK ("proposals"."status" in ('draft','committed'))
);
--> statement-breakpoint
ALTER TABLE "proposals" ADD CONSTRAINT "proposals_tenant_id_principal_id_principals_tenant_id_id_fk" FOREIGN KEY ("tenant_id","principal_id") REFERENCES "public"."principals"("tenant_id","id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "proposals_by_principal" ON "proposals" USING btree ("tenant_id","principal_id","created_at");