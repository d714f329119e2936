CREATE TABLE "rate_buckets" (
	"tenant_id" uuid NOT NULL,
	"principal_id" uuid NOT NULL,
	"subject_id" uuid NOT NULL,
	"tool" text NOT NULL,
	"per_second" double precision NOT NULL,
	"burst" integer NOT NULL,
	"available" double precision NOT NULL,
	"refilled_at" timestamp (3) with time zone NOT NULL,
	"counted_since" timestamp (3) with time zone NOT NULL,
	"taken" bigint NOT NULL,
	"refused" bigint NOT NULL,
	CONSTRAINT "rate_buckets_tenant_id_subject_id_tool_pk" PRIMARY KEY("tenant_id","subject_id","tool")
);
--> statement-breakpoint
CREATE TABLE "signature_nonces" (
	"key_id" uuid NOT NULL,
	"nonce_hash" "bytea" NOT NULL,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"expires_at" timestamp (3) with time zone NOT NULL,
	CONSTRAINT "signature_nonces_key_id_nonce_hash_pk" PRIMARY KEY("key_id","nonce_hash")
);
--> statement-breakpoint
ALTER TABLE "buyer_signing_keys" ADD COLUMN "last_used_at" timestamp (3) with time zone;--> statement-breakpoint
ALTER TABLE "principals" ADD COLUMN "is_signing_required" boolean DEFAULT false NOT NULL;--> statement-breakpoint
ALTER TABLE "principals" ADD COLUMN "rate_limits" jsonb DEFAULT '{}'::jsonb NOT NULL;--> statement-breakpoint
CREATE INDEX "rate_buckets_by_principal" ON "rate_buckets" USING btree ("tenant_id","principal_id");--> statement-breakpoint
CREATE INDEX "signature_nonces_recent" ON "signature_nonces" USING btree ("key_id","created_at");--> statement-breakpoint
CREATE INDEX "signature_nonces_expiry" ON "signature_nonces" USING btree ("expires_at");