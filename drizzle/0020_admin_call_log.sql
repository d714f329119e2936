CREATE TABLE "buyer_calls" (
	"tenant_id" uuid NOT NULL,
	"id" bigint GENERATED ALWAYS AS IDENTITY (sequence name "buyer_calls_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"principal_id" uuid,
	"token_id" uuid,
	"token_prefix" text,
	"refusal" text,
	"tool" text NOT NULL,
	"transport" text NOT NULL,
	"outcome" text NOT NULL,
	"field" text,
	"message" text,
	"suggestion" text,
	"issues" jsonb,
	"request_id" uuid,
	"duration_ms" real NOT NULL,
	"calls" integer DEFAULT 1 NOT NULL,
	"account_id" uuid,
	"media_buy_id" uuid,
	"request" jsonb,
	"at" timestamp (3) with time zone NOT NULL,
	CONSTRAINT "buyer_calls_tenant_id_id_pk" PRIMARY KEY("tenant_id","id")
);
--> statement-breakpoint
ALTER TABLE "buyer_calls" ADD CONSTRAINT "buyer_calls_tenant_id_tenants_id_fk" FOREIGN KEY ("tenant_id") REFERENCES "public"."tenants"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "buyer_calls" ADD CONSTRAINT "buyer_calls_tenant_id_principal_id_principals_tenant_id_id_fk" FOREIGN KEY ("tenant_id","principal_id") REFERENCES "public"."principals"("tenant_id","id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "buyer_calls_by_principal" ON "buyer_calls" USING btree ("tenant_id","principal_id","at","id");--> statement-breakpoint
CREATE INDEX "buyer_calls_failed" ON "buyer_calls" USING btree ("tenant_id","principal_id","at") WHERE "buyer_calls"."outcome" <> 'ok';--> statement-breakpoint
CREATE INDEX "buyer_calls_kept" ON "buyer_calls" USING btree ("tenant_id","at");