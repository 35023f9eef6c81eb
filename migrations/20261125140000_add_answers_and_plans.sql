-- What a request under an idempotency key was answered, for every kind of request; and what an organisation may take.

alter table idempotency_keys
    alter column store_id drop not null,
    alter column operation_id drop not null,
    add column answer_status smallint
        constraint idempotency_keys_answer_status_check check (answer_status between 200 and 499),
    add column answer_type text,
    add column answer_body text,
    add column answer_location text,
    add constraint idempotency_keys_answer_check
        check ((answer_status is null) = (answer_type is null) and (answer_status is null) = (answer_body is null));

comment on column idempotency_keys.store_id is 'The store it made or changed, if it is a request about one.';
comment on column idempotency_keys.operation_id is 'The operation it started, if it started one.';
comment on column idempotency_keys.answer_status is 'The status that its client was given; null until then.';
comment on column idempotency_keys.answer_type is 'The media type of the body.';
comment on column idempotency_keys.answer_body is 'The body as it was sent, without the secrets in it.';
comment on column idempotency_keys.answer_location is 'The header Location that came with it.';

-- A constant default: the rows that are there need not be written.
alter table tenants
    add column plan text not null default 'standard' constraint tenants_plan_check check (plan ~ '^[a-z0-9-]{1,32}$');

comment on column tenants.plan is 'What it may take: the name of a plan, whose meaning is configuration.';

comment on table sign_in_throttles is 'Counters: attempts to sign in, by account and by account and address (accounts that do not exist have them too), registrations by address, requests by payer.';
comment on column sign_in_throttles.rate_state is 'State of the rate: when all that was let in so far is paid for.';
