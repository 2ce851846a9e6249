-- A short list makes an import into a large store slow: each time it is full, its entries go to pages all over the index.
-- Now the index worker has the entries sorted in when it has nothing else to do, and the list may grow while it has.
DO $$
DECLARE
  gin_index record;
BEGIN
  FOR gin_index IN
    SELECT c.oid::regclass AS name
    FROM pg_inherits i
      JOIN pg_index x ON x.indrelid = i.inhrelid
      JOIN pg_class c ON c.oid = x.indexrelid
      JOIN pg_am a ON a.oid = c.relam
    WHERE i.inhparent = 'search_units'::regclass AND a.amname = 'gin' AND c.relkind = 'i'
  LOOP
    EXECUTE format('ALTER INDEX %s RESET (gin_pending_list_limit)', gin_index.name);
  END LOOP;
END
$$;
