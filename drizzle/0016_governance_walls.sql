SELECT enable_tenant_wall('governance_agents');
--> statement-breakpoint
SELECT enable_tenant_wall('governance_reviews');
--> statement-breakpoint
SELECT enable_tenant_wall('governance_checks');
--> statement-breakpoint
-- The clock looks for orders whose agents are to be asked (again).
GRANT SELECT ON governance_reviews, governance_checks TO greenlight_worker;
--> statement-breakpoint
CREATE POLICY worker_role ON governance_reviews TO greenlight_worker USING (true) WITH CHECK (true);
--> statement-breakpoint
CREATE POLICY worker_role ON governance_checks TO greenlight_worker USING (true) WITH CHECK (true);
