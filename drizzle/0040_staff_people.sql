CREATE TABLE "staff_links" (
	"tenant_id" uuid NOT NULL,
	"id" uuid NOT NULL,
	"user_id" uuid NOT NULL,
	"kind" text NOT NULL,
	"token_hash" "bytea" NOT NULL,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"expires_at" timestamp (3) with time zone NOT NULL,
	"used_at" timestamp (3) with time zone,
	"revoked_at" timestamp (3) with time zone,
	CONSTRAINT "staff_links_tenant_id_id_pk" PRIMARY KEY("tenant_id","id"),
	CONSTRAINT "staff_links_token_hash_unique" UNIQUE("token_hash")
);
--> statement-breakpoint
ALTER TABLE "memberships" ADD COLUMN "activated_at" timestamp (3) with time zone DEFAULT now();--> statement-breakpoint
ALTER TABLE "memberships" ADD COLUMN "deactivated_at" timestamp (3) with time zone;--> statement-breakpoint
ALTER TABLE "staff_links" ADD CONSTRAINT "staff_links_tenant_id_user_id_memberships_tenant_id_user_id_fk" FOREIGN KEY ("tenant_id","user_id") REFERENCES "public"."memberships"("tenant_id","user_id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "staff_links_of_person" ON "staff_links" USING btree ("tenant_id","user_id","created_at");--> statement-breakpoint
CREATE INDEX "audit_log_by_person" ON "audit_log" USING btree ("tenant_id","actor_id","id") WHERE "audit_log"."actor_kind" = 'user';--> statement-breakpoint
CREATE INDEX "audit_log_by_object" ON "audit_log" USING btree ("tenant_id","object_id","id") WHERE "audit_log"."object_kind" not in ('media_buy', 'fulfilment');--> statement-breakpoint
CREATE INDEX "audit_log_by_kind" ON "audit_log" USING btree ("tenant_id","object_kind","id") WHERE "audit_log"."object_kind" not in ('media_buy', 'fulfilment');