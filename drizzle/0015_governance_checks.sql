CREATE TABLE "governance_agents" (
	"tenant_id" uuid NOT NULL,
	"id" uuid NOT NULL,
	"account_id" uuid NOT NULL,
	"position" integer NOT NULL,
	"url" text NOT NULL,
	"auth_scheme" text NOT NULL,
	"credentials_encrypted" text NOT NULL,
	"categories" text[],
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"archived_at" timestamp (3) with time zone,
	CONSTRAINT "governance_agents_tenant_id_id_pk" PRIMARY KEY("tenant_id","id")
);
--> statement-breakpoint
CREATE TABLE "governance_checks" (
	"tenant_id" uuid NOT NULL,
	"id" uuid NOT NULL,
	"review_id" uuid NOT NULL,
	"agent_id" uuid NOT NULL,
	"state" text DEFAULT 'pending' NOT NULL,
	"attempts" integer DEFAULT 0 NOT NULL,
	"next_attempt_at" timestamp (3) with time zone NOT NULL,
	"last_error" text,
	"code" text,
	"check_id" text,
	"explanation" text,
	"findings" jsonb DEFAULT '[]'::jsonb NOT NULL,
	"conditions" jsonb DEFAULT '[]'::jsonb NOT NULL,
	"context_encrypted" text,
	"expires_at" timestamp (3) with time zone,
	"answered_at" timestamp (3) with time zone,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "governance_checks_tenant_id_id_pk" PRIMARY KEY("tenant_id","id")
);
--> statement-breakpoint
CREATE TABLE "governance_reviews" (
	"tenant_id" uuid NOT NULL,
	"id" uuid NOT NULL,
	"media_buy_id" uuid NOT NULL,
	"task_id" uuid NOT NULL,
	"plan_id" text NOT NULL,
	"state" text DEFAULT 'asking' NOT NULL,
	"is_review_required" boolean NOT NULL,
	"context_encrypted" text,
	"expires_at" timestamp (3) with time zone,
	"decided_at" timestamp (3) with time zone,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "governance_reviews_tenant_id_id_pk" PRIMARY KEY("tenant_id","id")
);
--> statement-breakpoint
ALTER TABLE "accounts" ADD COLUMN "is_governed" boolean DEFAULT false NOT NULL;--> statement-breakpoint
ALTER TABLE "governance_agents" ADD CONSTRAINT "governance_agents_tenant_id_account_id_accounts_tenant_id_id_fk" FOREIGN KEY ("tenant_id","account_id") REFERENCES "public"."accounts"("tenant_id","id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "governance_checks" ADD CONSTRAINT "governance_checks_tenant_id_review_id_governance_reviews_tenant_id_id_fk" FOREIGN KEY ("tenant_id","review_id") REFERENCES "public"."governance_reviews"("tenant_id","id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "governance_checks" ADD CONSTRAINT "governance_checks_tenant_id_agent_id_governance_agents_tenant_id_id_fk" FOREIGN KEY ("tenant_id","agent_id") REFERENCES "public"."governance_agents"("tenant_id","id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "governance_reviews" ADD CONSTRAINT "governance_reviews_tenant_id_media_buy_id_media_buys_tenant_id_id_fk" FOREIGN KEY ("tenant_id","media_buy_id") REFERENCES "public"."media_buys"("tenant_id","id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE UNIQUE INDEX "governance_agents_url" ON "governance_agents" USING btree ("tenant_id","account_id","url") WHERE "governance_agents"."archived_at" is null;--> statement-breakpoint
CREATE UNIQUE INDEX "governance_checks_agent" ON "governance_checks" USING btree ("tenant_id","review_id","agent_id");--> statement-breakpoint
CREATE INDEX "governance_checks_due" ON "governance_checks" USING btree ("next_attempt_at") WHERE "governance_checks"."state" = 'pending';--> statement-breakpoint
CREATE UNIQUE INDEX "governance_reviews_media_buy" ON "governance_reviews" USING btree ("tenant_id","media_buy_id");--> statement-breakpoint
CREATE INDEX "governance_reviews_open" ON "governance_reviews" USING btree ("updated_at") WHERE "governance_reviews"."state" in ('asking','approved');--> statement-breakpoint
CREATE UNIQUE INDEX "workflow_steps_open_governance" ON "workflow_steps" USING btree ("tenant_id","media_buy_id") WHERE "workflow_steps"."kind" = 'governance_stopped' and "workflow_steps"."state" = 'pending';