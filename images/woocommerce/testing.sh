# shellcheck shell=bash
# A store in the built images, without a cluster: database and web image as directories, a network namespace of their own. Sourced by `test` and
# `test-redis`; needs root, buildah and what images/build left.
#
# What always holds: everything happens in that namespace, in containers and in a directory of its own, which are removed at the end.
images=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cache=${XDG_CACHE_HOME:-$HOME/.cache}/shopwright/images
net=wootest$$
dir=$(mktemp -d /tmp/woo-test.XXXXXX)
declare -A root container
servers=()
failures=0

die() { printf 'test: %s\n' "$*" >&2; exit 1; }
buildah_() { buildah --root "$cache/storage" --runroot "$cache/run" --storage-driver overlay "$@"; }

start_root() {
    local name=$1 tag mounted
    tag=$("$images/build" --print "$name" | cut -f2)
    container[$name]=$(buildah_ from --pull-never "shopwright.test/$name:$tag") || die "run images/build $name first"
    mounted=$(buildah_ mount "${container[$name]}")
    root[$name]=$mounted
    mount --bind /dev "$mounted/dev"
    mount -t tmpfs -o mode=1777 tmpfs "$mounted/dev/shm"
    mount -t proc proc "$mounted/proc"
    mkdir -p "$mounted/run/store-secrets"
    mount --bind "$dir/secrets" "$mounted/run/store-secrets"
    chmod 1777 "$mounted/tmp"
}

clean() {
    local name
    for name in "${servers[@]}"; do { kill "$name" 2>/dev/null && wait "$name" 2>/dev/null; } || true; done
    for name in "${!root[@]}"; do
        umount "${root[$name]}/run/store-secrets" "${root[$name]}/proc" "${root[$name]}/dev/shm" "${root[$name]}/dev" || true
        buildah_ rm "${container[$name]}" >/dev/null || true
    done
    ip netns del "$net" 2>/dev/null || true
    rm -rf "$dir"
}
trap clean EXIT

# inside NAME UID COMMAND...: runs in that image as that user. `exec` keeps the process id.
inside() {
    local name=$1 uid=$2 secrets=/run/store-secrets
    shift 2
    exec ip netns exec "$net" env -i PATH=/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin DB_HOST=127.0.0.1 \
        DB_PASSWORD_FILE=$secrets/database-password DB_ROOT_PASSWORD_FILE=$secrets/database-root-password APP_SECRET_FILE=$secrets/app-secret \
        ADMIN_USERNAME_FILE=$secrets/admin-username ADMIN_EMAIL_FILE=$secrets/admin-email ADMIN_PASSWORD_FILE=$secrets/admin-password \
        DATABASE_URL_FILE="${by_url:-}" REDIS_URL_FILE="${by_redis:-}" STORE_NAME='O'\''Brien "& sons"' STORE_URL=http://teashop.localhost:8080 TERMINATION_LOG=/tmp/termination-log \
        chroot --userspec="$uid:$uid" "${root[$name]}" "$@"
}
setup() { (inside woocommerce 33 store-setup) >"$dir/setup.log" 2>&1; }
sql() { printf '%s\n' "$1" | (inside mariadb 999 mariadb --defaults-file=/run/store-secrets/root.cnf -N "${2:-store}"); }

expect() { if [[ $2 == "$3" ]]; then echo "ok: $1"; else echo "FAILED: $1: expected '$3', got '$2'"; failures=$((failures + 1)); fi; }

mkdir "$dir/secrets"
chmod 755 "$dir" "$dir/secrets"
printf %s "p'w\\1" >"$dir/secrets/database-password"
printf %s "root-pw" >"$dir/secrets/database-root-password"
printf '[client]\nuser=root\npassword=root-pw\nsocket=/tmp/mysqld.sock\n' >"$dir/secrets/root.cnf"
printf %s secret-of-the-app >"$dir/secrets/app-secret"
printf %s admin >"$dir/secrets/admin-username"
printf %s owner@example.com >"$dir/secrets/admin-email"
printf %s 'correct horse' >"$dir/secrets/admin-password"
ip netns add "$net"
ip -n "$net" link set lo up
start_root mariadb
start_root woocommerce
shop_there=0
[[ ! -d ${root[woocommerce]}/srv/wp/wp-content/plugins/woocommerce ]] || shop_there=1
chown 33:33 "${root[woocommerce]}/srv/wp/wp-content/uploads"
(inside mariadb 999 store-db) >"$dir/db.log" 2>&1 &
servers+=($!)
deadline=$((SECONDS + 60))
until (inside mariadb 999 store-db-ready) 2>/dev/null; do ((SECONDS < deadline)) || die "no database after 60 s: $(tail -n 3 "$dir/db.log")"; done
