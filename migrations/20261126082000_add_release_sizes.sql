-- The size of a store follows its organisation's plan; the way back needs the one that the store had.

alter table operations add column release_size text;
alter table store_releases add column size text;

comment on column operations.release_size is 'Which of the chart''s sizes the last attempt to install asked for; null for the one that the values name.';
comment on column store_releases.size is 'Which of the chart''s sizes the store had; null for the one that the values name.';
