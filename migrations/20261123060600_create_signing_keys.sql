-- Keys that sign access tokens, sealed by a key that this database never sees. They belong to the installation, not to a tenant.

create table signing_keys (
    id         text        constraint signing_keys_pkey primary key,
    key_id     text        not null,
    sealed     bytea       not null,
    created_at timestamptz not null
);

comment on table signing_keys is 'Keys that sign access tokens, shared by all replicas.';
comment on column signing_keys.id is 'The kid of its tokens; also the context that the seal is bound to.';
comment on column signing_keys.key_id is 'Which key sealed it.';
comment on column signing_keys.sealed is 'Nonce and ciphertext of the private key.';
comment on column signing_keys.created_at is 'When it was made.';
