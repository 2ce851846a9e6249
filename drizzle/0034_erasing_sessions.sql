ALTER TABLE "sessions" ADD COLUMN "erasing_at" timestamp (3) with time zone;--> statement-breakpoint
-- As before, but nothing is saved to a session that is being erased: it would go with it.
create or replace function save_new_messages(
  p_tenant integer, p_session uuid, p_key_version integer, p_messages jsonb, p_totals jsonb, p_bytes bytea, p_actor text, p_client text,
  p_messages_max bigint, p_bytes_max bigint
) returns jsonb language plpgsql as $$
declare
  v_now timestamptz(3) := clock_timestamp();
  v_count bigint := (p_totals->>'count')::bigint;
  v_bytes bigint := (p_totals->>'bytes')::bigint;
  v_until timestamptz(3) := least(coalesce((p_totals->>'until')::timestamptz, v_now), v_now);
  v_senders text[] := (p_totals->>'senders')::text[];
  v_models text[] := (p_totals->>'models')::text[];
  v_last_model text;
  v_last_message uuid;
  v_first_switch text;
  v_switches bigint := (p_totals->>'switches')::bigint;
  v record;
begin
  -- Whether the first message switches the model or begins a branch depends on what was last.
  if p_totals ?| array['first_model', 'first_parent'] then
    select last_model, last_message_id into v_last_model, v_last_message from sessions
      where tenant_id = p_tenant and id = p_session for update;
    if p_totals ? 'first_parent' and parent_message(p_tenant, p_session, p_totals->>'first_parent') <> v_last_message then
      v_first_switch := 'branch';
      v_switches := v_switches + 1;
    end if;
    if (p_totals->>'first_switch')::boolean and v_last_model <> p_totals->>'first_model'
       and not (v_first_switch is not null and (p_totals->>'first_model_place')::int = 1) then
      v_switches := v_switches + 1;
    end if;
  end if;
  update sessions set last_seq = last_seq + v_count, message_count = message_count + v_count, payload_bytes = payload_bytes + v_bytes,
      input_tokens = input_tokens + (p_totals->>'input')::bigint, output_tokens = output_tokens + (p_totals->>'output')::bigint,
      cache_read_tokens = cache_read_tokens + (p_totals->>'cache_read')::bigint,
      cache_write_tokens = cache_write_tokens + (p_totals->>'cache_write')::bigint,
      tool_invocations = tool_invocations + (p_totals->>'tools')::bigint, context_switches = context_switches + v_switches,
      created_at = least(created_at, coalesce((p_totals->>'since')::timestamptz, created_at)),
      last_active_at = greatest(last_active_at, v_until), active_hour = date_trunc('hour', greatest(last_active_at, v_until)),
      closed_at = null,
      participants = case when participants @> v_senders then participants else with_names(participants, v_senders) end,
      models_used = case when models_used @> v_models then models_used else with_names(models_used, v_models) end,
      last_model = coalesce(p_totals->>'last_model', last_model), last_message_id = (p_totals->>'last_id')::uuid, version = version + 1
    where tenant_id = p_tenant and id = p_session and key_version = p_key_version and erasing_at is null
    returning external_id, last_seq - v_count as last_seq, payload_bytes, version, key_version into v;
  if not found then
    return null;
  end if;
  if v.last_seq + v_count > p_messages_max or v.payload_bytes > p_bytes_max then
    perform check_session_limits(v.last_seq + v_count, v.payload_bytes, p_messages_max, p_bytes_max);
  end if;
  with queued as (
    insert into outbox (tenant_id, topic, session_id, first_seq, last_seq)
    values (p_tenant, 'index', p_session, v.last_seq + 1, v.last_seq + v_count)
  ), audited as (
    insert into audit_log (tenant_id, actor, actor_kind, client, action, object_kind, object_id, outcome, count, bytes)
    values (p_tenant, p_actor, 'principal', p_client, 'message.save', 'session', p_session::text, 'ok', v_count, v_bytes)
  )
  insert into messages (tenant_id, session_id, seq, id, external_id, parent_id, parent_external_id, timestamp, saved_at, role, sender,
      model, kind, trust, input_tokens, output_tokens, cache_read_tokens, cache_write_tokens, tools_used, tool_call_id, context_switch,
      payload, payload_location, payload_bytes, payload_sha256, payload_media_type, text, metadata, key_version)
    select p_tenant, p_session, v.last_seq + m.place, m.id, m.external_id,
      case when m.parent is not null then coalesce(m.parent_id, parent_message(p_tenant, p_session, m.parent)) end,
      case when m.parent is not null and m.parent_id is null and parent_message(p_tenant, p_session, m.parent) is null then m.parent end,
      coalesce(m.timestamp, v_now), v_now, m.role, m.sender, m.model, m.kind, m.trust, m.input, m.output, m.cache_read, m.cache_write,
      case when m.tools is not null then array(select jsonb_array_elements_text(m.tools)) end, m.tool_call_id,
      case when m.switch is not null then m.switch
           when m.place = 1 and v_first_switch is not null then v_first_switch
           when m.place = (p_totals->>'first_model_place')::int and v_last_model <> m.model then 'model' end,
      substring(p_bytes from m.payload_at + 1 for m.payload_length), m.location, m.bytes, decode(m.sha256, 'hex'), m.media_type,
      substring(p_bytes from m.text_at + 1 for m.text_length), substring(p_bytes from m.metadata_at + 1 for m.metadata_length),
      v.key_version
    from jsonb_to_recordset(p_messages) as m(place int, id uuid, external_id text, parent text, parent_id uuid, "timestamp" timestamptz,
        role text, sender text, model text, kind text, trust text, input int, output int, cache_read int, cache_write int, tools jsonb,
        tool_call_id text, switch text, media_type text, sha256 text, bytes bigint, location text, payload_at int, payload_length int,
        text_at int, text_length int, metadata_at int, metadata_length int);
  return jsonb_build_object('session_id', p_session, 'external_id', v.external_id, 'created', false, 'version', v.version,
                            'saved_at', v_now, 'first_seq', v.last_seq + 1);
end $$;
--> statement-breakpoint
-- As before, but a session that is being erased is one that was erased (VB410), and messages are stored one by one where p_totals
-- says so (singly): whether one of them begins a branch follows from which messages are stored.
create or replace function save_messages(
  p_tenant integer, p_session jsonb, p_messages jsonb, p_totals jsonb, p_bytes bytea, p_revise boolean, p_actor text,
  p_client text, p_messages_max bigint, p_bytes_max bigint
) returns jsonb language plpgsql as $$
declare
  s sessions%rowtype;
  v_result jsonb;
  v_timestamp timestamptz(3);
  v_created boolean := false;
  v_key_version integer := coalesce((p_session->>'key_version')::int, 0);
  v_singly boolean := coalesce((p_totals->>'singly')::boolean, false);
begin
  -- The common case, a session that is there and messages that are new, takes the fewest statements: each costs as much
  -- as a third of a plain insert. What it finds otherwise undoes it.
  if not v_singly then
    begin
      v_result := save_new_messages(p_tenant, (p_session->>'id')::uuid, v_key_version, p_messages, p_totals, p_bytes, p_actor, p_client, p_messages_max, p_bytes_max);
      if v_result is not null then
        return v_result;
      end if;
    exception when unique_violation then
      null;
    end;
  end if;

  select * into s from sessions where tenant_id = p_tenant and id = (p_session->>'id')::uuid for update;
  if not found and p_session ? 'external_id' then
    select * into s from sessions
      where tenant_id = p_tenant and source = p_session->>'source' and external_id = p_session->>'external_id' for update;
  end if;
  if not found then
    if not coalesce((p_session->>'create')::boolean, false) then
      raise exception 'no such session' using errcode = 'VB404';
    end if;
    v_timestamp := coalesce((p_session->>'created_at')::timestamptz, (p_totals->>'since')::timestamptz, clock_timestamp());
    insert into sessions (tenant_id, id, source, external_id, created_at, last_active_at, active_hour, parent_session_id,
                          parent_external_id, key_version)
      values (p_tenant, (p_session->>'id')::uuid, p_session->>'source', p_session->>'external_id', v_timestamp,
              least(v_timestamp, clock_timestamp()), date_trunc('hour', least(v_timestamp, clock_timestamp())),
              (select id from sessions where tenant_id = p_tenant and source = p_session->>'source'
                 and external_id = p_session->>'parent_external_id'),
              p_session->>'parent_external_id', v_key_version)
      on conflict do nothing;
    v_created := found;
    if v_created and p_session ? 'tombstones' then
      select min(t.erased_at) into v_timestamp
        from jsonb_array_elements_text(p_session->'tombstones') name
          join tombstones t on t.tenant_id = p_tenant and t.hash = decode(name, 'hex');
      if v_timestamp is not null then
        raise exception 'session was erased' using errcode = 'VB410', detail = 'session ' || to_char(v_timestamp at time zone 'UTC', 'YYYY-MM-DD');
      end if;
    end if;
    select * into s from sessions
      where tenant_id = p_tenant
        and (id = (p_session->>'id')::uuid
             or (source = p_session->>'source' and external_id = p_session->>'external_id')) for update;
  end if;
  if s.erasing_at is not null then
    raise exception 'session is being erased' using errcode = 'VB410', detail = 'session ' || to_char(s.erasing_at at time zone 'UTC', 'YYYY-MM-DD');
  end if;
  if s.key_version <> v_key_version or (v_key_version > 0 and s.id <> (p_session->>'id')::uuid) then
    raise exception 'session has another key' using errcode = 'VB426', detail = s.id::text;
  end if;
  if not v_singly then
    begin
      v_result := save_new_messages(p_tenant, s.id, v_key_version, p_messages, p_totals, p_bytes, p_actor, p_client, p_messages_max, p_bytes_max);
      return v_result || jsonb_build_object('created', v_created);
    exception when unique_violation then
      null;
    end;
  end if;
  return save_messages_singly(s, p_messages, p_bytes, p_revise, p_actor, p_client, p_messages_max, p_bytes_max, v_created);
end $$;
