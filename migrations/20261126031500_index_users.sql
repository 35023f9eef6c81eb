-- What platform administrators go along: the list of accounts, newest first, and each other, whom nobody leaves without the last.

create index users_list_idx on users (created_at desc, id);
create index users_administrators_idx on users (id) where role = 'admin';
