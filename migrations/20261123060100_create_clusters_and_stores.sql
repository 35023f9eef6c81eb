-- Where stores are placed, and the stores.

create table clusters (
    name    text    constraint clusters_pkey primary key,
    permits integer not null constraint clusters_permits_check check (permits >= 0)
);

comment on table clusters is 'Registered clusters. A claim locks the row while it counts the permits in use.';
comment on column clusters.name is 'Identity.';
comment on column clusters.permits is 'How many operations may run on it at once, over all workers.';

create table stores (
    id                       text        constraint stores_pkey primary key,
    tenant_id                uuid        not null constraint stores_tenant_fkey references tenants (id),
    owner_id                 uuid        not null constraint stores_owner_fkey references users (id),
    cluster                  text        not null constraint stores_cluster_fkey references clusters (name),
    name                     text        not null,
    host                     text        not null,
    engine                   text        not null,
    theme                    text,
    state                    text        not null,
    epoch                    bigint      not null,
    row_version              bigint      not null,
    retry_count              integer     not null constraint stores_retry_count_check check (retry_count >= 0),
    failure_code             text,
    failure_detail           text,
    storefront_url           text,
    admin_url                text,
    engine_note              text,
    created_at               timestamptz not null,
    updated_at               timestamptz not null,
    provisioning_started_at  timestamptz,
    provisioning_duration_us bigint,
    ready_at                 timestamptz,
    deleted_at               timestamptz,
    constraint stores_tenant_id_key unique (tenant_id, id),
    constraint stores_state_check
        check (state in ('requested', 'provisioning', 'ready', 'failed', 'deleting', 'deleted')),
    constraint stores_failure_check check ((failure_code is null) = (failure_detail is null)),
    constraint stores_urls_check check ((storefront_url is null) = (admin_url is null))
);

comment on table stores is 'Stores. Deleted ones stay: their ids are never used again and their hosts only after a quarantine.';
comment on column stores.id is 'Identity: `store-` and 8 hexadecimal digits; also the namespace and the release.';
comment on column stores.tenant_id is 'The organisation that owns it.';
comment on column stores.owner_id is 'The person who asked for it, whose credentials it has.';
comment on column stores.cluster is 'The cluster it was placed on.';
comment on column stores.name is 'What the merchant calls it; unique among the live stores of a tenant.';
comment on column stores.host is 'The host that shoppers use; unique among all live stores.';
comment on column stores.engine is 'What runs in it.';
comment on column stores.theme is 'The look, for engines that have a choice.';
comment on column stores.state is 'Where it is in its life.';
comment on column stores.epoch is 'Fencing number: raised at every claim of any of its operations, never lowered.';
comment on column stores.row_version is 'Optimistic lock: raised by every save. Raising the epoch leaves it alone.';
comment on column stores.retry_count is 'How often it was retried since it was last ready.';
comment on column stores.failure_code is 'Why it is failed: the typed reason.';
comment on column stores.failure_detail is 'Why it is failed: the words of whoever met it. Never a secret.';
comment on column stores.storefront_url is 'Where shoppers go; set when it became ready.';
comment on column stores.admin_url is 'Where the merchant signs in; set when it became ready.';
comment on column stores.engine_note is 'What a user must know about this engine, for instance that it cannot take orders.';
comment on column stores.created_at is 'When it was asked for.';
comment on column stores.updated_at is 'When it last changed.';
comment on column stores.provisioning_started_at is 'When the provisioning that runs, or ran last, was started.';
comment on column stores.provisioning_duration_us is 'How long the successful provisioning took, in microseconds.';
comment on column stores.ready_at is 'When it was first ready.';
comment on column stores.deleted_at is 'When the last of it was gone.';

create unique index stores_live_name_key on stores (tenant_id, name) where state <> 'deleted';
create unique index stores_live_host_key on stores (host) where state <> 'deleted';
-- The quarantine of hosts that were released.
create index stores_deleted_host_idx on stores (host, deleted_at) where state = 'deleted';
-- The lists of a tenant and of an administrator.
create index stores_tenant_list_idx on stores (tenant_id, created_at desc, id);
create index stores_list_idx on stores (created_at desc, id);
