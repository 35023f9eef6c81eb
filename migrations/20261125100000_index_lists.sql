-- What the lists of the API go along: a page begins at a place in an index, however far down the list that is.

-- Names are compared by their bytes: one order, whatever the locale of the database.
create index stores_tenant_name_idx on stores (tenant_id, name collate "C", id);
create index stores_name_idx on stores (name collate "C", id);
-- An administrator's list of operations.
create index operations_list_idx on operations (created_at desc, id);
-- The trail of one operation, and of what is no store's matter.
create index audit_events_operation_idx on audit_events (operation_id, sequence desc) where operation_id is not null;
create index audit_events_account_idx on audit_events (tenant_id, sequence desc) where store_id is null;

-- Every page of a list says how many there are in all. That number is kept, not counted.

create table store_totals (
    tenant_id uuid   not null constraint store_totals_tenant_fkey references tenants (id),
    engine    text   not null,
    state     text   not null,
    stores    bigint not null,
    constraint store_totals_pkey primary key (tenant_id, engine, state)
);

comment on table store_totals is 'How many stores a tenant has, by engine and state. Kept by triggers on stores.';
comment on column store_totals.tenant_id is 'Whose stores.';
comment on column store_totals.engine is 'What runs in them.';
comment on column store_totals.state is 'Where they are in their life.';
comment on column store_totals.stores is 'How many there are.';

alter table store_totals enable row level security, force row level security;
create policy store_totals_owner on store_totals to current_user using (true);
create policy store_totals_api on store_totals to shopwright_api
    using (tenant_id = nullif(current_setting('shopwright.tenant_id', true), '')::uuid);
create policy store_totals_all on store_totals to shopwright_platform, shopwright_worker using (true);
grant select, insert, update on store_totals to shopwright_api, shopwright_platform, shopwright_worker;

-- Rows are locked in one order, so that two changes never wait for each other in a circle.
create function count_added_stores() returns trigger language plpgsql as $$
begin
    insert into store_totals as t (tenant_id, engine, state, stores)
    select tenant_id, engine, state, count(*) from added group by 1, 2, 3 order by 1, 2, 3
    on conflict (tenant_id, engine, state) do update set stores = t.stores + excluded.stores;
    return null;
end $$;

create function count_removed_stores() returns trigger language plpgsql as $$
begin
    insert into store_totals as t (tenant_id, engine, state, stores)
    select tenant_id, engine, state, -count(*) from removed group by 1, 2, 3 order by 1, 2, 3
    on conflict (tenant_id, engine, state) do update set stores = t.stores + excluded.stores;
    return null;
end $$;

create function count_changed_stores() returns trigger language plpgsql as $$
begin
    insert into store_totals as t (tenant_id, engine, state, stores)
    select tenant_id, engine, state, sum(change)
    from (
        select tenant_id, engine, state, 1 as change from added
        union all
        select tenant_id, engine, state, -1 from removed
    ) changes
    group by 1, 2, 3 having sum(change) <> 0 order by 1, 2, 3
    on conflict (tenant_id, engine, state) do update set stores = t.stores + excluded.stores;
    return null;
end $$;

create trigger stores_added_trigger after insert on stores
    referencing new table as added for each statement execute function count_added_stores();
create trigger stores_removed_trigger after delete on stores
    referencing old table as removed for each statement execute function count_removed_stores();
create trigger stores_changed_trigger after update on stores
    referencing old table as removed new table as added for each statement execute function count_changed_stores();

insert into store_totals (tenant_id, engine, state, stores)
select tenant_id, engine, state, count(*) from stores group by 1, 2, 3;
