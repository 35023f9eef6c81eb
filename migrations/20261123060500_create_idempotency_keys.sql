-- What requests under a key came to, kept for a day.

create table idempotency_keys (
    tenant_id    uuid        not null constraint idempotency_keys_tenant_fkey references tenants (id),
    route        text        not null,
    key          text        not null,
    fingerprint  bytea       not null,
    store_id     text        not null,
    operation_id uuid        not null,
    created_at   timestamptz not null,
    constraint idempotency_keys_pkey primary key (tenant_id, route, key)
);

comment on table idempotency_keys is 'What requests under an idempotency key came to. Store and operation may be of another tenant: administrators have keys too.';
comment on column idempotency_keys.tenant_id is 'Whose key.';
comment on column idempotency_keys.route is 'For which kind of request.';
comment on column idempotency_keys.key is 'The key, as the client chose it.';
comment on column idempotency_keys.fingerprint is 'Hash of the request: the same key with another request is refused.';
comment on column idempotency_keys.store_id is 'The store it made.';
comment on column idempotency_keys.operation_id is 'The operation it started.';
comment on column idempotency_keys.created_at is 'When; records older than a day count no more.';

create index idempotency_keys_created_idx on idempotency_keys (created_at);
