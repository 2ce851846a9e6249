CREATE TABLE "retention_sweeps" (
	"tenant_id" integer NOT NULL,
	"swept_at" timestamp (3) with time zone NOT NULL,
	CONSTRAINT "retention_sweeps_tenant_id_pk" PRIMARY KEY("tenant_id")
);
--> statement-breakpoint
CREATE TABLE "tombstones" (
	"tenant_id" integer NOT NULL,
	"hash" "bytea" NOT NULL,
	"kind" text NOT NULL,
	"erasure_id" uuid NOT NULL,
	"erased_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "tombstones_tenant_id_hash_pk" PRIMARY KEY("tenant_id","hash")
);
--> statement-breakpoint
ALTER TABLE "sessions" ADD COLUMN "erasures" integer DEFAULT 0 NOT NULL;--> statement-breakpoint
CREATE INDEX "tombstones_by_erasure" ON "tombstones" USING btree ("tenant_id","erasure_id");--> statement-breakpoint
CREATE INDEX "messages_payload_location" ON "messages" USING btree ("payload_location") WHERE payload_location is not null;
--> statement-breakpoint
-- As before, but a message that was erased is not stored again: what is saved by a caller is refused (VB410, detail: its
-- place in the batch), what is imported is passed over.
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
      select id, seq, saved_at, payload_sha256, key_version, role, sender, kind into known from messages
        where tenant_id = s.tenant_id and id = v_id;
    else
      select id, seq, saved_at, payload_sha256, key_version, role, sender, kind into known from messages
        where tenant_id = s.tenant_id and session_id = s.id and external_id = v_external;
    end if;
    if found and known.kind = 'erased' then
      if not p_revise then
        raise exception 'message was erased' using errcode = 'VB410', detail = 'message ' || v_place;
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
      select id, seq, saved_at, payload_sha256, key_version, role, sender, kind into known from messages
        where tenant_id = s.tenant_id and session_id = s.id and external_id = v_external;
      v_hash := decode(m->>(case when found and (known.key_version = 0) <> (s.key_version = 0) then 'other_sha256' else 'sha256' end), 'hex');
    end if;
    if found and known.kind = 'erased' then
      if not p_revise then
        raise exception 'message was erased' using errcode = 'VB410', detail = 'message ' || v_place;
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
--> statement-breakpoint
-- As before, but a session that was erased is not opened again: p_session has `tombstones`, the hashes of its names in
-- hexadecimal, and VB410 (detail: when it was erased) says that one of them is known. It is looked for after the session is
-- inserted: an erasure that is under way holds its row until its tombstones are there.
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
