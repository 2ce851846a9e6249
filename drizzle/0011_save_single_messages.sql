-- Whether the viewer whom the transaction names (verbatim.tenant, verbatim.principal) may write to a session. VB403 where it
-- names another tenant.
create function viewer_may_write(p_tenant integer, p_session uuid) returns boolean language plpgsql stable as $$
declare
  v_principal uuid;
begin
  if nullif(current_setting('verbatim.tenant', true), '')::integer is distinct from p_tenant then
    raise exception 'a save for another tenant than that of the viewer' using errcode = 'VB403';
  end if;
  v_principal := nullif(current_setting('verbatim.principal', true), '')::uuid;
  return v_principal is null or coalesce((
    select bool_or(g.principal_id = v_principal and g.role in ('owner', 'writer')) from session_grants g
    where g.tenant_id = p_tenant and g.session_id = p_session), true);
end $$;
--> statement-breakpoint
-- Saves one new message to a session that is there: what save_messages does for it, without the JSON that several messages
-- need, and without the policies of the tables, which took 40 % of a save: 0.65 million instructions against 1.56. Of the viewer,
-- where there is one (p_has_viewer), it makes sure itself. Nothing is saved, and all of the answer is null, where there is no
-- such session, where the viewer may not write to it, where its limits are reached or its key is another: save_messages says
-- what it is. A unique_violation where the message is known.
create function save_message(
  p_tenant integer, p_session uuid, p_has_viewer boolean, p_id uuid, p_external_id text, p_parent text, p_timestamp timestamptz,
  p_role text, p_sender text, p_model text, p_trust text, p_input integer, p_output integer, p_cache_read integer,
  p_cache_write integer, p_tools text[], p_tool_call_id text, p_media_type text, p_sha256 bytea, p_payload bytea,
  p_location text, p_bytes bigint, p_text bytea, p_metadata bytea, p_key_version integer, p_actor text, p_client text,
  p_messages_max bigint, p_bytes_max bigint,
  out seq bigint, out saved_at timestamptz, out session_version bigint, out session_external_id text
) language plpgsql as $$
declare
  v_now timestamptz(3) := clock_timestamp();
  v_active timestamptz(3) := least(coalesce(p_timestamp, v_now), v_now);
  v_parent uuid;
  v_switch text;
  v record;
begin
  if p_has_viewer and not viewer_may_write(p_tenant, p_session) then
    return;
  end if;
  -- What it switches depends on what was last.
  if p_model is not null or p_parent is not null then
    select last_model, last_message_id into v from sessions where tenant_id = p_tenant and id = p_session for update;
    if p_parent is not null then
      v_parent := parent_message(p_tenant, p_session, p_parent);
    end if;
    v_switch := case when p_role <> 'tool' and v_parent <> v.last_message_id then 'branch'
                     when v.last_model <> p_model then 'model' end;
  end if;
  update sessions s set last_seq = s.last_seq + 1, message_count = message_count + 1, payload_bytes = s.payload_bytes + p_bytes,
      input_tokens = input_tokens + coalesce(p_input, 0), output_tokens = output_tokens + coalesce(p_output, 0),
      cache_read_tokens = cache_read_tokens + coalesce(p_cache_read, 0),
      cache_write_tokens = cache_write_tokens + coalesce(p_cache_write, 0),
      tool_invocations = tool_invocations + case when p_role <> 'tool' then coalesce(cardinality(p_tools), 0) else 0 end,
      context_switches = context_switches + case when v_switch is null then 0 else 1 end,
      created_at = least(created_at, p_timestamp), last_active_at = greatest(last_active_at, v_active),
      active_hour = date_trunc('hour', greatest(last_active_at, v_active)), closed_at = null,
      participants = case when p_sender = any (participants) then participants else with_names(participants, array[p_sender]) end,
      models_used = case when p_model is null or p_model = any (models_used) then models_used else with_names(models_used, array[p_model]) end,
      last_model = coalesce(p_model, last_model), last_message_id = p_id, version = s.version + 1
    where s.tenant_id = p_tenant and s.id = p_session and s.key_version = p_key_version
      and s.last_seq < p_messages_max and s.payload_bytes + p_bytes <= p_bytes_max
    returning s.last_seq, s.version, s.external_id into seq, session_version, session_external_id;
  if not found then
    return;
  end if;
  saved_at := v_now;
  with queued as (
    insert into outbox (tenant_id, topic, session_id, first_seq, last_seq) values (p_tenant, 'index', p_session, save_message.seq, save_message.seq)
  ), audited as (
    insert into audit_log (tenant_id, actor, actor_kind, client, action, object_kind, object_id, outcome, count, bytes)
    values (p_tenant, p_actor, 'principal', p_client, 'message.save', 'session', p_session::text, 'ok', 1, p_bytes)
  )
  insert into messages (tenant_id, session_id, seq, id, external_id, parent_id, parent_external_id, timestamp, saved_at, role, sender,
      model, kind, trust, input_tokens, output_tokens, cache_read_tokens, cache_write_tokens, tools_used, tool_call_id,
      context_switch, payload, payload_location, payload_bytes, payload_sha256, payload_media_type, text, metadata, key_version)
    values (p_tenant, p_session, save_message.seq, p_id, p_external_id, v_parent, case when v_parent is null then p_parent end,
      coalesce(p_timestamp, v_now), v_now, p_role, p_sender, p_model, 'message', p_trust, p_input, p_output, p_cache_read,
      p_cache_write, p_tools, p_tool_call_id, v_switch, p_payload, p_location, p_bytes, p_sha256, p_media_type, p_text, p_metadata,
      p_key_version);
end $$;
