#!/bin/sh
# A private PostgreSQL for tests: on a unix socket in DIR, with a role that may create databases and is no superuser, because a
# superuser would pass every check of rights unseen. Nothing in it survives a crash (fsync is off).
#
#   tests/postgres.sh start DIR   starts it, prints the DATABASE_URL; one that runs already is kept
#   tests/postgres.sh stop DIR    stops it and removes DIR
#   tests/postgres.sh restart DIR   ends all connections and starts it again, as an upgrade does
#   tests/postgres.sh crash DIR     kills all its processes and starts it again: it recovers from its log
#
# POSTGRES_DURABLE=1 at `start`: what was committed survives a crash of the server, though not one of the machine.
# DIR must be short: a socket's path has at most 107 bytes. Started by root, the server runs as the user `postgres`, or else `nobody`.
set -eu

usage() { echo "usage: $0 start|stop|restart|crash DIR" >&2; exit 64; }
[ $# -eq 2 ] || usage
case $2 in /*) dir=$2 ;; *) dir=$PWD/$2 ;; esac
data=$dir/data log=$dir/server.log

# Debian keeps the server's programs out of PATH.
for bin in /usr/lib/postgresql/*/bin; do [ -d "$bin" ] && PATH=$bin:$PATH; done
command -v initdb >/dev/null || { echo "$0: initdb not found: install the PostgreSQL server" >&2; exit 69; }

as_server() { "$@"; }
if [ "$(id -u)" = 0 ]; then
    if id postgres >/dev/null 2>&1; then owner=postgres; else owner=nobody; fi
    as_server() { runuser -u "$owner" -- "$@"; }
fi

# The caller's directory may be closed to the server's user.
cd /

as_superuser() { as_server psql -h "$dir" -U root_of_tests -d postgres -qAt -v ON_ERROR_STOP=1 "$@"; }

case $1 in
start)
    mkdir -p "$dir"
    if [ "$(id -u)" = 0 ]; then chown "$owner" "$dir"; fi
    if [ ! -s "$data/PG_VERSION" ]; then
        as_server initdb -D "$data" -U root_of_tests -A trust -E UTF8 --locale=C.UTF-8 --no-sync >"$dir.initdb.log" 2>&1 \
            || { cat "$dir.initdb.log" >&2; exit 70; }
        rm -f "$dir.initdb.log"
    fi
    if ! as_server pg_ctl -D "$data" status >/dev/null 2>&1; then
        if [ -n "${POSTGRES_DURABLE:-}" ]; then commit=on; else commit=off; fi
        as_server pg_ctl -D "$data" -l "$log" -w -t 60 start -o \
            "-k '$dir' -c listen_addresses='' -c fsync=off -c synchronous_commit=$commit -c full_page_writes=off -c max_connections=200" \
            >/dev/null || { tail -20 "$log" >&2; exit 70; }
        role="select 1 from pg_roles where rolname = 'shopwright'"
        if [ -z "$(as_superuser -c "$role")" ]; then
            as_superuser -c 'create role shopwright login createdb nosuperuser nobypassrls' -c 'create database shopwright owner shopwright'
        fi
    fi
    # The roles of transactions belong to the server; a login without CREATEROLE finds them made, as where an administrator made them.
    for role in shopwright_identity shopwright_api shopwright_platform shopwright_worker; do
        if [ -z "$(as_superuser -c "select 1 from pg_roles where rolname = '$role'")" ]; then
            as_superuser -c "create role $role nologin" -c "grant $role to shopwright"
        fi
    done
    echo "postgres://shopwright@localhost/shopwright?host=$dir"
    ;;
stop)
    [ -s "$data/PG_VERSION" ] || exit 0
    as_server pg_ctl -D "$data" -w -t 30 -m immediate stop >/dev/null 2>&1 || true
    rm -rf "$dir"
    ;;
restart) as_server pg_ctl -D "$data" -l "$log" -w -t 60 -m fast restart >/dev/null ;;
crash) as_server pg_ctl -D "$data" -l "$log" -w -t 60 -m immediate restart >/dev/null ;;
*) usage ;;
esac
