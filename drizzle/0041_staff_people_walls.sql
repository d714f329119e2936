SELECT enable_tenant_wall('staff_links');
--> statement-breakpoint
GRANT SELECT, UPDATE (used_at) ON staff_links TO greenlight_worker;
--> statement-breakpoint
CREATE POLICY worker_role ON staff_links TO greenlight_worker USING (true) WITH CHECK (true);
--> statement-breakpoint
GRANT UPDATE (password_hash, session_version) ON users TO greenlight_worker;
--> statement-breakpoint
-- As in 0001, and whether any publisher is open to this person.
DROP FUNCTION staff_sign_in(text);
--> statement-breakpoint
CREATE FUNCTION staff_sign_in(p_email text) RETURNS TABLE (user_id uuid, email text, name text, password_hash text, session_version integer, has_access boolean)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
  SELECT u.id, u.email, u.name, u.password_hash, u.session_version,
    EXISTS (SELECT 1 FROM memberships m JOIN tenants t ON t.id = m.tenant_id WHERE m.user_id = u.id AND m.activated_at IS NOT NULL AND m.deactivated_at IS NULL AND t.archived_at IS NULL)
  FROM users u WHERE lower(u.email) = lower(p_email) AND u.archived_at IS NULL
$$;
--> statement-breakpoint
-- As in 0001, for memberships that are in force.
CREATE OR REPLACE FUNCTION staff_access(p_user_id uuid, p_session_version integer)
RETURNS TABLE (email text, name text, tenant_id uuid, slug text, tenant_name text, role text, is_demo boolean, time_zone text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
  SELECT u.email, u.name, t.id, t.slug, t.name, m.role, t.is_demo, t.time_zone
  FROM users u JOIN memberships m ON m.user_id = u.id JOIN tenants t ON t.id = m.tenant_id
  WHERE u.id = p_user_id AND u.session_version = p_session_version AND u.archived_at IS NULL AND t.archived_at IS NULL
    AND m.activated_at IS NOT NULL AND m.deactivated_at IS NULL ORDER BY t.created_at, t.id
$$;
--> statement-breakpoint
-- Whether somebody's way in opens, or has opened, another publisher too: then no administrator of this one may set their password, because
-- whoever holds the link could go in there as well.
CREATE FUNCTION staff_belongs_elsewhere(p_user_id uuid, p_tenant_id uuid) RETURNS TABLE (is_elsewhere boolean)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
  SELECT EXISTS (SELECT 1 FROM memberships m WHERE m.user_id = p_user_id AND m.tenant_id <> p_tenant_id AND m.activated_at IS NOT NULL)
$$;
--> statement-breakpoint
-- A person by e-mail address, made if there is none. Without a membership and a password they can do nothing. No row: somebody else is adding them right now.
CREATE FUNCTION add_person(p_id uuid, p_email text, p_name text) RETURNS TABLE (user_id uuid, name text, is_archived boolean)
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp AS $$
  WITH made AS (INSERT INTO users AS u (id, email, name) VALUES (p_id, p_email, p_name) ON CONFLICT (lower(email)) DO NOTHING RETURNING u.id, u.name)
  SELECT made.id, made.name, false FROM made
  UNION ALL
  SELECT u.id, u.name, u.archived_at IS NOT NULL FROM users u WHERE lower(u.email) = lower(p_email) AND NOT EXISTS (SELECT 1 FROM made)
$$;
--> statement-breakpoint
-- What a link is for, told to whoever holds it, as long as it works.
CREATE FUNCTION staff_link(p_token_hash bytea)
RETURNS TABLE (tenant_id uuid, slug text, tenant_name text, user_id uuid, email text, name text, role text, kind text, has_password boolean, is_elsewhere boolean)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
  SELECT t.id, t.slug, t.name, u.id, u.email, u.name, m.role, l.kind, u.password_hash IS NOT NULL, e.is_elsewhere
  FROM staff_links l JOIN memberships m ON m.tenant_id = l.tenant_id AND m.user_id = l.user_id JOIN users u ON u.id = l.user_id JOIN tenants t ON t.id = l.tenant_id,
    staff_belongs_elsewhere(u.id, t.id) e
  WHERE l.token_hash = p_token_hash AND l.used_at IS NULL AND l.revoked_at IS NULL AND l.expires_at > now()
    AND m.deactivated_at IS NULL AND u.archived_at IS NULL AND t.archived_at IS NULL
$$;
--> statement-breakpoint
-- Uses a link up to set a password, and signs its owner out everywhere. No row: the link does not work, or its owner has a way in that is not this publisher's to replace.
CREATE FUNCTION set_staff_password(p_token_hash bytea, p_password_hash text) RETURNS TABLE (user_id uuid, session_version integer)
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp AS $$
  WITH used AS (
    UPDATE staff_links l SET used_at = now() FROM users u, memberships m
    WHERE l.token_hash = p_token_hash AND l.used_at IS NULL AND l.revoked_at IS NULL AND l.expires_at > now()
      AND m.tenant_id = l.tenant_id AND m.user_id = l.user_id AND m.deactivated_at IS NULL AND u.id = l.user_id AND u.archived_at IS NULL
      AND (l.kind = 'reset' OR u.password_hash IS NULL)
      AND NOT EXISTS (SELECT 1 FROM staff_belongs_elsewhere(l.user_id, l.tenant_id) e WHERE e.is_elsewhere)
    RETURNING l.user_id
  )
  UPDATE users u SET password_hash = p_password_hash, session_version = u.session_version + 1 FROM used WHERE u.id = used.user_id RETURNING u.id, u.session_version
$$;
--> statement-breakpoint
-- Signs somebody out everywhere to whom nothing is open any more, so that an old session does not come back with a later membership.
CREATE FUNCTION end_sessions_without_access(p_user_id uuid) RETURNS TABLE (session_version integer)
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp AS $$
  UPDATE users u SET session_version = u.session_version + 1
  WHERE u.id = p_user_id AND NOT EXISTS (SELECT 1 FROM memberships m WHERE m.user_id = u.id AND m.activated_at IS NOT NULL AND m.deactivated_at IS NULL) RETURNING u.session_version
$$;
--> statement-breakpoint
-- Invitations that an identity provider's word on the e-mail address accepts: of people without a password, which somebody else could have set.
CREATE FUNCTION open_invitations(p_email text) RETURNS TABLE (tenant_id uuid, user_id uuid, name text, role text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
  SELECT m.tenant_id, u.id, u.name, m.role FROM users u JOIN memberships m ON m.user_id = u.id
  WHERE lower(u.email) = lower(p_email) AND u.archived_at IS NULL AND u.password_hash IS NULL AND m.activated_at IS NULL AND m.deactivated_at IS NULL
    AND EXISTS (SELECT 1 FROM staff_links l WHERE l.tenant_id = m.tenant_id AND l.user_id = m.user_id AND l.kind = 'join' AND l.used_at IS NULL AND l.revoked_at IS NULL AND l.expires_at > now())
$$;
--> statement-breakpoint
DO $$
DECLARE f regprocedure; was boolean := pg_has_role(current_user, 'greenlight_worker', 'MEMBER');
BEGIN
  IF NOT was THEN EXECUTE format('GRANT greenlight_worker TO %I', current_user); END IF;
  GRANT CREATE ON SCHEMA public TO greenlight_worker;
  FOREACH f IN ARRAY ARRAY['staff_sign_in(text)'::regprocedure, 'staff_belongs_elsewhere(uuid, uuid)'::regprocedure, 'add_person(uuid, text, text)'::regprocedure, 'staff_link(bytea)'::regprocedure,
                           'set_staff_password(bytea, text)'::regprocedure, 'end_sessions_without_access(uuid)'::regprocedure, 'open_invitations(text)'::regprocedure] LOOP
    EXECUTE format('REVOKE EXECUTE ON FUNCTION %s FROM PUBLIC', f);
    EXECUTE format('ALTER FUNCTION %s OWNER TO greenlight_worker', f);
  END LOOP;
  REVOKE CREATE ON SCHEMA public FROM greenlight_worker;
END $$;
