-- Whose rows a transaction sees is the database's to say, not the statements': every transaction runs as one of four roles, which
-- `shopwright migrate` makes before this, and the API's says for which organisation by the setting `shopwright.tenant_id`. Whoever
-- migrates owns the tables and sees all rows; so does the program before this one, which knows no roles.
--
-- An empty setting is what a transaction that ended leaves behind: it counts as none.

grant select on _sqlx_migrations to public;

do $$
begin
    execute format('grant usage on schema %I to shopwright_identity, shopwright_api, shopwright_platform, shopwright_worker', current_schema());
end
$$;

-- Organisations. Identity makes and names them before anybody's is known.
alter table tenants enable row level security, force row level security;
create policy tenants_owner on tenants to current_user using (true);
create policy tenants_api on tenants to shopwright_api
    using (id = nullif(current_setting('shopwright.tenant_id', true), '')::uuid);
create policy tenants_all on tenants to shopwright_identity, shopwright_platform, shopwright_worker using (true);
grant select, update on tenants to shopwright_api, shopwright_platform, shopwright_worker;
grant select, insert, update on tenants to shopwright_identity;

alter table stores enable row level security, force row level security;
create policy stores_owner on stores to current_user using (true);
create policy stores_api on stores to shopwright_api
    using (tenant_id = nullif(current_setting('shopwright.tenant_id', true), '')::uuid);
create policy stores_all on stores to shopwright_platform, shopwright_worker using (true);
grant select, insert, update, delete on stores to shopwright_api, shopwright_platform, shopwright_worker;

alter table operations enable row level security, force row level security;
create policy operations_owner on operations to current_user using (true);
create policy operations_api on operations to shopwright_api
    using (tenant_id = nullif(current_setting('shopwright.tenant_id', true), '')::uuid);
create policy operations_all on operations to shopwright_platform, shopwright_worker using (true);
grant select, insert, update, delete on operations to shopwright_api, shopwright_platform, shopwright_worker;

alter table operation_steps enable row level security, force row level security;
create policy operation_steps_owner on operation_steps to current_user using (true);
create policy operation_steps_api on operation_steps to shopwright_api
    using (tenant_id = nullif(current_setting('shopwright.tenant_id', true), '')::uuid);
create policy operation_steps_all on operation_steps to shopwright_platform, shopwright_worker using (true);
grant select, insert, update, delete on operation_steps to shopwright_api, shopwright_platform, shopwright_worker;

alter table store_credentials enable row level security, force row level security;
create policy store_credentials_owner on store_credentials to current_user using (true);
create policy store_credentials_api on store_credentials to shopwright_api
    using (tenant_id = nullif(current_setting('shopwright.tenant_id', true), '')::uuid);
create policy store_credentials_all on store_credentials to shopwright_platform, shopwright_worker using (true);
grant select, insert, update, delete on store_credentials to shopwright_api, shopwright_platform, shopwright_worker;

-- The trail is only ever added to. Identity adds to everybody's, for it writes down who signed in to what, and reads none.
alter table audit_events enable row level security, force row level security;
create policy audit_events_owner on audit_events to current_user using (true);
create policy audit_events_api on audit_events to shopwright_api
    using (tenant_id = nullif(current_setting('shopwright.tenant_id', true), '')::uuid);
create policy audit_events_all on audit_events to shopwright_platform, shopwright_worker using (true);
create policy audit_events_identity on audit_events for insert to shopwright_identity with check (true);
grant select, insert on audit_events to shopwright_api, shopwright_platform, shopwright_worker;
grant insert on audit_events to shopwright_identity;

alter table idempotency_keys enable row level security, force row level security;
create policy idempotency_keys_owner on idempotency_keys to current_user using (true);
create policy idempotency_keys_api on idempotency_keys to shopwright_api
    using (tenant_id = nullif(current_setting('shopwright.tenant_id', true), '')::uuid);
create policy idempotency_keys_all on idempotency_keys to shopwright_platform, shopwright_worker using (true);
grant select, insert, update, delete on idempotency_keys to shopwright_api, shopwright_platform, shopwright_worker;

-- Of the installation, not of a tenant. A claim locks a cluster's row while it counts.
grant select on clusters to shopwright_api;
grant select, update on clusters to shopwright_worker;
grant select, insert, update, delete on clusters to shopwright_platform;

-- Looked up before anybody's organisation is known, by the one role that may (DECISIONS 23).
grant select, insert, update, delete on users, sessions, refresh_tokens, api_tokens, sign_in_throttles, signing_keys
    to shopwright_identity;

-- A host is unique in the installation, so whether one is free is asked of all stores; the answer says no more than that. The names in
-- the body are bound when it is made: nobody's search path reaches into what runs as the owner.
create function host_is_free(wanted text, released_before timestamptz) returns boolean
    language sql stable security definer set search_path = pg_catalog, pg_temp
begin atomic
    -- Two branches, one for each of the two partial indexes on hosts.
    select not exists (
        select from stores where host = wanted and state <> 'deleted'
        union all
        select from stores
        where host = wanted and state = 'deleted' and (deleted_at > released_before or deleted_at is null)
    );
end;
comment on function host_is_free is 'Whether no store holds this host and none did after this time. Runs as the owner.';
revoke all on function host_is_free from public;
grant execute on function host_is_free to shopwright_api, shopwright_platform, shopwright_worker;
