-- A process of a version that knows no reasons may erase a session, while a server is brought up to date, and would leave those
-- that were given for it. It runs with the rights of who deletes: who may not change reasons deletes no session.
create function erase_reasons_of_session() returns trigger language plpgsql as $$
begin
  update reasons set body = null, session_id = null, about = null, key_version = 0
  where tenant_id = old.tenant_id and (session_id = old.id or (session_id is null and about = old.id::text));
  return null;
end $$;
--> statement-breakpoint
create trigger erase_reasons after delete on sessions for each row execute function erase_reasons_of_session();
