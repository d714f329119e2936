SELECT enable_tenant_wall('creative_previews');
--> statement-breakpoint
GRANT SELECT, DELETE ON creative_previews TO greenlight_worker;
--> statement-breakpoint
CREATE POLICY worker_role ON creative_previews TO greenlight_worker USING (true) WITH CHECK (true);
--> statement-breakpoint
-- Whoever knows the address sees the page, until it ends.
CREATE FUNCTION creative_preview(p_token_hash bytea) RETURNS TABLE (html text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
  SELECT c.html FROM creative_previews c WHERE c.token_hash = p_token_hash AND c.expires_at > now()
$$;
--> statement-breakpoint
DO $$
DECLARE was boolean := pg_has_role(current_user, 'greenlight_worker', 'MEMBER');
BEGIN
  IF NOT was THEN EXECUTE format('GRANT greenlight_worker TO %I', current_user); END IF;
  GRANT CREATE ON SCHEMA public TO greenlight_worker;
  REVOKE EXECUTE ON FUNCTION creative_preview(bytea) FROM PUBLIC;
  ALTER FUNCTION creative_preview(bytea) OWNER TO greenlight_worker;
  REVOKE CREATE ON SCHEMA public FROM greenlight_worker;
END $$;
