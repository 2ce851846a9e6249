-- A save says under which version of its session's key it is sealed, so that a session whose key was changed meanwhile, or
-- that another process has made under another id, is not given what it cannot open.
-- The slow way of save_messages, for a batch of which something is known already: message by message, known ones are
-- answered with their first answer. VB425 (detail: the version of the known message's key) where what is known and what is sent
-- are not sealed alike, and no other_sha256 says what the hash is there. The arguments are those of save_messages; `s` is the session, locked.
create or replace function save_messages_singly(
  s sessions, p_messages jsonb, p_bytes bytea, p_revise boolean, p_actor text, p_client text, p_messages_max bigint,
  p_bytes_max bigint, p_created boolean
) returns jsonb language plpgsql as $$
declare
  m jsonb;
  known record;
  v_now timestamptz(3) := clock_timestamp();
  v_first bigint := s.last_seq + 1;
  v_place int := -1;
  v_id uuid;
  v_external text;
  v_parent uuid;
  v_replaces uuid;
  v_switch text;
  v_hash bytea;
  v_timestamp timestamptz(3);
  v_inserted bigint := 0;
  v_inserted_bytes bigint := 0;
  v_results jsonb := '[]'::jsonb;
begin
  for m in select * from jsonb_array_elements(p_messages) loop
    v_place := v_place + 1;
    v_id := (m->>'id')::uuid;
    v_external := m->>'external_id';
    v_replaces := null;
    if v_external is null then
      select id, seq, saved_at, payload_sha256, key_version, role, sender into known from messages
        where tenant_id = s.tenant_id and id = v_id;
    else
      select id, seq, saved_at, payload_sha256, key_version, role, sender into known from messages
        where tenant_id = s.tenant_id and session_id = s.id and external_id = v_external;
    end if;
    if found and (known.key_version = 0) <> (s.key_version = 0) and not m ? 'other_sha256' then
      raise exception 'sealed otherwise' using errcode = 'VB425', detail = known.key_version::text;
    end if;
    v_hash := decode(m->>(case when found and (known.key_version = 0) <> (s.key_version = 0) then 'other_sha256' else 'sha256' end), 'hex');
    if found and p_revise and known.payload_sha256 <> v_hash then
      v_replaces := known.id;
      v_external := left(v_external, 150) || '~' || left(m->>'sha256', 16);
      select id, seq, saved_at, payload_sha256, key_version, role, sender into known from messages
        where tenant_id = s.tenant_id and session_id = s.id and external_id = v_external;
      v_hash := decode(m->>(case when found and (known.key_version = 0) <> (s.key_version = 0) then 'other_sha256' else 'sha256' end), 'hex');
    end if;
    if found then
      if known.payload_sha256 <> v_hash
         or (not p_revise and (known.role <> m->>'role' or known.sender <> m->>'sender')) then
        raise exception 'id used for other content' using errcode = 'VB409', detail = v_place::text;
      end if;
      v_results := v_results || jsonb_build_object('id', known.id, 'seq', known.seq, 'saved_at', known.saved_at,
                                                   'duplicate', known.id <> v_id);
      continue;
    end if;

    s.last_seq := s.last_seq + 1;
    v_timestamp := coalesce((m->>'timestamp')::timestamptz, v_now);
    v_parent := case when m ? 'parent' then parent_message(s.tenant_id, s.id, m->>'parent') end;
    v_switch := m->>'switch';
    if v_switch is null and not p_revise and m->>'role' <> 'tool' and v_parent <> s.last_message_id then
      v_switch := 'branch';
    end if;
    if v_switch is null and m ? 'model' and s.last_model is not null and s.last_model <> m->>'model' then
      v_switch := 'model';
    end if;
    insert into messages (tenant_id, session_id, seq, id, external_id, parent_id, parent_external_id, replaces_id, timestamp, saved_at,
        role, sender, model, kind, trust, input_tokens, output_tokens, cache_read_tokens, cache_write_tokens, tools_used,
        tool_call_id, context_switch, payload, payload_location, payload_bytes, payload_sha256, payload_media_type, text,
        metadata, key_version)
      values (s.tenant_id, s.id, s.last_seq, v_id, v_external, v_parent, case when v_parent is null then m->>'parent' end, v_replaces,
        v_timestamp, v_now, m->>'role', m->>'sender', m->>'model', m->>'kind', m->>'trust',
        (m->>'input')::int, (m->>'output')::int, (m->>'cache_read')::int, (m->>'cache_write')::int,
        case when m ? 'tools' then array(select jsonb_array_elements_text(m->'tools')) end,
        m->>'tool_call_id', v_switch,
        substring(p_bytes from (m->>'payload_at')::int + 1 for (m->>'payload_length')::int),
        m->>'location', (m->>'bytes')::bigint, decode(m->>'sha256', 'hex'), m->>'media_type',
        substring(p_bytes from (m->>'text_at')::int + 1 for (m->>'text_length')::int),
        substring(p_bytes from (m->>'metadata_at')::int + 1 for (m->>'metadata_length')::int),
        s.key_version);

    v_inserted := v_inserted + 1;
    v_inserted_bytes := v_inserted_bytes + (m->>'bytes')::bigint;
    s.created_at := least(s.created_at, v_timestamp);
    s.last_active_at := greatest(s.last_active_at, least(v_timestamp, v_now));
    s.last_message_id := v_id;
    if m ? 'model' then
      s.last_model := m->>'model';
      if m->>'kind' = 'message' and not (s.models_used @> array[m->>'model']) then
        s.models_used := s.models_used || (m->>'model');
      end if;
    end if;
    if m->>'kind' = 'message' and cardinality(s.participants) < 1000 and not (s.participants @> array[m->>'sender']) then
      s.participants := s.participants || (m->>'sender');
    end if;
    if not coalesce((m->>'copied')::boolean, false) then
      s.input_tokens := s.input_tokens + coalesce((m->>'input')::int, 0);
      s.output_tokens := s.output_tokens + coalesce((m->>'output')::int, 0);
      s.cache_read_tokens := s.cache_read_tokens + coalesce((m->>'cache_read')::int, 0);
      s.cache_write_tokens := s.cache_write_tokens + coalesce((m->>'cache_write')::int, 0);
      if m ? 'tools' and (p_revise or m->>'role' <> 'tool') then
        s.tool_invocations := s.tool_invocations + jsonb_array_length(m->'tools');
      end if;
      if v_switch is not null then
        s.context_switches := s.context_switches + 1;
      end if;
    end if;
    v_results := v_results || jsonb_build_object('id', v_id, 'seq', s.last_seq, 'saved_at', v_now, 'duplicate', false);
  end loop;

  if v_inserted > 0 then
    perform check_session_limits(s.last_seq, s.payload_bytes + v_inserted_bytes, p_messages_max, p_bytes_max);
    s.version := s.version + 1;
    update sessions set last_seq = s.last_seq, created_at = s.created_at, last_active_at = s.last_active_at,
        active_hour = date_trunc('hour', s.last_active_at), closed_at = null,
        participants = s.participants, models_used = s.models_used, message_count = message_count + v_inserted,
        payload_bytes = payload_bytes + v_inserted_bytes, input_tokens = s.input_tokens, output_tokens = s.output_tokens,
        cache_read_tokens = s.cache_read_tokens, cache_write_tokens = s.cache_write_tokens,
        tool_invocations = s.tool_invocations, context_switches = s.context_switches, last_model = s.last_model,
        last_message_id = s.last_message_id, version = s.version
      where tenant_id = s.tenant_id and id = s.id;
    insert into outbox (tenant_id, topic, session_id, first_seq, last_seq) values (s.tenant_id, 'index', s.id, v_first, s.last_seq);
  end if;
  insert into audit_log (tenant_id, actor, actor_kind, client, action, object_kind, object_id, outcome, count, bytes)
    values (s.tenant_id, p_actor, 'principal', p_client, 'message.save', 'session', s.id::text, 'ok', v_inserted, v_inserted_bytes);
  return jsonb_build_object('session_id', s.id, 'external_id', s.external_id, 'created', p_created, 'version', s.version, 'saved_at', v_now, 'messages', v_results);
end $$;
--> statement-breakpoint
-- Saves up to 500 messages of one session, all or nothing, in one statement and so in one sync of the disk:
-- the session with its totals, the messages with gap-free numbers, the outbox row and the audit row.
--
-- p_session: {id, external_id?, source, create: bool, created_at?, parent_external_id?, key_version?}. The key's version is that under
--   which everything private in the arguments is sealed, for the session with this id; 0 or none: it is not sealed.
-- p_messages: [{place: 1, 2 …, id, external_id?, parent?, parent_id? (where the parent is in the batch), timestamp?, role, sender, model?, kind, trust, input?, output?,
--   cache_read?, cache_write?, tools?: [], tool_call_id?, switch?, copied?, media_type, sha256 (hex; masked where it is sealed), other_sha256?, bytes, location?,
--   payload_at?, payload_length?, text_at?, text_length?, metadata_at?, metadata_length?}]
--   The last six are places in p_bytes: jsonb cannot carry NUL, and base64 would cost a third more.
-- p_totals: what all messages together add to the session when none is known: {count, bytes, input, output, cache_read,
--   cache_write, tools, switches, first_model?, first_model_place?, first_switch?: bool (whether a change to it counts), first_parent?
--   (where a branch may begin), last_model?, last_id, models, senders (array literals),
--   since?, until?}
-- p_revise: what happens when an id is used again for other bytes: false refuses, true keeps the new bytes as a newer version.
-- Returns {session_id, external_id, created, version, saved_at, first_seq} where all were new, else the same with
-- messages: [{id, seq, saved_at, duplicate}] in place of first_seq.
-- Errors: VB404 no such session, VB409 id used for other content (detail: its place in the batch, from 0), VB413 session limit, VB426 the session
-- is sealed under another version of its key, or is another than that with the id (detail: its id).
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
begin
  -- The common case, a session that is there and messages that are new, takes the fewest statements: each costs as much
  -- as a third of a plain insert. What it finds otherwise undoes it.
  begin
    v_result := save_new_messages(p_tenant, (p_session->>'id')::uuid, v_key_version, p_messages, p_totals, p_bytes, p_actor, p_client, p_messages_max, p_bytes_max);
    if v_result is not null then
      return v_result;
    end if;
  exception when unique_violation then
    null;
  end;

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
    select * into s from sessions
      where tenant_id = p_tenant
        and (id = (p_session->>'id')::uuid
             or (source = p_session->>'source' and external_id = p_session->>'external_id')) for update;
  end if;
  if s.key_version <> v_key_version or (v_key_version > 0 and s.id <> (p_session->>'id')::uuid) then
    raise exception 'session has another key' using errcode = 'VB426', detail = s.id::text;
  end if;
  begin
    v_result := save_new_messages(p_tenant, s.id, v_key_version, p_messages, p_totals, p_bytes, p_actor, p_client, p_messages_max, p_bytes_max);
    return v_result || jsonb_build_object('created', v_created);
  exception when unique_violation then
    null;
  end;
  return save_messages_singly(s, p_messages, p_bytes, p_revise, p_actor, p_client, p_messages_max, p_bytes_max, v_created);
end $$;
--> statement-breakpoint
drop function save_new_messages(integer, uuid, jsonb, jsonb, bytea, text, text, bigint, bigint);
--> statement-breakpoint
-- The fast way of save_messages, for messages of which none is known: the arguments are those of save_messages. Null where
-- there is no such session under that version of its key; a unique_violation where a message is known.
create function save_new_messages(
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
    where tenant_id = p_tenant and id = p_session and key_version = p_key_version
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
