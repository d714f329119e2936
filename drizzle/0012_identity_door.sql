SELECT enable_tenant_wall('rate_buckets');
--> statement-breakpoint
-- Lost in a crash at worst: then every allowance is full. In return, taking a block waits for no disk.
ALTER TABLE rate_buckets SET UNLOGGED;
--> statement-breakpoint
-- No tenant: a signature names its key before one is known. Closed to the app's role but for the functions below.
ALTER TABLE signature_nonces ENABLE ROW LEVEL SECURITY;
--> statement-breakpoint
ALTER TABLE signature_nonces FORCE ROW LEVEL SECURITY;
--> statement-breakpoint
GRANT SELECT, INSERT, UPDATE, DELETE ON signature_nonces, rate_buckets TO greenlight_worker;
--> statement-breakpoint
GRANT UPDATE (last_used_at) ON buyer_signing_keys TO greenlight_worker;
--> statement-breakpoint
CREATE POLICY worker_role ON signature_nonces TO greenlight_worker USING (true) WITH CHECK (true);
--> statement-breakpoint
CREATE POLICY worker_role ON rate_buckets TO greenlight_worker USING (true) WITH CHECK (true);
--> statement-breakpoint
DO $$ BEGIN
  -- It belongs to the worker role since 0001, and its result gets more columns.
  PERFORM set_config('role', 'greenlight_worker', true);
  DROP FUNCTION buyer_session(bytea, text);
  PERFORM set_config('role', 'none', true);
END $$;
--> statement-breakpoint
CREATE FUNCTION buyer_session(p_token_hash bytea, p_host text)
RETURNS TABLE (token_id uuid, tenant_id uuid, principal_id uuid, principal_name text, is_sandbox boolean, scopes text[], host_tenant_id uuid, catalog_version bigint,
               is_signing_required boolean, has_signing_key boolean, rate_limits jsonb)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
  SELECT k.id, k.tenant_id, p.id, p.name, p.is_sandbox, k.scopes, (SELECT h.tenant_id FROM tenant_hosts h WHERE h.host = p_host), t.catalog_version,
         p.is_signing_required, EXISTS (SELECT 1 FROM buyer_signing_keys s WHERE s.tenant_id = p.tenant_id AND s.principal_id = p.id AND s.revoked_at IS NULL), p.rate_limits
  FROM principal_tokens k JOIN principals p ON p.tenant_id = k.tenant_id AND p.id = k.principal_id JOIN tenants t ON t.id = k.tenant_id
  WHERE k.token_hash = p_token_hash AND k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > now())
    AND p.archived_at IS NULL AND t.archived_at IS NULL
$$;
--> statement-breakpoint
-- The keys of that name (several publishers may know the same one), with what can be refused before any signature is computed:
-- revoked, nonce seen, or more signatures accepted within the last minute than the cap.
CREATE FUNCTION buyer_signing_key(p_kid text, p_host text, p_nonce_hash bytea, p_sandbox_cap integer, p_cap integer)
RETURNS TABLE (key_id uuid, tenant_id uuid, principal_id uuid, principal_name text, is_sandbox boolean, public_jwk jsonb, is_revoked boolean, is_replayed boolean, is_capped boolean,
               host_tenant_id uuid, catalog_version bigint, is_signing_required boolean, rate_limits jsonb)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
  SELECT k.id, k.tenant_id, p.id, p.name, p.is_sandbox, k.public_jwk, k.revoked_at IS NOT NULL,
         EXISTS (SELECT 1 FROM signature_nonces n WHERE n.key_id = k.id AND n.nonce_hash = p_nonce_hash AND n.expires_at > now()),
         (SELECT count(*) FROM (SELECT 1 FROM signature_nonces n WHERE n.key_id = k.id AND n.created_at > now() - interval '60 seconds'
                                LIMIT CASE WHEN p.is_sandbox THEN p_sandbox_cap ELSE p_cap END) AS recent) >= CASE WHEN p.is_sandbox THEN p_sandbox_cap ELSE p_cap END,
         h.tenant_id, t.catalog_version, p.is_signing_required, p.rate_limits
  FROM buyer_signing_keys k JOIN principals p ON p.tenant_id = k.tenant_id AND p.id = k.principal_id JOIN tenants t ON t.id = k.tenant_id
  LEFT JOIN tenant_hosts h ON h.host = p_host
  WHERE k.kid = p_kid AND p.archived_at IS NULL AND t.archived_at IS NULL ORDER BY k.created_at, k.id LIMIT 20
$$;
--> statement-breakpoint
-- Notes an accepted signature's nonce. No row: somebody else has used it meanwhile.
CREATE FUNCTION take_signature_nonce(p_key_id uuid, p_nonce_hash bytea, p_ttl_seconds integer) RETURNS TABLE (taken boolean)
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp AS $$
  INSERT INTO signature_nonces AS n (key_id, nonce_hash, created_at, expires_at)
  VALUES (p_key_id, p_nonce_hash, now(), now() + make_interval(secs => p_ttl_seconds))
  ON CONFLICT (key_id, nonce_hash) DO UPDATE SET created_at = excluded.created_at, expires_at = excluded.expires_at WHERE n.expires_at <= now()
  RETURNING true
$$;
--> statement-breakpoint
-- Takes up to p_wanted calls of a token's allowance for one tool; p_refused: calls refused without asking since the last time.
-- None granted: `wait_seconds` until one is left.
CREATE FUNCTION take_rate(p_tenant_id uuid, p_principal_id uuid, p_subject_id uuid, p_tool text, p_per_second double precision, p_burst integer, p_wanted integer, p_refused integer)
RETURNS TABLE (granted integer, wait_seconds double precision)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE b rate_buckets; at timestamptz; filled double precision;
BEGIN
  INSERT INTO rate_buckets (tenant_id, principal_id, subject_id, tool, per_second, burst, available, refilled_at, counted_since, taken, refused)
  VALUES (p_tenant_id, p_principal_id, p_subject_id, p_tool, p_per_second, p_burst, p_burst, clock_timestamp(), clock_timestamp(), 0, 0) ON CONFLICT DO NOTHING;
  SELECT * INTO b FROM rate_buckets r WHERE r.tenant_id = p_tenant_id AND r.subject_id = p_subject_id AND r.tool = p_tool FOR UPDATE;
  at := clock_timestamp();
  filled := least(p_burst, b.available + greatest(0, extract(epoch FROM at - b.refilled_at)) * p_per_second);
  granted := least(p_wanted, floor(filled)::integer);
  wait_seconds := CASE WHEN granted > 0 THEN 0 ELSE (1 - filled) / p_per_second END;
  UPDATE rate_buckets r SET per_second = p_per_second, burst = p_burst, available = filled - granted, refilled_at = at,
    counted_since = CASE WHEN at - b.counted_since > interval '60 seconds' THEN at ELSE b.counted_since END,
    taken = CASE WHEN at - b.counted_since > interval '60 seconds' THEN 0 ELSE b.taken END + granted,
    refused = CASE WHEN at - b.counted_since > interval '60 seconds' THEN 0 ELSE b.refused END + p_refused + CASE WHEN granted > 0 THEN 0 ELSE 1 END
  WHERE r.tenant_id = p_tenant_id AND r.subject_id = p_subject_id AND r.tool = p_tool;
  RETURN NEXT;
END $$;
--> statement-breakpoint
DO $$
DECLARE f regprocedure; was boolean;
BEGIN
  -- As in 0001: to hand a function over, the migrating role must be able to become its new owner, and the owner to create in the schema.
  was := pg_has_role(current_user, 'greenlight_worker', 'MEMBER');
  IF NOT was THEN EXECUTE format('GRANT greenlight_worker TO %I', current_user); END IF;
  GRANT CREATE ON SCHEMA public TO greenlight_worker;
  FOREACH f IN ARRAY ARRAY['buyer_session(bytea, text)'::regprocedure, 'buyer_signing_key(text, text, bytea, integer, integer)'::regprocedure, 'take_signature_nonce(uuid, bytea, integer)'::regprocedure,
                           'take_rate(uuid, uuid, uuid, text, double precision, integer, integer, integer)'::regprocedure] LOOP
    EXECUTE format('REVOKE EXECUTE ON FUNCTION %s FROM PUBLIC', f);
    EXECUTE format('ALTER FUNCTION %s OWNER TO greenlight_worker', f);
  END LOOP;
  REVOKE CREATE ON SCHEMA public FROM greenlight_worker;
END $$;
