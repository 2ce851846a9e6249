-- save_messages for the viewer whom the transaction names (verbatim.tenant, verbatim.principal), in the role of the tables' owner:
-- in that of tenants the policies of the four tables it writes to take 40 % of the work of a save. It is a wall of its own instead:
-- whatever the arguments say, it saves for this viewer only, and only to a session that they may write to. The arguments are
-- those of save_messages. Null where the viewer has no role in the session that may write; VB403 where the arguments name
-- another tenant.
create function save_messages_as_viewer(
  p_tenant integer, p_session jsonb, p_messages jsonb, p_totals jsonb, p_bytes bytea, p_revise boolean, p_actor text,
  p_client text, p_messages_max bigint, p_bytes_max bigint
) returns jsonb language plpgsql as $$
declare
  v_principal uuid := nullif(current_setting('verbatim.principal', true), '')::uuid;
begin
  if nullif(current_setting('verbatim.tenant', true), '')::integer is distinct from p_tenant then
    raise exception 'a save for another tenant than that of the viewer' using errcode = 'VB403';
  end if;
  -- By either of its names, as save_messages finds it.
  if v_principal is not null and exists (
    select from sessions s
    where s.tenant_id = p_tenant
      and (s.id = (p_session->>'id')::uuid or (s.source = p_session->>'source' and s.external_id = p_session->>'external_id'))
      and exists (select from session_grants g where g.tenant_id = p_tenant and g.session_id = s.id)
      and not exists (select from session_grants g where g.tenant_id = p_tenant and g.session_id = s.id
                        and g.principal_id = v_principal and g.role in ('owner', 'writer'))
  ) then
    return null;
  end if;
  return save_messages(p_tenant, p_session, p_messages, p_totals, p_bytes, p_revise, p_actor, p_client, p_messages_max, p_bytes_max);
end $$;
