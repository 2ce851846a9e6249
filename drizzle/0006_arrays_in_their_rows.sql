-- A search looks at the arrays of terms and frequencies of a thousand units, at each once for every word. Beyond 2 kB
-- PostgreSQL would keep them in another table and fetch and unpack them each time; nearly every row fits into a page whole.
-- Rows that are there already stay as they are until they are written again.
DO $$
DECLARE
  partition record;
BEGIN
  FOR partition IN SELECT inhrelid::regclass AS name FROM pg_inherits WHERE inhparent = 'search_units'::regclass
  LOOP
    EXECUTE format('ALTER TABLE %s SET (toast_tuple_target = 8160)', partition.name);
  END LOOP;
END
$$;
