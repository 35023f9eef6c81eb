-- Organisations of more than one person.

alter table tenants
    add column personal   boolean not null default true,
    add column deleted_at timestamptz;

comment on column tenants.personal is 'Whether it came with an account. Those of the program before this one all did.';
comment on column tenants.deleted_at is 'When it was dissolved. The row stays, for the audit trail.';

create table memberships (
    tenant_id  uuid        not null constraint memberships_tenant_fkey references tenants (id),
    user_id    uuid        not null constraint memberships_user_fkey references users (id),
    role       text        not null
        constraint memberships_role_check check (role in ('owner', 'admin', 'developer', 'viewer')),
    created_at timestamptz not null,
    constraint memberships_pkey primary key (tenant_id, user_id)
);

comment on table memberships is 'Who belongs to which organisation. The person whose account an organisation came with is its owner without a row.';
comment on column memberships.tenant_id is 'The organisation.';
comment on column memberships.user_id is 'The member.';
comment on column memberships.role is 'What they are in it.';
comment on column memberships.created_at is 'When they joined.';

create index memberships_user_idx on memberships (user_id, created_at);

create table invitations (
    id          uuid        constraint invitations_pkey primary key,
    tenant_id   uuid        not null constraint invitations_tenant_fkey references tenants (id),
    email       text,
    role        text        not null
        constraint invitations_role_check check (role in ('owner', 'admin', 'developer', 'viewer')),
    digest      bytea       not null constraint invitations_digest_key unique,
    invited_by  uuid        not null,
    created_at  timestamptz not null,
    expires_at  timestamptz not null,
    accepted_at timestamptz,
    accepted_by uuid,
    revoked_at  timestamptz,
    constraint invitations_tenant_id_key unique (tenant_id, id),
    constraint invitations_digest_check check (length(digest) = 32),
    constraint invitations_accepted_check check ((accepted_at is null) = (accepted_by is null))
);

comment on table invitations is 'Invitations to organisations, also for a while after their end.';
comment on column invitations.id is 'Identity.';
comment on column invitations.tenant_id is 'The organisation.';
comment on column invitations.email is 'Whom it is for; whoever has the token when it names nobody.';
comment on column invitations.role is 'What they become.';
comment on column invitations.digest is 'SHA-256 of the token; the token itself is kept nowhere.';
comment on column invitations.invited_by is 'Who invites; kept when the account is gone, so not a foreign key.';
comment on column invitations.created_at is 'When it was made.';
comment on column invitations.expires_at is 'From then on it is worth nothing.';
comment on column invitations.accepted_at is 'When it was accepted: it is good for one person.';
comment on column invitations.accepted_by is 'Who accepted it.';
comment on column invitations.revoked_at is 'When it was taken back.';

create index invitations_tenant_idx on invitations (tenant_id, created_at desc, id desc);
create index invitations_end_idx on invitations (expires_at);

alter table api_tokens add column acts_in uuid constraint api_tokens_acts_in_fkey references tenants (id);
comment on column api_tokens.acts_in is 'The organisation in whose name it acts; the one that came with the account when there is none.';

-- An organisation manages its own members and invitations; identity looks both up before anybody's organisation is known, and adds
-- members. Nobody else has business with them.
alter table memberships enable row level security, force row level security;
create policy memberships_owner on memberships to current_user using (true);
create policy memberships_api on memberships to shopwright_api
    using (tenant_id = nullif(current_setting('shopwright.tenant_id', true), '')::uuid);
create policy memberships_identity on memberships to shopwright_identity using (true);
grant select, update, delete on memberships to shopwright_api;
grant select, insert, update, delete on memberships to shopwright_identity;

alter table invitations enable row level security, force row level security;
create policy invitations_owner on invitations to current_user using (true);
create policy invitations_api on invitations to shopwright_api
    using (tenant_id = nullif(current_setting('shopwright.tenant_id', true), '')::uuid);
create policy invitations_identity on invitations to shopwright_identity using (true);
grant select, insert, update on invitations to shopwright_api;
grant select, update, delete on invitations to shopwright_identity;

-- Of accounts an organisation sees those of its members, and of these the address and the name.
alter table users enable row level security, force row level security;
create policy users_owner on users to current_user using (true);
create policy users_identity on users to shopwright_identity using (true);
create policy users_api on users for select to shopwright_api
    using (tenant_id = nullif(current_setting('shopwright.tenant_id', true), '')::uuid
           or exists (select from memberships m
                      where m.user_id = users.id
                          and m.tenant_id = nullif(current_setting('shopwright.tenant_id', true), '')::uuid));
grant select (id, tenant_id, email, username, created_at) on users to shopwright_api;
