-- Sign-ins of people, tokens of programs, counters of attempts. They are looked up before anybody's organisation is known.

create table sessions (
    id           uuid        constraint sessions_pkey primary key,
    user_id      uuid        not null,
    tenant_id    uuid        not null,
    created_at   timestamptz not null,
    last_used_at timestamptz not null,
    expires_at   timestamptz not null,
    revoked_at   timestamptz,
    ip_address   text,
    user_agent   text,
    constraint sessions_tenant_id_key unique (tenant_id, id),
    constraint sessions_user_fkey foreign key (tenant_id, user_id) references users (tenant_id, id) on update cascade
);

comment on table sessions is 'Sign-ins: one row per sign-in of a person, also for a while after its end.';
comment on column sessions.id is 'Identity; it stands in access tokens.';
comment on column sessions.user_id is 'Who signed in.';
comment on column sessions.tenant_id is 'The organisation that came with the account.';
comment on column sessions.created_at is 'When they signed in.';
comment on column sessions.last_used_at is 'When it was last refreshed; at first when it began.';
comment on column sessions.expires_at is 'It ends then, however often it is refreshed.';
comment on column sessions.revoked_at is 'When it was ended before its time.';
comment on column sessions.ip_address is 'The address of the last sign-in or refresh.';
comment on column sessions.user_agent is 'What the client called itself when it signed in.';

create index sessions_user_idx on sessions (user_id, created_at desc, id desc);
-- What is forgotten next.
create index sessions_end_idx on sessions (least(expires_at, revoked_at));

create table refresh_tokens (
    digest      bytea       constraint refresh_tokens_pkey primary key,
    session_id  uuid        not null,
    tenant_id   uuid        not null,
    issued_at   timestamptz not null,
    expires_at  timestamptz not null,
    replaced_at timestamptz,
    nonce       bytea,
    constraint refresh_tokens_session_fkey
        foreign key (tenant_id, session_id) references sessions (tenant_id, id) on update cascade on delete cascade,
    constraint refresh_tokens_digest_check check (length(digest) = 32),
    constraint refresh_tokens_nonce_check check ((nonce is null) = (replaced_at is null) and length(nonce) = 16)
);

comment on table refresh_tokens is 'The refresh tokens of a session, each replaced by the next: one that was used must be known, so that its second use gives a thief away.';
comment on column refresh_tokens.digest is 'SHA-256 of the token; the token itself is kept nowhere.';
comment on column refresh_tokens.session_id is 'The session it refreshes.';
comment on column refresh_tokens.tenant_id is 'The organisation of the session.';
comment on column refresh_tokens.issued_at is 'When it was issued.';
comment on column refresh_tokens.expires_at is 'Not used until then, it is worth nothing.';
comment on column refresh_tokens.replaced_at is 'When it was used.';
comment on column refresh_tokens.nonce is 'Its successor follows from the token and this nonce, and from neither alone.';

create index refresh_tokens_session_idx on refresh_tokens (session_id, expires_at);
-- A session has one token that can be used.
create unique index refresh_tokens_current_key on refresh_tokens (session_id) where replaced_at is null;

create table api_tokens (
    id           uuid        constraint api_tokens_pkey primary key,
    user_id      uuid        not null,
    tenant_id    uuid        not null,
    name         text        not null,
    prefix       text        not null,
    digest       bytea       not null constraint api_tokens_digest_key unique,
    scopes       text[]      not null,
    created_at   timestamptz not null,
    expires_at   timestamptz not null,
    last_used_at timestamptz,
    revoked_at   timestamptz,
    constraint api_tokens_tenant_id_key unique (tenant_id, id),
    constraint api_tokens_user_fkey foreign key (tenant_id, user_id) references users (tenant_id, id) on update cascade,
    constraint api_tokens_digest_check check (length(digest) = 32),
    constraint api_tokens_scopes_check
        check (scopes <@ array['account:read', 'stores:read', 'stores:write', 'platform:admin'] and cardinality(scopes) > 0)
);

comment on table api_tokens is 'What programs sign in with, also for a while after its end.';
comment on column api_tokens.id is 'Identity.';
comment on column api_tokens.user_id is 'Who made it, and in whose name it acts.';
comment on column api_tokens.tenant_id is 'The organisation that came with the account.';
comment on column api_tokens.name is 'What its maker calls it.';
comment on column api_tokens.prefix is 'How the token begins, so that people find it again.';
comment on column api_tokens.digest is 'SHA-256 of the token; the token itself is kept nowhere.';
comment on column api_tokens.scopes is 'What it may be used for.';
comment on column api_tokens.created_at is 'When it was made.';
comment on column api_tokens.expires_at is 'From then on it is refused.';
comment on column api_tokens.last_used_at is 'When it was last used, to the minute.';
comment on column api_tokens.revoked_at is 'When it was revoked.';

create index api_tokens_user_idx on api_tokens (user_id, created_at desc, id desc);
create index api_tokens_end_idx on api_tokens (least(expires_at, revoked_at));

create table sign_in_throttles (
    key             bytea       constraint sign_in_throttles_pkey primary key,
    failed_sign_ins integer     not null default 0
        constraint sign_in_throttles_failed_sign_ins_check check (failed_sign_ins >= 0),
    locked_until    timestamptz,
    rate_state      timestamptz,
    touched_at      timestamptz not null,
    constraint sign_in_throttles_key_check check (length(key) = 32)
);

comment on table sign_in_throttles is 'Counters of attempts to sign in, by account and by account and address; accounts that do not exist have them too.';
comment on column sign_in_throttles.key is 'Digest of what is counted under it.';
comment on column sign_in_throttles.failed_sign_ins is 'Failures since the last success or lock-out. An attempt is a failure until it has proved to be none.';
comment on column sign_in_throttles.locked_until is 'No attempt is made before this time.';
comment on column sign_in_throttles.rate_state is 'State of the rate: when the last attempt let in so far is paid for.';
comment on column sign_in_throttles.touched_at is 'When somebody last looked; rows of long ago are removed.';

create index sign_in_throttles_touched_idx on sign_in_throttles (touched_at);

-- The counters of users moved here. The columns stay for one release, for the program before this one reads them.
comment on column users.failed_sign_ins is 'Not used any more: see sign_in_throttles.';
comment on column users.locked_until is 'Not used any more: see sign_in_throttles.';

alter table signing_keys add column activates_at timestamptz;
update signing_keys set activates_at = created_at;
-- A key of the program before this one signs at once.
alter table signing_keys alter column activates_at set default now(), alter column activates_at set not null;

comment on column signing_keys.activates_at is 'From when on it signs; before that it is only known.';
