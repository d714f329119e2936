ALTER TABLE "tasks" ADD COLUMN "account_id" uuid;--> statement-breakpoint
ALTER TABLE "tasks" ADD COLUMN "handle" text;--> statement-breakpoint
ALTER TABLE "tasks" ADD COLUMN "context_id" text;--> statement-breakpoint
ALTER TABLE "tasks" ADD COLUMN "request" jsonb;--> statement-breakpoint
ALTER TABLE "tasks" ADD CONSTRAINT "tasks_tenant_id_account_id_accounts_tenant_id_id_fk" FOREIGN KEY ("tenant_id","account_id") REFERENCES "public"."accounts"("tenant_id","id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "tasks_handle" ON "tasks" USING btree ("tenant_id","principal_id","handle") WHERE "tasks"."handle" is not null;