-- What readers follow live: one stream per tenant, numbered without gaps, kept for a while.

alter table tenants
    add column event_head  bigint not null default 0 constraint tenants_event_head_check check (event_head >= 0),
    add column event_floor bigint not null default 0
        constraint tenants_event_floor_check check (event_floor >= 0 and event_floor <= event_head);

comment on column tenants.event_head is 'Number of its last event. Raised in the transaction that writes one, so whoever reads up to a number has missed none below it.';
comment on column tenants.event_floor is 'Number of the last event that was forgotten: a reader who stands below it has missed something.';

create table events (
    tenant_id      uuid        not null constraint events_tenant_fkey references tenants (id),
    sequence       bigint      not null constraint events_sequence_check check (sequence > 0),
    topic          text        not null constraint events_topic_check check (topic in ('store', 'operation', 'audit')),
    store_id       text        not null,
    operation_id   uuid,
    kind           text,
    status         text,
    step           text,
    step_status    text,
    attempt        integer     constraint events_attempt_check check (attempt >= 0),
    failure_code   text,
    failure_detail text,
    audit_sequence bigint,
    message        text,
    at             timestamptz not null default clock_timestamp(),
    transaction    xid8        not null default pg_current_xact_id(),
    constraint events_pkey primary key (tenant_id, sequence),
    constraint events_failure_check check ((failure_code is null) = (failure_detail is null))
);

comment on table events is 'What happened to stores and operations, for readers who follow along. It points at nothing but its tenant and is forgotten after a while; the audit trail is not.';
comment on column events.tenant_id is 'The organisation in whose stream it stands.';
comment on column events.sequence is 'Its number in the stream: 1, 2, 3 and so on, without gaps.';
comment on column events.topic is 'What it is about: a store, an operation, an entry of the audit trail.';
comment on column events.store_id is 'The store it is about.';
comment on column events.operation_id is 'The operation it is about.';
comment on column events.kind is 'What the operation does; for an entry of the audit trail its type.';
comment on column events.status is 'How the operation is doing; for a store or an entry of the audit trail the state of the store.';
comment on column events.step is 'The step of the operation that began, ended or is next.';
comment on column events.step_status is 'How that step is doing; nothing when it has not begun.';
comment on column events.attempt is 'Counted failures of that step.';
comment on column events.failure_code is 'Why it waits, is stuck or failed: the typed reason.';
comment on column events.failure_detail is 'Why it waits, is stuck or failed: the words of whoever met it. Never a secret.';
comment on column events.audit_sequence is 'The number of the entry of the audit trail.';
comment on column events.message is 'One sentence for people.';
comment on column events.at is 'When it was written.';
comment on column events.transaction is 'The transaction that wrote it: what came to be between two moments is found by it, over all tenants.';

-- What an administrator follows, and what is forgotten next.
create index events_transaction_idx on events (transaction);
create index events_age_idx on events (at);

alter table events enable row level security, force row level security;
create policy events_owner on events to current_user using (true);
create policy events_api on events to shopwright_api
    using (tenant_id = nullif(current_setting('shopwright.tenant_id', true), '')::uuid);
create policy events_all on events to shopwright_platform, shopwright_worker using (true);
grant select, insert on events to shopwright_api, shopwright_platform;
grant select, insert, delete on events to shopwright_worker;
