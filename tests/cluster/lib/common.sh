# shellcheck shell=bash
# Talking to the person, and processes: each has a log and a pid file that names the process beyond doubt.

say() { echo "cluster: $*" >&2; }
die() { say "$*"; exit 1; }

# needs COMMAND:PACKAGE... : names all that is missing at once.
needs() {
  local pair missing=""
  for pair in "$@"; do command -v "${pair%%:*}" >/dev/null || missing+=" ${pair#*:}"; done
  [ -z "$missing" ] || die "missing here; install it: apt-get install -y$missing (or scripts/bootstrap cluster)"
}

# One `up`, `load` or `down` of a cluster at a time. `down` removes the lock's file, hence the second look.
LOCK=$(dirname "$DIR")/.$NAME.lock
lock() {
  mkdir -p "$(dirname "$DIR")"
  while :; do
    exec 8>"$LOCK"
    flock -n 8 || { say "another call works on $NAME, waiting for it"; flock 8; }
    [ "$LOCK" -ef /dev/fd/8 ] && return
  done
}

# When the process started, in ticks since boot; empty when it is gone or only a zombie. Pids are reused, pairs are not.
started_at() {
  local stat
  { stat=$(<"/proc/$1/stat"); } 2>/dev/null || return 0
  read -ra stat <<<"${stat##*) }"
  [ "${stat[0]}" = Z ] || echo "${stat[19]}"
}

alive() {
  local pid since
  { read -r pid since <"$DIR/pid/$1"; } 2>/dev/null || return 1
  [ -n "$since" ] && [ "$(started_at "$pid")" = "$since" ]
}

# start NAME COMMAND... : in a session of its own. The variable marks it and its children, for `down` after a crash.
# Without the machine's proxies: the parts talk to each other alone, by addresses that no proxy knows.
start() {
  local name=$1; shift
  alive "$name" && return
  env -u http_proxy -u https_proxy -u all_proxy -u HTTP_PROXY -u HTTPS_PROXY -u ALL_PROXY \
    SHOPWRIGHT_CLUSTER_DIR="$DIR" setsid "$@" >>"$DIR/log/$name.log" 2>&1 </dev/null 8>&- &
  echo "$! $(started_at $!)" >"$DIR/pid/$name"
}

stop() {
  local pid limit=$((SECONDS + 5))
  if alive "$1"; then
    read -r pid _ <"$DIR/pid/$1"
    kill "$pid" 2>/dev/null || true
    while alive "$1"; do
      if [ $SECONDS -ge $limit ]; then kill -KILL "$pid" 2>/dev/null || true; break; fi
      sleep 0.1
    done
  fi
  rm -f "$DIR/pid/$1"
}

# await PROCESS WHAT COMMAND... : until the command succeeds; at once an error when the process that should bring it is dead.
await() {
  local process=$1 what=$2 limit=$((SECONDS + 120)); shift 2
  until "$@" >/dev/null 2>&1; do
    alive "$process" || die "$process ended while waiting for $what; its last words in $DIR/log/$process.log:
$(tail -n 5 "$DIR/log/$process.log")"
    [ $SECONDS -lt $limit ] || die "$what: not after 120 s; logs are in $DIR/log"
    sleep 0.2
  done
}

# Only these names are substituted: the manifests' own $VARS stay.
manifest() { sed -e "s|\${DNS_IP}|$DNS_IP|g" -e "s|\${VOLUMES}|$DIR/volumes|g" -e "s|\${I}|${2:-}|g" "$HERE/manifests/$1.yaml"; }
