#!/bin/sh
# Starts the PostgreSQL of one store, after making its cluster, role and database when the volume is empty.
#
# What always holds: $PGDATA is absent or complete (it is made beside its place and renamed); passwords come from files, are never
# on a command line, and are stored as SCRAM verifiers; what a client may reach is exactly one database with one role.
#
# Environment: DB_NAME, DB_USER, DB_PASSWORD_FILE, DB_ROOT_PASSWORD_FILE, and any "-c name=value" as arguments.
set -eu
: "${DB_NAME:?}" "${DB_USER:?}" "${DB_PASSWORD_FILE:?}" "${DB_ROOT_PASSWORD_FILE:?}" "${PGDATA:?}"
umask 077

initialise() {
    new=$PGDATA.tmp
    rm -rf "$new"
    echo "store-postgres: making a new cluster"
    initdb --pgdata="$new" --username=postgres --pwfile="$DB_ROOT_PASSWORD_FILE" \
        --auth=scram-sha-256 --encoding=UTF8 --locale=C.UTF-8 --data-checksums >/tmp/initdb.log || { cat /tmp/initdb.log; return 1; }
    # While there is no network, the socket trusts this container's only user; the file that is served with replaces it below.
    cp "$new/pg_hba.conf" /tmp/pg_hba.conf
    echo 'local all postgres trust' >"$new/pg_hba.conf"
    pg_ctl --pgdata="$new" --options="-c listen_addresses='' -c unix_socket_directories=/tmp" --wait --silent --log=/tmp/start.log start \
        || { cat /tmp/start.log; return 1; }
    # psql reads the password itself (the back-quotes are its own), so no other process ever sees it.
    psql --no-psqlrc --quiet --set=ON_ERROR_STOP=1 --host=/tmp --username=postgres --dbname=postgres <<'SQL'
\getenv name DB_NAME
\getenv role DB_USER
\set password `cat "$DB_PASSWORD_FILE"`
set log_statement = 'none';
set log_min_error_statement = 'panic';
create role :"role" login password :'password';
create database :"name" owner :"role";
revoke connect, temporary on database :"name" from public;
revoke connect on database postgres, template1 from public;
SQL
    pg_ctl --pgdata="$new" --wait --silent --mode=fast stop
    { cat /tmp/pg_hba.conf; echo "host \"$DB_NAME\" \"$DB_USER\" all scram-sha-256"; } >"$new/pg_hba.conf"
    rm -f /tmp/pg_hba.conf /tmp/initdb.log /tmp/start.log
    mv "$new" "$PGDATA"
    sync
}

[ -s "$PGDATA/PG_VERSION" ] || initialise

exec postgres -D "$PGDATA" \
    -c listen_addresses='*' -c unix_socket_directories=/tmp -c jit=off \
    -c shared_buffers=64MB -c max_connections=50 -c work_mem=4MB -c maintenance_work_mem=32MB \
    -c max_wal_size=256MB -c log_timezone=UTC "$@"
