-- What stores are made with, sealed by a key that this database never sees.

create table store_credentials (
    store_id  text  constraint store_credentials_pkey primary key,
    tenant_id uuid  not null,
    key_id    text  not null,
    sealed    bytea not null,
    constraint store_credentials_store_fkey
        foreign key (tenant_id, store_id) references stores (tenant_id, id) on update cascade
);

comment on table store_credentials is 'Sealed credentials of stores; the row goes when the store is deleted.';
comment on column store_credentials.store_id is 'The store; also the context that the seal is bound to.';
comment on column store_credentials.tenant_id is 'The organisation that owns the store.';
comment on column store_credentials.key_id is 'Which key sealed them.';
comment on column store_credentials.sealed is 'Nonce and ciphertext.';
