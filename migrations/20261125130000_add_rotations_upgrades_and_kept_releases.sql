-- Operations on stores that are ready and stay so: other passwords, another release, and the way back from both.

alter table operations
    drop constraint operations_kind_check,
    add constraint operations_kind_check
        check (kind in ('provision', 'delete', 'unwind', 'rotate', 'upgrade', 'revert')),
    add column origin_digest text;

comment on column operations.origin_digest is 'Which chart and values files the last attempt to install was made of: the key of release_origins.';

alter table store_credentials
    add column version        integer not null default 1 constraint store_credentials_version_check check (version > 0),
    add column pending_key_id text,
    add column pending_sealed bytea,
    add constraint store_credentials_pending_check check ((pending_key_id is null) = (pending_sealed is null));

comment on column store_credentials.version is 'Counts the sets of credentials that the store has had.';
comment on column store_credentials.pending_key_id is 'Which key sealed the set that is being tried in place of this one.';
comment on column store_credentials.pending_sealed is 'Nonce and ciphertext of the set that is being tried, until it is known to work or taken back.';

create table release_origins (
    digest     text        constraint release_origins_pkey primary key,
    archive    bytea       not null,
    created_at timestamptz not null default now()
);

comment on table release_origins is 'Charts with their values files, as releases were made of them: what a store can be brought back to. One row for each pair of chart and values that was ever installed, shared by all stores.';
comment on column release_origins.digest is 'Identity: the digest of what is in the archive.';
comment on column release_origins.archive is 'Chart and values files, compressed. No secret is in them.';
comment on column release_origins.created_at is 'When it was first installed.';

create table store_releases (
    store_id      text        constraint store_releases_pkey primary key,
    tenant_id     uuid        not null,
    origin_digest text        not null constraint store_releases_origin_fkey references release_origins (digest),
    chart_digest  text        not null,
    values_digest text        not null,
    helm_digest   text        not null,
    constraint store_releases_store_fkey
        foreign key (tenant_id, store_id) references stores (tenant_id, id) on update cascade
);

comment on table store_releases is 'The release with which a store was last seen to work; the row goes when the store is deleted.';
comment on column store_releases.store_id is 'The store.';
comment on column store_releases.tenant_id is 'The organisation that owns the store.';
comment on column store_releases.origin_digest is 'The chart and values files that it was made of.';
comment on column store_releases.chart_digest is 'Digest of the chart.';
comment on column store_releases.values_digest is 'Digest of all values.';
comment on column store_releases.helm_digest is 'Digest of the helm binary.';

-- Charts belong to the installation: whoever upgrades reads them, and workers keep them.
grant select on release_origins to shopwright_api, shopwright_platform;
grant select, insert on release_origins to shopwright_worker;

alter table store_releases enable row level security, force row level security;
create policy store_releases_owner on store_releases to current_user using (true);
create policy store_releases_api on store_releases to shopwright_api
    using (tenant_id = nullif(current_setting('shopwright.tenant_id', true), '')::uuid);
create policy store_releases_all on store_releases to shopwright_platform, shopwright_worker using (true);
grant select on store_releases to shopwright_api, shopwright_platform;
grant select, insert, update, delete on store_releases to shopwright_worker;
