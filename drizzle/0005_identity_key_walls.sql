SELECT enable_tenant_wall('buyer_signing_keys');
--> statement-breakpoint
-- A signed request without a token names its key before a tenant is known: see buyer_session in 0001.
GRANT SELECT ON buyer_signing_keys TO greenlight_worker;
--> statement-breakpoint
CREATE POLICY worker_role ON buyer_signing_keys TO greenlight_worker USING (true) WITH CHECK (true);
