-- The audit trail as a chain: what was changed, by which sign-in, and a digest per entry that covers the one before.

alter table tenants
    add column audit_digest bytea not null default decode(repeat('00', 32), 'hex')
        constraint tenants_audit_digest_check check (length(audit_digest) = 32);

comment on column tenants.audit_digest is 'Digest of its last audit event; zeros before the first. With audit_head it is the end of the chain.';

alter table audit_events
    add column before       jsonb not null default '{}' constraint audit_events_before_check check (jsonb_typeof(before) = 'object'),
    add column after        jsonb not null default '{}' constraint audit_events_after_check check (jsonb_typeof(after) = 'object'),
    add column session_id   uuid,
    add column api_token_id uuid,
    add column digest       bytea,
    add constraint audit_events_credential_check check (session_id is null or api_token_id is null);

comment on column audit_events.before is 'What was changed, as it was before. Never a secret.';
comment on column audit_events.after is 'What was changed, as it is since.';
comment on column audit_events.session_id is 'The sign-in by which it was done.';
comment on column audit_events.api_token_id is 'The API token by which it was done.';
comment on column audit_events.digest is 'Digest of this entry and of the digest before it.';

-- The bytes of an entry: each field with its length before it. `crates/domain/src/audit/chain.rs` says the same, and verifies by it.
create function audit_field(value text) returns text language sql immutable as $$
    select coalesce(octet_length(convert_to(value, 'UTF8')) || ':' || value, '-')
$$;

create function audit_map(entries jsonb) returns text language sql immutable as $$
    select audit_field(coalesce(
        string_agg(audit_field(key) || audit_field(jsonb_typeof(value)) || audit_field(value #>> '{}'), '' order by key collate "C"),
        ''))
    from jsonb_each(entries)
$$;

create function audit_event_digest(previous bytea, entry audit_events) returns bytea language sql stable as $$
    select sha256(previous || convert_to(
        'shopwright-audit-1' || audit_field(entry.tenant_id::text) || audit_field(entry.sequence::text) || audit_field(entry.store_id)
        || audit_field(entry.operation_id::text) || audit_field(entry.event_type) || audit_field(entry.previous_state)
        || audit_field(entry.new_state) || audit_field(entry.message) || audit_map(entry.metadata) || audit_map(entry.before)
        || audit_map(entry.after) || audit_field(entry.actor_id::text) || audit_field(entry.actor_email)
        || audit_field(entry.session_id::text) || audit_field(entry.api_token_id::text) || audit_field(entry.ip_address)
        || audit_field(entry.request_id) || audit_field(entry.epoch::text)
        || audit_field(((extract(epoch from entry.at) * 1000000)::bigint)::text),
        'UTF8'))
$$;

-- What is there already, each chain from its beginning.
do $$
declare
    entry audit_events;
    whose uuid;
    last bytea;
begin
    for entry in select * from audit_events order by tenant_id, sequence loop
        if whose is distinct from entry.tenant_id then
            whose := entry.tenant_id;
            last := decode(repeat('00', 32), 'hex');
        end if;
        last := audit_event_digest(last, entry);
        update audit_events set digest = last where tenant_id = entry.tenant_id and sequence = entry.sequence;
        update tenants set audit_digest = last where id = entry.tenant_id;
    end loop;
end $$;

alter table audit_events
    alter column digest set not null,
    add constraint audit_events_digest_check check (length(digest) = 32);

-- Every program that appends is in the chain, also one of before. Whoever appends has raised the head, and with it locked the tenant.
create function chain_audit_event() returns trigger language plpgsql as $$
declare
    last bytea;
begin
    select audit_digest into last from tenants where id = new.tenant_id for no key update;
    new.digest := audit_event_digest(last, new);
    update tenants set audit_digest = new.digest where id = new.tenant_id;
    return new;
end $$;

create trigger audit_events_chain_trigger before insert on audit_events
    for each row execute function chain_audit_event();

-- Rights say so too; this says it to the owner of the table.
create function refuse_audit_change() returns trigger language plpgsql as $$
begin
    raise exception 'audit_events is append-only' using errcode = 'insufficient_privilege';
end $$;

create trigger audit_events_append_only_trigger before update or delete or truncate on audit_events
    for each statement execute function refuse_audit_change();
