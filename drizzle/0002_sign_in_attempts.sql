CREATE TABLE "sign_in_attempts" (
	"key_hash" "bytea" PRIMARY KEY NOT NULL,
	"attempts" integer NOT NULL,
	"window_ends_at" timestamp (3) with time zone NOT NULL
);
--> statement-breakpoint
CREATE INDEX "sign_in_attempts_ended" ON "sign_in_attempts" USING btree ("window_ends_at");
--> statement-breakpoint
-- No tenant: sign-in comes before one is known. Closed to the app's role but for the two functions below.
ALTER TABLE sign_in_attempts ENABLE ROW LEVEL SECURITY;
--> statement-breakpoint
ALTER TABLE sign_in_attempts FORCE ROW LEVEL SECURITY;
--> statement-breakpoint
GRANT SELECT, INSERT, UPDATE, DELETE ON sign_in_attempts TO greenlight_worker;
--> statement-breakpoint
CREATE POLICY worker_role ON sign_in_attempts TO greenlight_worker USING (true) WITH CHECK (true);
--> statement-breakpoint
-- Counts one attempt under each key, before the password is looked at, and answers until when to wait if one of them is over its limit.
-- p_keys: [{"key": hex, "limit": n}]. Keys are taken in order, so that two attempts never deadlock.
CREATE FUNCTION take_sign_in_attempt(p_keys jsonb, p_window_seconds integer) RETURNS TABLE (retry_at timestamptz)
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp AS $$
  DELETE FROM sign_in_attempts WHERE key_hash IN (SELECT a.key_hash FROM sign_in_attempts a WHERE a.window_ends_at < now() ORDER BY a.window_ends_at LIMIT 100 FOR UPDATE SKIP LOCKED);
  WITH wanted AS (
    SELECT decode(k.key, 'hex') AS key_hash, k."limit" AS allowed FROM jsonb_to_recordset(p_keys) AS k(key text, "limit" integer)
  ), taken AS (
    INSERT INTO sign_in_attempts AS a (key_hash, attempts, window_ends_at)
    SELECT w.key_hash, 1, now() + make_interval(secs => p_window_seconds) FROM wanted w ORDER BY w.key_hash
    ON CONFLICT (key_hash) DO UPDATE SET
      attempts = CASE WHEN a.window_ends_at <= now() THEN 1 ELSE least(a.attempts + 1, 1000000) END,
      window_ends_at = CASE WHEN a.window_ends_at <= now() THEN excluded.window_ends_at ELSE a.window_ends_at END
    RETURNING a.key_hash, a.attempts, a.window_ends_at
  )
  SELECT max(t.window_ends_at) FROM taken t JOIN wanted w ON w.key_hash = t.key_hash WHERE t.attempts > w.allowed
$$;
--> statement-breakpoint
CREATE FUNCTION forget_sign_in_attempts(p_keys jsonb) RETURNS TABLE (forgotten integer)
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp AS $$
  WITH gone AS (DELETE FROM sign_in_attempts WHERE key_hash IN (SELECT decode(k.key, 'hex') FROM jsonb_to_recordset(p_keys) AS k(key text)) RETURNING 1)
  SELECT count(*)::integer FROM gone
$$;
--> statement-breakpoint
DO $$
DECLARE f regprocedure; was boolean;
BEGIN
  -- As in 0001: to hand a function over, the migrating role must be able to become its new owner, and the owner to create in the schema.
  was := pg_has_role(current_user, 'greenlight_worker', 'MEMBER');
  IF NOT was THEN EXECUTE format('GRANT greenlight_worker TO %I', current_user); END IF;
  GRANT CREATE ON SCHEMA public TO greenlight_worker;
  FOREACH f IN ARRAY ARRAY['take_sign_in_attempt(jsonb, integer)'::regprocedure, 'forget_sign_in_attempts(jsonb)'::regprocedure] LOOP
    EXECUTE format('REVOKE EXECUTE ON FUNCTION %s FROM PUBLIC', f);
    EXECUTE format('ALTER FUNCTION %s OWNER TO greenlight_worker', f);
  END LOOP;
  REVOKE CREATE ON SCHEMA public FROM greenlight_worker;
END $$;
