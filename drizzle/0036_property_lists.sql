CREATE TABLE "property_lists" (
	"tenant_id" uuid NOT NULL,
	"id" uuid NOT NULL,
	"principal_id" uuid NOT NULL,
	"agent_url" text NOT NULL,
	"list_id" text NOT NULL,
	"token_encrypted" text,
	"state" text NOT NULL,
	"attempts" integer DEFAULT 0 NOT NULL,
	"domains" text[],
	"error" text,
	"read_at" timestamp (3) with time zone,
	"valid_until" timestamp (3) with time zone,
	"requested_at" timestamp (3) with time zone NOT NULL,
	"last_used_at" timestamp (3) with time zone NOT NULL,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "property_lists_tenant_id_id_pk" PRIMARY KEY("tenant_id","id"),
	CONSTRAINT "property_lists_key" UNIQUE("tenant_id","principal_id","agent_url","list_id"),
	CONSTRAINT "property_lists_state" CHECK ("property_lists"."state" in ('reading','read','failed'))
);
--> statement-breakpoint
ALTER TABLE "property_lists" ADD CONSTRAINT "property_lists_tenant_id_principal_id_principals_tenant_id_id_fk" FOREIGN KEY ("tenant_id","principal_id") REFERENCES "public"."principals"("tenant_id","id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "property_lists_reading" ON "property_lists" USING btree ("requested_at") WHERE "property_lists"."state" = 'reading';