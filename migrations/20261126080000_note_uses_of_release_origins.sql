-- What nothing can be brought back to any more need not be kept: origins note their last use, and workers forget the unused ones.

alter table release_origins add column used_at timestamptz not null default now();

comment on column release_origins.used_at is 'When something was last installed from it, to the hour.';

create index store_releases_origin_idx on store_releases (origin_digest);

grant update (used_at), delete on release_origins to shopwright_worker;
