SELECT enable_tenant_wall('reporting_subscriptions');
--> statement-breakpoint
-- The clock looks for reports that are due.
GRANT SELECT ON reporting_subscriptions TO greenlight_worker;
--> statement-breakpoint
CREATE POLICY worker_role ON reporting_subscriptions TO greenlight_worker USING (true) WITH CHECK (true);
