SELECT enable_tenant_wall('buyer_calls');
--> statement-breakpoint
-- Whose record a refused token belongs in: the publisher that issued it, else the one whose host was called, else the only one there is.
CREATE FUNCTION refused_token(p_token_hash bytea, p_host text) RETURNS TABLE (tenant_id uuid, principal_id uuid, token_id uuid, refusal text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
  WITH known AS (
    SELECT k.tenant_id, k.principal_id, k.id,
      CASE WHEN p.archived_at IS NOT NULL THEN 'archived' WHEN k.revoked_at IS NOT NULL THEN 'revoked' WHEN k.expires_at <= now() THEN 'expired' ELSE 'elsewhere' END AS refusal
    FROM principal_tokens k JOIN principals p ON p.tenant_id = k.tenant_id AND p.id = k.principal_id WHERE k.token_hash = p_token_hash
  ), place AS (
    SELECT COALESCE(
      (SELECT h.tenant_id FROM tenant_hosts h WHERE h.host = p_host),
      (SELECT min(t.id::text)::uuid FROM tenants t WHERE t.archived_at IS NULL HAVING count(*) = 1)
    ) AS tenant_id
  )
  SELECT COALESCE(k.tenant_id, place.tenant_id), k.principal_id, k.id, COALESCE(k.refusal, 'unknown')
  FROM place LEFT JOIN known k ON true WHERE COALESCE(k.tenant_id, place.tenant_id) IS NOT NULL
$$;
--> statement-breakpoint
DO $$
DECLARE was boolean;
BEGIN
  -- As in 0001: to hand a function over, the migrating role must be able to become its new owner, and the owner to create in the schema.
  was := pg_has_role(current_user, 'greenlight_worker', 'MEMBER');
  IF NOT was THEN EXECUTE format('GRANT greenlight_worker TO %I', current_user); END IF;
  GRANT CREATE ON SCHEMA public TO greenlight_worker;
  REVOKE EXECUTE ON FUNCTION refused_token(bytea, text) FROM PUBLIC;
  ALTER FUNCTION refused_token(bytea, text) OWNER TO greenlight_worker;
  REVOKE CREATE ON SCHEMA public FROM greenlight_worker;
END $$;
