-- Operations that take back a cancelled provision, are made of known things, and may come from a newer program.

alter table operations
    drop constraint operations_kind_check,
    add constraint operations_kind_check check (kind in ('provision', 'delete', 'unwind')),
    add column saga_version integer not null default 1
        constraint operations_saga_version_check check (saga_version > 0),
    add column chart_digest  text,
    add column values_digest text,
    add column helm_digest   text,
    add constraint operations_digests_check
        check ((chart_digest is null) = (values_digest is null) and (chart_digest is null) = (helm_digest is null));

comment on column operations.saga_version is 'For which version of the sagas it was made: programs that know only older ones leave it alone.';
comment on column operations.chart_digest is 'Digest of the chart of the last attempt to install.';
comment on column operations.values_digest is 'Digest of the values of the last attempt to install.';
comment on column operations.helm_digest is 'Digest of the helm binary of the last attempt to install.';

alter table operation_steps
    add column crashes integer not null default 0 constraint operation_steps_crashes_check check (crashes >= 0);

comment on column operation_steps.crashes is 'Workers in a row that ended in the middle of it.';
