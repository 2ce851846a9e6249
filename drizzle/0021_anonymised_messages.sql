ALTER TABLE "messages" ADD COLUMN "anonymized_at" timestamp (3) with time zone;--> statement-breakpoint
-- As before, but a message that was anonymised is not stored again either: what is saved by a caller is refused (VB410, detail:
-- `anonymised` and its place in the batch), what is imported is passed over.
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
      select id, seq, saved_at, payload_sha256, key_version, role, sender, kind, anonymized_at into known from messages
        where tenant_id = s.tenant_id and id = v_id;
    else
      select id, seq, saved_at, payload_sha256, key_version, role, sender, kind, anonymized_at into known from messages
        where tenant_id = s.tenant_id and session_id = s.id and external_id = v_external;
    end if;
    if found and (known.kind = 'erased' or known.anonymized_at is not null) then
      if not p_revise then
        raise exception 'message was erased or anonymised' using errcode = 'VB410',
          detail = case when known.kind = 'erased' then 'message ' else 'anonymised ' end || v_place;
      end if;
      v_results := v_results || jsonb_build_object('id', known.id, 'seq', known.seq, 'saved_at', known.saved_at,
                                                   'duplicate', true, 'erased', true);
      continue;
    end if;
    if found and (known.key_version = 0) <> (s.key_version = 0) and not m ? 'other_sha256' then
      raise exception 'sealed otherwise' using errcode = 'VB425', detail = known.key_version::text;
    end if;
    v_hash := decode(m->>(case when found and (known.key_version = 0) <> (s.key_version = 0) then 'other_sha256' else 'sha256' end), 'hex');
    if found and p_revise and known.payload_sha256 <> v_hash then
      v_replaces := known.id;
      v_external := left(v_external, 150) || '~' || left(m->>'sha256', 16);
      select id, seq, saved_at, payload_sha256, key_version, role, sender, kind, anonymized_at into known from messages
        where tenant_id = s.tenant_id and session_id = s.id and external_id = v_external;
      v_hash := decode(m->>(case when found and (known.key_version = 0) <> (s.key_version = 0) then 'other_sha256' else 'sha256' end), 'hex');
    end if;
    if found and (known.kind = 'erased' or known.anonymized_at is not null) then
      if not p_revise then
        raise exception 'message was erased or anonymised' using errcode = 'VB410',
          detail = case when known.kind = 'erased' then 'message ' else 'anonymised ' end || v_place;
      end if;
      v_results := v_results || jsonb_build_object('id', known.id, 'seq', known.seq, 'saved_at', known.saved_at,
                                                   'duplicate', true, 'erased', true);
      continue;
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
