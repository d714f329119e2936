SELECT enable_tenant_wall('product_availability');
--> statement-breakpoint
-- get_products shows it. Once per statement: a sync writes many rows.
CREATE FUNCTION bump_catalog_versions_of_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  UPDATE tenants SET catalog_version = catalog_version + 1 WHERE id IN (SELECT DISTINCT tenant_id FROM changed);
  RETURN NULL;
END $$;
--> statement-breakpoint
CREATE TRIGGER bump_catalog_version_added AFTER INSERT ON product_availability REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION bump_catalog_versions_of_changed();
--> statement-breakpoint
CREATE TRIGGER bump_catalog_version_changed AFTER UPDATE ON product_availability REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION bump_catalog_versions_of_changed();
--> statement-breakpoint
-- The clock looks which connections carry products, and since when.
GRANT SELECT (tenant_id, adapter_config_id, updated_at) ON product_targets TO greenlight_worker;
--> statement-breakpoint
CREATE POLICY worker_role ON product_targets FOR SELECT TO greenlight_worker USING (true);
