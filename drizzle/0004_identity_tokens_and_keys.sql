CREATE TABLE "buyer_signing_keys" (
	"tenant_id" uuid NOT NULL,
	"id" uuid NOT NULL,
	"principal_id" uuid NOT NULL,
	"kid" text NOT NULL,
	"public_jwk" jsonb NOT NULL,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"revoked_at" timestamp (3) with time zone,
	CONSTRAINT "buyer_signing_keys_tenant_id_id_pk" PRIMARY KEY("tenant_id","id")
);
--> statement-breakpoint
ALTER TABLE "principal_tokens" ADD COLUMN "name" text DEFAULT '' NOT NULL;--> statement-breakpoint
ALTER TABLE "principal_tokens" ADD COLUMN "replaced_by_id" uuid;--> statement-breakpoint
ALTER TABLE "buyer_signing_keys" ADD CONSTRAINT "buyer_signing_keys_tenant_id_principal_id_principals_tenant_id_id_fk" FOREIGN KEY ("tenant_id","principal_id") REFERENCES "public"."principals"("tenant_id","id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE UNIQUE INDEX "buyer_signing_keys_kid" ON "buyer_signing_keys" USING btree ("tenant_id","kid");--> statement-breakpoint
CREATE INDEX "buyer_signing_keys_look_up" ON "buyer_signing_keys" USING btree ("kid");--> statement-breakpoint
CREATE INDEX "buyer_signing_keys_by_principal" ON "buyer_signing_keys" USING btree ("tenant_id","principal_id","created_at");--> statement-breakpoint
ALTER TABLE "principal_tokens" ADD CONSTRAINT "principal_tokens_tenant_id_replaced_by_id_principal_tokens_tenant_id_id_fk" FOREIGN KEY ("tenant_id","replaced_by_id") REFERENCES "public"."principal_tokens"("tenant_id","id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "principal_tokens_by_principal" ON "principal_tokens" USING btree ("tenant_id","principal_id","created_at");