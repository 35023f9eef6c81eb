-- Organisations and the people who sign in.

create table tenants (
    id                    uuid        constraint tenants_pkey primary key,
    name                  text        not null,
    last_store_created_at timestamptz,
    audit_head            bigint      not null default 0 constraint tenants_audit_head_check check (audit_head >= 0),
    created_at            timestamptz not null
);

comment on table tenants is 'Organisations: what owns stores and what quotas count. Its row is the first lock of every change to what it owns.';
comment on column tenants.id is 'Identity.';
comment on column tenants.name is 'What it is called.';
comment on column tenants.last_store_created_at is 'When its last store was created: the cooldown counts from here.';
comment on column tenants.audit_head is 'Number of its last audit event. Raised in the transaction that appends one, so the chain has no gaps.';
comment on column tenants.created_at is 'When it was made.';

create table users (
    id              uuid        constraint users_pkey primary key,
    tenant_id       uuid        not null constraint users_tenant_fkey references tenants (id),
    email           text        not null constraint users_email_key unique,
    username        text        not null constraint users_username_key unique,
    password_hash   text        not null,
    role            text        not null constraint users_role_check check (role in ('admin', 'tenant')),
    active          boolean     not null,
    failed_sign_ins integer     not null default 0 constraint users_failed_sign_ins_check check (failed_sign_ins >= 0),
    locked_until    timestamptz,
    created_at      timestamptz not null,
    constraint users_tenant_id_key unique (tenant_id, id)
);

comment on table users is 'Accounts. Addresses and names are unique in the installation.';
comment on column users.id is 'Identity.';
comment on column users.tenant_id is 'The organisation of its own that came with the account.';
comment on column users.email is 'Address, in lower case.';
comment on column users.username is 'Name; case matters.';
comment on column users.password_hash is 'Hash of the password, a PHC string.';
comment on column users.role is 'What the account may do on the platform as a whole.';
comment on column users.active is 'Whether it may sign in.';
comment on column users.failed_sign_ins is 'Failed sign-ins since the last success or lock-out.';
comment on column users.locked_until is 'No sign-in is tried before this time.';
comment on column users.created_at is 'When it was made.';
