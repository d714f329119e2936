CREATE TABLE "audience_members" (
	"tenant_id" uuid NOT NULL,
	"audience_id" uuid NOT NULL,
	"member_hash" "bytea" NOT NULL,
	"identifiers" jsonb NOT NULL,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "audience_members_tenant_id_audience_id_member_hash_pk" PRIMARY KEY("tenant_id","audience_id","member_hash")
);
--> statement-breakpoint
CREATE TABLE "audiences" (
	"tenant_id" uuid NOT NULL,
	"id" uuid NOT NULL,
	"principal_id" uuid NOT NULL,
	"account_id" uuid NOT NULL,
	"audience_id" text NOT NULL,
	"name" text NOT NULL,
	"description" text,
	"audience_type" text DEFAULT 'crm' NOT NULL,
	"tags" text[] DEFAULT '{}' NOT NULL,
	"consent_basis" text,
	"last_synced_at" timestamp (3) with time zone NOT NULL,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "audiences_tenant_id_id_pk" PRIMARY KEY("tenant_id","id"),
	CONSTRAINT "audiences_audience_id_key" UNIQUE("tenant_id","account_id","audience_id"),
	CONSTRAINT "audiences_type" CHECK ("audiences"."audience_type" in ('crm','suppression','lookalike_seed'))
);
--> statement-breakpoint
ALTER TABLE "audience_members" ADD CONSTRAINT "audience_members_tenant_id_audience_id_audiences_tenant_id_id_fk" FOREIGN KEY ("tenant_id","audience_id") REFERENCES "public"."audiences"("tenant_id","id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "audiences" ADD CONSTRAINT "audiences_tenant_id_account_id_accounts_tenant_id_id_fk" FOREIGN KEY ("tenant_id","account_id") REFERENCES "public"."accounts"("tenant_id","id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "audience_members_by_audience" ON "audience_members" USING btree ("tenant_id","audience_id");