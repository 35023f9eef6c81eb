-- The queue: what runs on stores, and what became of its steps.

create table operations (
    id               uuid        constraint operations_pkey primary key,
    tenant_id        uuid        not null,
    store_id         text        not null,
    ordinal          bigint      not null generated always as identity,
    kind             text        not null constraint operations_kind_check check (kind in ('provision', 'delete')),
    status           text        not null,
    step             text,
    attempt          integer     not null constraint operations_attempt_check check (attempt >= 0),
    epoch            bigint      not null,
    worker           uuid,
    lease_expires_at timestamptz,
    wake_at          timestamptz,
    failure_code     text,
    failure_detail   text,
    requested_by     uuid,
    request_id       text,
    traceparent      text,
    created_at       timestamptz not null,
    started_at       timestamptz,
    finished_at      timestamptz,
    constraint operations_tenant_id_key unique (tenant_id, id),
    constraint operations_store_fkey
        foreign key (tenant_id, store_id) references stores (tenant_id, id) on update cascade,
    constraint operations_status_check
        check (status in ('queued', 'running', 'waiting', 'stuck', 'succeeded', 'failed', 'cancelled')),
    -- Who holds it, and until when: both for an operation that runs, neither for any other.
    constraint operations_lease_check
        check ((status = 'running') = (worker is not null) and (status = 'running') = (lease_expires_at is not null)),
    constraint operations_failure_check check ((failure_code is null) = (failure_detail is null))
);

comment on table operations is 'Runs of sagas on stores, and at the same time the queue of them.';
comment on column operations.id is 'Identity.';
comment on column operations.tenant_id is 'The organisation of the store.';
comment on column operations.store_id is 'The store it runs on.';
comment on column operations.ordinal is 'In which order they were added: decides between two of the same microsecond.';
comment on column operations.kind is 'What it does.';
comment on column operations.status is 'How it is doing.';
comment on column operations.step is 'The step that runs or is next.';
comment on column operations.attempt is 'Counted failures of that step.';
comment on column operations.epoch is 'The epoch of the store at the last claim.';
comment on column operations.worker is 'Who holds the lease: one start of one worker process.';
comment on column operations.lease_expires_at is 'When the lease runs out, by the clock of this database.';
comment on column operations.wake_at is 'When an operation that waits or is stuck may be claimed again.';
comment on column operations.failure_code is 'Why it waits, is stuck or failed: the typed reason.';
comment on column operations.failure_detail is 'Why it waits, is stuck or failed: the words of whoever met it. Never a secret.';
comment on column operations.requested_by is 'Who asked for it; kept when the account is gone, so not a foreign key.';
comment on column operations.request_id is 'The request that asked for it.';
comment on column operations.traceparent is 'The W3C trace context of that request.';
comment on column operations.created_at is 'When it was asked for.';
comment on column operations.started_at is 'When it was first claimed.';
comment on column operations.finished_at is 'When it was finished.';

create unique index operations_unfinished_key on operations (store_id)
    where status in ('queued', 'running', 'waiting', 'stuck');
-- What a claim looks through: the unfinished ones, oldest first.
create index operations_claim_idx on operations (created_at, ordinal)
    where status in ('queued', 'running', 'waiting', 'stuck');
create index operations_store_idx on operations (store_id, created_at desc, ordinal desc);
create index operations_tenant_list_idx on operations (tenant_id, created_at desc, id);

create table operation_steps (
    operation_id         uuid    not null,
    tenant_id            uuid    not null,
    step                 text    not null,
    status               text    not null,
    attempts             integer not null constraint operation_steps_attempts_check check (attempts >= 0),
    waits                integer not null constraint operation_steps_waits_check check (waits >= 0),
    first_started_at     timestamptz,
    started_at           timestamptz,
    finished_at          timestamptz,
    outage_us            bigint  not null,
    not_before           timestamptz,
    error_code           text,
    error_detail         text,
    error_retry_after_us bigint,
    constraint operation_steps_pkey primary key (operation_id, step),
    constraint operation_steps_operation_fkey
        foreign key (tenant_id, operation_id) references operations (tenant_id, id) on update cascade,
    constraint operation_steps_status_check check (status in ('pending', 'started', 'succeeded', 'failed')),
    constraint operation_steps_error_check check ((error_code is null) = (error_detail is null))
);

comment on table operation_steps is 'What became of the steps of an operation. A step that never began has no row.';
comment on column operation_steps.operation_id is 'The operation.';
comment on column operation_steps.tenant_id is 'The organisation of its store.';
comment on column operation_steps.step is 'Which step.';
comment on column operation_steps.status is 'How it is doing.';
comment on column operation_steps.attempts is 'Failures that cost an attempt.';
comment on column operation_steps.waits is 'Failures in a row that cost none.';
comment on column operation_steps.first_started_at is 'When it first began.';
comment on column operation_steps.started_at is 'When its last run began.';
comment on column operation_steps.finished_at is 'When its last run ended.';
comment on column operation_steps.outage_us is 'Time that does not count against its deadline, in microseconds.';
comment on column operation_steps.not_before is 'When it may run again.';
comment on column operation_steps.error_code is 'Why its last run failed: the typed reason.';
comment on column operation_steps.error_detail is 'Why its last run failed: the words of whoever met it. Never a secret.';
comment on column operation_steps.error_retry_after_us is 'How long somebody asked to wait after that failure, in microseconds.';
