-- Two walls between tenants: every query names its tenant, and these policies hold when one forgets.
-- Roles: the app's login role (granted by scripts/migrate after each migration, never an owner) and
-- greenlight_worker, which owns no table, cannot log in, and is entered with SET LOCAL ROLE for the few look-ups that cross tenants.
DO $$ BEGIN CREATE ROLE greenlight_worker NOLOGIN NOINHERIT; EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$;
--> statement-breakpoint
CREATE UNIQUE INDEX idempotency_keys_scope ON idempotency_keys (tenant_id, principal_id, account_id, key) NULLS NOT DISTINCT;
--> statement-breakpoint
CREATE FUNCTION current_tenant() RETURNS uuid LANGUAGE sql STABLE PARALLEL SAFE AS
$$ SELECT NULLIF(current_setting('app.tenant_id', true), '')::uuid $$;
--> statement-breakpoint
-- Called by every later migration that adds a table with tenant_id; a test fails on a table without its policy.
CREATE FUNCTION enable_tenant_wall(p_table regclass, p_column text DEFAULT 'tenant_id') RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', p_table);
  EXECUTE format('ALTER TABLE %s FORCE ROW LEVEL SECURITY', p_table);
  EXECUTE format('CREATE POLICY tenant_wall ON %s USING (%I = (SELECT current_tenant())) WITH CHECK (%I = (SELECT current_tenant()))', p_table, p_column, p_column);
END $$;
--> statement-breakpoint
DO $$
DECLARE t record;
BEGIN
  FOR t IN SELECT c.oid::regclass AS name FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'tenant_id' AND NOT a.attisdropped
           WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace LOOP
    PERFORM enable_tenant_wall(t.name);
  END LOOP;
  PERFORM enable_tenant_wall('tenants', 'id');
END $$;
--> statement-breakpoint
-- Tables without a tenant: closed, but for what follows.
ALTER TABLE users ENABLE ROW LEVEL SECURITY;
--> statement-breakpoint
ALTER TABLE users FORCE ROW LEVEL SECURITY;
--> statement-breakpoint
CREATE POLICY colleagues ON users FOR SELECT USING (EXISTS (SELECT 1 FROM memberships m WHERE m.user_id = users.id AND m.tenant_id = (SELECT current_tenant())));
--> statement-breakpoint
ALTER TABLE signing_keys ENABLE ROW LEVEL SECURITY;
--> statement-breakpoint
ALTER TABLE signing_keys FORCE ROW LEVEL SECURITY;
--> statement-breakpoint
ALTER TABLE workers ENABLE ROW LEVEL SECURITY;
--> statement-breakpoint
ALTER TABLE workers FORCE ROW LEVEL SECURITY;
--> statement-breakpoint
-- The complete list of what the worker role sees across tenants.
GRANT USAGE ON SCHEMA public TO greenlight_worker;
--> statement-breakpoint
GRANT SELECT, UPDATE, DELETE ON outbox TO greenlight_worker;
--> statement-breakpoint
GRANT SELECT, INSERT, UPDATE, DELETE ON workers TO greenlight_worker;
--> statement-breakpoint
GRANT SELECT, INSERT, UPDATE ON signing_keys TO greenlight_worker;
--> statement-breakpoint
GRANT SELECT ON tenants, tenant_hosts, users, memberships, principals, principal_tokens, media_buys, fulfilments, sync_jobs, webhook_deliveries, adapter_configs TO greenlight_worker;
--> statement-breakpoint
GRANT INSERT ON users TO greenlight_worker;
--> statement-breakpoint
GRANT UPDATE (last_used_at) ON principal_tokens TO greenlight_worker;
--> statement-breakpoint
GRANT SELECT, UPDATE (response) ON idempotency_keys TO greenlight_worker;
--> statement-breakpoint
DO $$
DECLARE t text;
BEGIN
  FOREACH t IN ARRAY ARRAY['outbox','workers','signing_keys','tenants','tenant_hosts','users','memberships','principals','principal_tokens',
                           'media_buys','fulfilments','sync_jobs','webhook_deliveries','adapter_configs','idempotency_keys'] LOOP
    EXECUTE format('CREATE POLICY worker_role ON %I TO greenlight_worker USING (true) WITH CHECK (true)', t);
  END LOOP;
END $$;
--> statement-breakpoint
-- Look-ups that come before a tenant is known. Owned by the worker role, so that they pass the walls; each returns only what its caller proved.
CREATE FUNCTION buyer_session(p_token_hash bytea, p_host text)
RETURNS TABLE (token_id uuid, tenant_id uuid, principal_id uuid, principal_name text, is_sandbox boolean, scopes text[], host_tenant_id uuid, catalog_version bigint)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
  SELECT k.id, k.tenant_id, p.id, p.name, p.is_sandbox, k.scopes, (SELECT h.tenant_id FROM tenant_hosts h WHERE h.host = p_host), t.catalog_version
  FROM principal_tokens k JOIN principals p ON p.tenant_id = k.tenant_id AND p.id = k.principal_id JOIN tenants t ON t.id = k.tenant_id
  WHERE k.token_hash = p_token_hash AND k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > now())
    AND p.archived_at IS NULL AND t.archived_at IS NULL
$$;
--> statement-breakpoint
-- Whose public reads a host answers: its own publisher's when it is mapped, else the oldest one's.
CREATE FUNCTION public_tenant(p_host text) RETURNS TABLE (tenant_id uuid, catalog_version bigint, is_mapped boolean)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
  SELECT t.id, t.catalog_version, h.host IS NOT NULL
  FROM (SELECT 1) AS one LEFT JOIN tenant_hosts h ON h.host = p_host
  JOIN tenants t ON t.archived_at IS NULL AND t.id = COALESCE(h.tenant_id, (SELECT f.id FROM tenants f WHERE f.archived_at IS NULL ORDER BY f.created_at, f.id LIMIT 1))
$$;
--> statement-breakpoint
CREATE FUNCTION staff_sign_in(p_email text) RETURNS TABLE (user_id uuid, email text, name text, password_hash text, session_version integer)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
  SELECT u.id, u.email, u.name, u.password_hash, u.session_version FROM users u WHERE lower(u.email) = lower(p_email) AND u.archived_at IS NULL
$$;
--> statement-breakpoint
CREATE FUNCTION tenant_by_slug(p_slug text) RETURNS TABLE (tenant_id uuid)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
  SELECT t.id FROM tenants t WHERE t.slug = p_slug AND t.archived_at IS NULL
$$;
--> statement-breakpoint
-- Memberships of a signed-in person; a raised session version answers nothing.
CREATE FUNCTION staff_access(p_user_id uuid, p_session_version integer)
RETURNS TABLE (email text, name text, tenant_id uuid, slug text, tenant_name text, role text, is_demo boolean, time_zone text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
  SELECT u.email, u.name, t.id, t.slug, t.name, m.role, t.is_demo, t.time_zone
  FROM users u JOIN memberships m ON m.user_id = u.id JOIN tenants t ON t.id = m.tenant_id
  WHERE u.id = p_user_id AND u.session_version = p_session_version AND u.archived_at IS NULL AND t.archived_at IS NULL ORDER BY t.created_at, t.id
$$;
--> statement-breakpoint
CREATE FUNCTION published_signing_keys() RETURNS TABLE (public_jwk jsonb)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
  SELECT k.public_jwk FROM signing_keys k WHERE k.retired_at IS NULL OR k.retired_at > now() - interval '30 days' ORDER BY k.created_at DESC
$$;
--> statement-breakpoint
CREATE FUNCTION service_health() RETURNS TABLE (worker_heartbeat_at timestamptz, outbox_oldest_at timestamptz, has_demo boolean, has_real boolean)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
  SELECT (SELECT max(w.heartbeat_at) FROM workers w), (SELECT min(o.created_at) FROM outbox o WHERE o.sent_at IS NULL),
         EXISTS (SELECT 1 FROM tenants t WHERE t.is_demo), EXISTS (SELECT 1 FROM tenants t WHERE NOT t.is_demo)
$$;
--> statement-breakpoint
DO $$
DECLARE f regprocedure; was boolean;
BEGIN
  -- To hand a function over, the migrating role must be able to become its new owner, and the owner to create in the schema.
  was := pg_has_role(current_user, 'greenlight_worker', 'MEMBER');
  IF NOT was THEN EXECUTE format('GRANT greenlight_worker TO %I', current_user); END IF;
  GRANT CREATE ON SCHEMA public TO greenlight_worker;
  FOR f IN SELECT p.oid::regprocedure FROM pg_proc p WHERE p.pronamespace = 'public'::regnamespace AND p.prosecdef LOOP
    EXECUTE format('REVOKE EXECUTE ON FUNCTION %s FROM PUBLIC', f);
    EXECUTE format('ALTER FUNCTION %s OWNER TO greenlight_worker', f);
  END LOOP;
  REVOKE CREATE ON SCHEMA public FROM greenlight_worker;
END $$;
--> statement-breakpoint
-- get_products is served from memory as long as this number stands; it moves with everything that the answer shows.
CREATE FUNCTION bump_catalog_version() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  UPDATE tenants SET catalog_version = catalog_version + 1 WHERE id = COALESCE(NEW.tenant_id, OLD.tenant_id);
  RETURN NULL;
END $$;
--> statement-breakpoint
DO $$
DECLARE t text;
BEGIN
  FOREACH t IN ARRAY ARRAY['products','pricing_options','product_targets','publisher_partners','currency_limits'] LOOP
    EXECUTE format('CREATE TRIGGER bump_catalog_version AFTER INSERT OR UPDATE OR DELETE ON %I FOR EACH ROW EXECUTE FUNCTION bump_catalog_version()', t);
  END LOOP;
END $$;
--> statement-breakpoint
-- A connection's kind of world never changes.
CREATE FUNCTION refuse_mode_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION 'adapter_configs.mode and kind cannot change'; END $$;
--> statement-breakpoint
CREATE TRIGGER refuse_mode_change BEFORE UPDATE OF mode, kind ON adapter_configs FOR EACH ROW
  WHEN (OLD.mode IS DISTINCT FROM NEW.mode OR OLD.kind IS DISTINCT FROM NEW.kind) EXECUTE FUNCTION refuse_mode_change();
