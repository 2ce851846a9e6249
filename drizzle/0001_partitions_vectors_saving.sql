-- Hash partitions by tenant: 1 where the store has one tenant (embedded), 16 on a server.
-- `verbatim.partitions` is set by the connection that migrates.
do $$
declare
  partitions int := coalesce(nullif(current_setting('verbatim.partitions', true), ''), '1')::int;
begin
  for i in 0 .. partitions - 1 loop
    execute format('create table messages_p%s partition of messages for values with (modulus %s, remainder %s)', i, partitions, i);
    execute format('create table search_units_p%s partition of search_units for values with (modulus %s, remainder %s)', i, partitions, i);
    -- Small pending lists: a search reads them from end to end.
    -- Which terms are frequent is in term_stats; the planner needs no list of its own.
    execute format('alter table search_units_p%s alter column terms set statistics 10', i);
    execute format('alter table search_units_p%s alter column frequencies set statistics 0', i);
    execute format('alter index search_units_p%s_terms_idx set (gin_pending_list_limit = 512)', i);
  end loop;
end $$;
--> statement-breakpoint
-- Vectors live apart from their units, because a server may have no pgvector (Pinecone then holds them) and because two
-- models are searched side by side while one replaces the other. PLAIN keeps a vector in its row: reading it from TOAST
-- triples the time of an exact scan.
do $$
begin
  if exists (select from pg_available_extensions where name = 'vector') then
    create extension if not exists vector;
    create table unit_vectors (
      tenant_id integer not null,
      level smallint not null,
      session_id uuid not null,
      first_seq bigint not null,
      part integer not null,
      model_id smallint not null,
      text_sha256 bytea not null,
      embedding vector not null,
      primary key (tenant_id, model_id, level, session_id, first_seq, part)
    );
    alter table unit_vectors alter column embedding set storage plain;
  end if;
exception when insufficient_privilege then
  raise notice 'The extension vector is available but this role may not create it: semantic search needs it or Pinecone';
end $$;
--> statement-breakpoint
insert into tenants (id, name) values (1, 'default');
--> statement-breakpoint
-- Saves up to 500 messages of one session, all or nothing, in one statement and so in one sync of the disk:
-- the session with its totals, the messages with gap-free numbers, the outbox row and the audit row.
--
-- session: {id, external_id?, source, create: bool, created_at?, title?: slice, metadata?: slice, parent_external_id?, key_version}
-- messages: [{id, external_id?, parent?, timestamp?, role, sender, model?, kind, trust, input, output, cache_read, cache_write,
--   tools?: [], tool_call_id?, switch?, copied?, media_type, sha256 (hex), bytes, location?, payload: slice, text?: slice, metadata?: slice}]
-- A slice is [offset, length] into `bytes`: jsonb cannot carry NUL, and base64 would cost a third more.
-- revise: what happens when an id is used again for other bytes: false refuses, true keeps the new bytes as a newer version.
-- Returns {session_id, created, version, messages: [{id, seq, saved_at, duplicate}]}.
-- Errors: VB404 no such session, VB409 id used for other content (detail: its place in the batch), VB413 session limit.
create function save_messages(
  p_tenant integer, p_session jsonb, p_messages jsonb, p_bytes bytea, p_revise boolean, p_actor text, p_client text,
  p_messages_max bigint, p_bytes_max bigint
) returns jsonb language plpgsql as $$
declare
  s sessions%rowtype;
  m jsonb;
  known record;
  v_now timestamptz(3) := clock_timestamp();
  v_first bigint;
  v_created boolean := false;
  v_place int := -1;
  v_id uuid;
  v_external text;
  v_parent uuid;
  v_replaces uuid;
  v_switch text;
  v_timestamp timestamptz(3);
  v_inserted bigint := 0;
  v_inserted_bytes bigint := 0;
  v_results jsonb := '[]'::jsonb;
begin
  select * into s from sessions where tenant_id = p_tenant and id = (p_session->>'id')::uuid for update;
  if not found and p_session ? 'external_id' then
    select * into s from sessions
      where tenant_id = p_tenant and source = p_session->>'source' and external_id = p_session->>'external_id' for update;
  end if;
  if not found then
    if not coalesce((p_session->>'create')::boolean, false) then
      raise exception 'no such session' using errcode = 'VB404';
    end if;
    v_timestamp := coalesce((p_session->>'created_at')::timestamptz, (p_messages->0->>'timestamp')::timestamptz, v_now);
    insert into sessions (tenant_id, id, source, external_id, title, metadata, created_at, last_active_at, active_hour,
                          parent_session_id, parent_external_id, key_version)
      values (p_tenant, (p_session->>'id')::uuid, p_session->>'source', p_session->>'external_id',
              case when p_session ? 'title' then substring(p_bytes from (p_session#>>'{title,0}')::int + 1 for (p_session#>>'{title,1}')::int) end,
              case when p_session ? 'metadata' then substring(p_bytes from (p_session#>>'{metadata,0}')::int + 1 for (p_session#>>'{metadata,1}')::int) end,
              v_timestamp, least(v_timestamp, v_now), date_trunc('hour', least(v_timestamp, v_now)),
              (select id from sessions where tenant_id = p_tenant and source = p_session->>'source'
                 and external_id = p_session->>'parent_external_id'),
              p_session->>'parent_external_id', coalesce((p_session->>'key_version')::int, 0))
      on conflict do nothing;
    v_created := found;
    select * into s from sessions
      where tenant_id = p_tenant
        and (id = (p_session->>'id')::uuid
             or (source = p_session->>'source' and external_id = p_session->>'external_id')) for update;
  end if;
  v_first := s.last_seq + 1;

  for m in select * from jsonb_array_elements(p_messages) loop
    v_place := v_place + 1;
    v_id := (m->>'id')::uuid;
    v_external := m->>'external_id';
    v_replaces := null;
    if v_external is null then
      select id, seq, saved_at, payload_sha256, role, sender into known from messages
        where tenant_id = p_tenant and id = v_id;
    else
      select id, seq, saved_at, payload_sha256, role, sender into known from messages
        where tenant_id = p_tenant and session_id = s.id and external_id = v_external;
    end if;
    if found and p_revise and known.payload_sha256 <> decode(m->>'sha256', 'hex') then
      v_replaces := known.id;
      v_external := left(v_external, 150) || '~' || left(m->>'sha256', 16);
      select id, seq, saved_at, payload_sha256, role, sender into known from messages
        where tenant_id = p_tenant and session_id = s.id and external_id = v_external;
    end if;
    if found then
      if known.payload_sha256 <> decode(m->>'sha256', 'hex')
         or (not p_revise and (known.role <> m->>'role' or known.sender <> m->>'sender')) then
        raise exception 'id used for other content' using errcode = 'VB409', detail = v_place::text;
      end if;
      v_results := v_results || jsonb_build_object('id', known.id, 'seq', known.seq, 'saved_at', known.saved_at,
                                                   'duplicate', known.id <> v_id);
      continue;
    end if;

    s.last_seq := s.last_seq + 1;
    v_timestamp := coalesce((m->>'timestamp')::timestamptz, v_now);
    v_parent := null;
    if m ? 'parent' then
      select id into v_parent from messages
        where tenant_id = p_tenant and session_id = s.id and external_id = m->>'parent';
      if v_parent is null and m->>'parent' ~ '^[0-9a-fA-F]{8}-([0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}$' then
        select id into v_parent from messages where tenant_id = p_tenant and id = (m->>'parent')::uuid;
      end if;
    end if;
    v_switch := m->>'switch';
    if v_switch is null and m ? 'model' and s.last_model is not null and s.last_model <> m->>'model' then
      v_switch := 'model';
    end if;
    insert into messages (tenant_id, session_id, seq, id, external_id, parent_id, parent_external_id, replaces_id, timestamp, saved_at,
        role, sender, model, kind, trust, input_tokens, output_tokens, cache_read_tokens, cache_write_tokens, tools_used,
        tool_call_id, context_switch, payload, payload_location, payload_bytes, payload_sha256, payload_media_type, text,
        metadata, key_version)
      values (p_tenant, s.id, s.last_seq, v_id, v_external, v_parent, case when v_parent is null then m->>'parent' end, v_replaces,
        v_timestamp, v_now, m->>'role', m->>'sender', m->>'model', m->>'kind', m->>'trust',
        (m->>'input')::int, (m->>'output')::int, (m->>'cache_read')::int, (m->>'cache_write')::int,
        case when m ? 'tools' then array(select jsonb_array_elements_text(m->'tools')) end,
        m->>'tool_call_id', v_switch,
        case when m ? 'payload' then substring(p_bytes from (m#>>'{payload,0}')::int + 1 for (m#>>'{payload,1}')::int) end,
        m->>'location', (m->>'bytes')::bigint, decode(m->>'sha256', 'hex'), m->>'media_type',
        case when m ? 'text' then substring(p_bytes from (m#>>'{text,0}')::int + 1 for (m#>>'{text,1}')::int) end,
        case when m ? 'metadata' then substring(p_bytes from (m#>>'{metadata,0}')::int + 1 for (m#>>'{metadata,1}')::int) end,
        coalesce((p_session->>'key_version')::int, 0));

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
      if m ? 'tools' and m->>'role' <> 'tool' then
        s.tool_invocations := s.tool_invocations + jsonb_array_length(m->'tools');
      end if;
      if v_switch is not null then
        s.context_switches := s.context_switches + 1;
      end if;
    end if;
    v_results := v_results || jsonb_build_object('id', v_id, 'seq', s.last_seq, 'saved_at', v_now, 'duplicate', false);
  end loop;

  if v_inserted > 0 then
    if s.last_seq > p_messages_max then
      raise exception 'session is full' using errcode = 'VB413', detail = 'messages ' || s.last_seq;
    end if;
    if s.payload_bytes + v_inserted_bytes > p_bytes_max then
      raise exception 'session is full' using errcode = 'VB413', detail = 'bytes ' || (s.payload_bytes + v_inserted_bytes);
    end if;
    s.version := s.version + 1;
    update sessions set last_seq = s.last_seq, created_at = s.created_at, last_active_at = s.last_active_at,
        active_hour = date_trunc('hour', s.last_active_at), closed_at = null,
        participants = s.participants, models_used = s.models_used, message_count = message_count + v_inserted,
        payload_bytes = payload_bytes + v_inserted_bytes, input_tokens = s.input_tokens, output_tokens = s.output_tokens,
        cache_read_tokens = s.cache_read_tokens, cache_write_tokens = s.cache_write_tokens,
        tool_invocations = s.tool_invocations, context_switches = s.context_switches, last_model = s.last_model,
        last_message_id = s.last_message_id, version = s.version
      where tenant_id = p_tenant and id = s.id;
    insert into outbox (tenant_id, topic, session_id, first_seq, last_seq) values (p_tenant, 'index', s.id, v_first, s.last_seq);
  end if;
  insert into audit_log (tenant_id, actor, actor_kind, client, action, object_kind, object_id, outcome, count, bytes)
    values (p_tenant, p_actor, 'principal', p_client, 'message.save', 'session', s.id::text, 'ok', v_inserted, v_inserted_bytes);
  return jsonb_build_object('session_id', s.id, 'external_id', s.external_id, 'created', v_created, 'version', s.version, 'messages', v_results);
end $$;
