SELECT enable_tenant_wall('product_buyers');
--> statement-breakpoint
SELECT enable_tenant_wall('pricing_option_buyers');
--> statement-breakpoint
-- Who sees what is part of the catalogue, and so is everything that selling reads beside it: a catalogue in memory is good for its version.
CREATE TRIGGER bump_catalog_version AFTER INSERT OR UPDATE OR DELETE ON product_buyers FOR EACH ROW EXECUTE FUNCTION bump_catalog_version();
--> statement-breakpoint
CREATE TRIGGER bump_catalog_version AFTER INSERT OR UPDATE OR DELETE ON pricing_option_buyers FOR EACH ROW EXECUTE FUNCTION bump_catalog_version();
--> statement-breakpoint
CREATE TRIGGER bump_catalog_version AFTER UPDATE OF are_prices_hidden ON principals FOR EACH ROW
  WHEN (OLD.are_prices_hidden IS DISTINCT FROM NEW.are_prices_hidden) EXECUTE FUNCTION bump_catalog_version();
--> statement-breakpoint
CREATE TRIGGER bump_catalog_version_added AFTER INSERT ON adapter_configs FOR EACH ROW EXECUTE FUNCTION bump_catalog_version();
--> statement-breakpoint
CREATE TRIGGER bump_catalog_version AFTER UPDATE OF name, status, currency, archived_at ON adapter_configs FOR EACH ROW
  WHEN (OLD.name IS DISTINCT FROM NEW.name OR OLD.status IS DISTINCT FROM NEW.status OR OLD.currency IS DISTINCT FROM NEW.currency OR OLD.archived_at IS DISTINCT FROM NEW.archived_at)
  EXECUTE FUNCTION bump_catalog_version();
--> statement-breakpoint
CREATE TRIGGER bump_own_catalog_version_of_rules BEFORE UPDATE OF slug, is_review_required, decision_time_minutes ON tenants FOR EACH ROW
  WHEN (OLD.slug IS DISTINCT FROM NEW.slug OR OLD.is_review_required IS DISTINCT FROM NEW.is_review_required OR OLD.decision_time_minutes IS DISTINCT FROM NEW.decision_time_minutes)
  EXECUTE FUNCTION bump_own_catalog_version();
