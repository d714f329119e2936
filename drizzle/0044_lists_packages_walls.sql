SELECT enable_tenant_wall('package_lists');
--> statement-breakpoint
-- The clock looks for lists that are due, of all publishers: no list's content, no token, nothing of a package but that it keeps to a list.
GRANT SELECT (tenant_id, id, state, valid_until, updated_at) ON inventory_lists TO greenlight_worker;
--> statement-breakpoint
CREATE POLICY worker_role ON inventory_lists FOR SELECT TO greenlight_worker USING (true);
--> statement-breakpoint
GRANT SELECT (tenant_id, media_buy_id, list_id) ON package_lists TO greenlight_worker;
--> statement-breakpoint
CREATE POLICY worker_role ON package_lists FOR SELECT TO greenlight_worker USING (true);
