-- Holds a person for the rest of the transaction, whichever publisher it is about: who joins one and who sets a password with another's link wait for each other.
CREATE FUNCTION lock_person(p_user_id uuid) RETURNS TABLE (user_id uuid)
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp AS $$
  SELECT u.id FROM users u WHERE u.id = p_user_id FOR UPDATE
$$;
--> statement-breakpoint
DO $$
DECLARE was boolean := pg_has_role(current_user, 'greenlight_worker', 'MEMBER');
BEGIN
  IF NOT was THEN EXECUTE format('GRANT greenlight_worker TO %I', current_user); END IF;
  GRANT CREATE ON SCHEMA public TO greenlight_worker;
  REVOKE EXECUTE ON FUNCTION lock_person(uuid) FROM PUBLIC;
  ALTER FUNCTION lock_person(uuid) OWNER TO greenlight_worker;
  REVOKE CREATE ON SCHEMA public FROM greenlight_worker;
END $$;
