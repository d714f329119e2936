-- get_products shows the publisher's name and time zone too.
CREATE FUNCTION bump_own_catalog_version() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  NEW.catalog_version := OLD.catalog_version + 1;
  RETURN NEW;
END $$;
--> statement-breakpoint
CREATE TRIGGER bump_own_catalog_version BEFORE UPDATE OF name, time_zone ON tenants FOR EACH ROW
  WHEN (OLD.name IS DISTINCT FROM NEW.name OR OLD.time_zone IS DISTINCT FROM NEW.time_zone) EXECUTE FUNCTION bump_own_catalog_version();
