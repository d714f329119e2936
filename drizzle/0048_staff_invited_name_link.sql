-- As in 0041; an invitation calls somebody what its publisher calls them.
CREATE OR REPLACE FUNCTION staff_link(p_token_hash bytea)
RETURNS TABLE (tenant_id uuid, slug text, tenant_name text, user_id uuid, email text, name text, role text, kind text, has_password boolean, is_elsewhere boolean)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
  SELECT t.id, t.slug, t.name, u.id, u.email, CASE WHEN l.kind = 'join' THEN coalesce(m.invited_name, u.email) ELSE u.name END, m.role, l.kind, u.password_hash IS NOT NULL, e.is_elsewhere
  FROM staff_links l JOIN memberships m ON m.tenant_id = l.tenant_id AND m.user_id = l.user_id JOIN users u ON u.id = l.user_id JOIN tenants t ON t.id = l.tenant_id,
    staff_belongs_elsewhere(u.id, t.id) e
  WHERE l.token_hash = p_token_hash AND l.used_at IS NULL AND l.revoked_at IS NULL AND l.expires_at > now()
    AND m.deactivated_at IS NULL AND u.archived_at IS NULL AND t.archived_at IS NULL
$$;
