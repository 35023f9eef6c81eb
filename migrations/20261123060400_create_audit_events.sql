-- The audit trail. It points at nothing but its tenant: it says what was, also when that is no more or has changed hands.

create table audit_events (
    tenant_id      uuid        not null constraint audit_events_tenant_fkey references tenants (id),
    sequence       bigint      not null constraint audit_events_sequence_check check (sequence > 0),
    store_id       text,
    operation_id   uuid,
    event_type     text        not null,
    previous_state text,
    new_state      text,
    message        text        not null,
    metadata       jsonb       not null,
    actor_id       uuid,
    actor_email    text,
    ip_address     text,
    request_id     text,
    epoch          bigint,
    at             timestamptz not null,
    constraint audit_events_pkey primary key (tenant_id, sequence),
    constraint audit_events_type_check
        check (event_type in ('store_created', 'status_change', 'info', 'helm_install', 'helm_uninstall', 'warning',
                              'error', 'recovery', 'security')),
    constraint audit_events_previous_state_check
        check (previous_state in ('requested', 'provisioning', 'ready', 'failed', 'deleting', 'deleted')),
    constraint audit_events_new_state_check
        check (new_state in ('requested', 'provisioning', 'ready', 'failed', 'deleting', 'deleted')),
    constraint audit_events_metadata_check check (jsonb_typeof(metadata) = 'object')
);

comment on table audit_events is 'The audit trail: one chain per tenant. Rows are only ever added.';
comment on column audit_events.tenant_id is 'The organisation in whose chain it stands.';
comment on column audit_events.sequence is 'Its number in the chain: 1, 2, 3 and so on, without gaps.';
comment on column audit_events.store_id is 'The store it is about.';
comment on column audit_events.operation_id is 'The operation it is about.';
comment on column audit_events.event_type is 'What kind of event it is.';
comment on column audit_events.previous_state is 'The state before, for a change of state.';
comment on column audit_events.new_state is 'The state after.';
comment on column audit_events.message is 'One sentence for people.';
comment on column audit_events.metadata is 'Details for programs: texts, whole numbers, truth values.';
comment on column audit_events.actor_id is 'Who did it; nobody for what a worker does on its own.';
comment on column audit_events.actor_email is 'The address of the actor at that time.';
comment on column audit_events.ip_address is 'The address the request came from.';
comment on column audit_events.request_id is 'The request that caused it, also for what happens long after.';
comment on column audit_events.epoch is 'The epoch under which a worker wrote it.';
comment on column audit_events.at is 'When it happened.';

create index audit_events_store_idx on audit_events (store_id, sequence desc) where store_id is not null;
-- The administrators' list over all chains.
create index audit_events_list_idx on audit_events (at desc, sequence desc, tenant_id desc);
