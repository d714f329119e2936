CREATE TABLE "creative_previews" (
	"tenant_id" uuid NOT NULL,
	"id" uuid NOT NULL,
	"principal_id" uuid NOT NULL,
	"token_hash" "bytea" NOT NULL,
	"html" text NOT NULL,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"expires_at" timestamp (3) with time zone NOT NULL,
	CONSTRAINT "creative_previews_tenant_id_id_pk" PRIMARY KEY("tenant_id","id")
);
--> statement-breakpoint
ALTER TABLE "creative_previews" ADD CONSTRAINT "creative_previews_tenant_id_principal_id_principals_tenant_id_id_fk" FOREIGN KEY ("tenant_id","principal_id") REFERENCES "public"."principals"("tenant_id","id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE UNIQUE INDEX "creative_previews_token" ON "creative_previews" USING btree ("token_hash");--> statement-breakpoint
CREATE INDEX "creative_previews_expiry" ON "creative_previews" USING btree ("expires_at");