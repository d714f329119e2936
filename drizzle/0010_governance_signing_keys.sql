-- A key that retired long ago, or that somebody else may have, is forgotten.
GRANT DELETE ON signing_keys TO greenlight_worker;
