-- How far an engine's own set-up has come: shown to the store's owner, while it runs and after.

alter table operations
    add column setup_steps  text[]   not null default '{}',
    add column setup_millis bigint[] not null default '{}',
    add constraint operations_setup_check check (cardinality(setup_steps) = cardinality(setup_millis));

comment on column operations.setup_steps is 'The steps that the last set-up of this operation has said to have done, in their order.';
comment on column operations.setup_millis is 'How long each of them took, in milliseconds.';
