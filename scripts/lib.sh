# shellcheck shell=bash
# What scripts/run and scripts/down share: where things are, how they are started and stopped.

STATE=${SHOPWRIGHT_STATE:-$ROOT/.shopwright}
# PostgreSQL does not run as root, and its user may not be able to enter the directory of a clone.
DATA=$STATE/data
[ "$(id -u)" != 0 ] || DATA=/var/lib/shopwright/make-run
CLUSTER=(env CLUSTER_NAME=shopwright CLUSTER_INDEX=1)
CLUSTER_SETTINGS=()

say() { echo "run: $*" >&2; }
die() { echo "run: $*" >&2; exit 1; }

# The dashboard is part of the program. Without Node.js there is a page in its place that says how to get it.
build_dashboard() {
  local why
  if why=$(scripts/bootstrap --check dashboard 2>&1); then
    dashboard/build
  else
    say "the dashboard is left out: $why"
  fi
}

# The program runs from a copy: a build that goes on does not touch what runs.
build_program() {
  build_dashboard
  say "building shopwright (some minutes the first time)"
  cargo build --locked --quiet -p shopwright-app
  local built=${CARGO_TARGET_DIR:-target}/debug/shopwright
  cmp -s "$built" "$STATE/bin/shopwright" || { install -m 755 "$built" "$STATE/bin/.shopwright"; mv "$STATE/bin/.shopwright" "$STATE/bin/shopwright"; }
}

# KUBECONFIG ARGS...: what an administrator does once; the server itself then runs as the product's service account.
prepare_cluster() {
  local admin=$1; shift
  say "installing the policies, roles and service account that the server runs under"
  "$STATE/bin/shopwright" clusters prepare --admin-kubeconfig "$admin" "$@" >/dev/null
  "$STATE/bin/shopwright" clusters kubeconfig --admin-kubeconfig "$admin" "$@" --out "$STATE/kubeconfig"
  local helm; helm=$(eval "$(tests/cluster/cluster env | sed 's/KUBECONFIG=[^ ]* //')"; command -v helm)
  CLUSTER_SETTINGS=(KUBECONFIG="$STATE/kubeconfig" KUBE_CONTEXT=shopwright HELM_BIN="$helm")
}

# Images that the node has not got yet, and the values that name them.
load_images() {
  local name tag archive state
  mkdir -p "$STATE/values" "$STATE/loaded"
  while read -r name tag archive state; do
    [ "$state" = present ] && [ -s "$archive" ] || continue
    if [ ! -e "$STATE/loaded/$name-$tag" ]; then
      say "importing $name:$tag into the node"
      "${CLUSTER[@]}" tests/cluster/cluster load "$archive"
      touch "$STATE/loaded/$name-$tag"
    fi
  done < <(images/build --print)
  local out=${XDG_CACHE_HOME:-$HOME/.cache}/shopwright/images/out engine
  for engine in medusa woocommerce; do cp "$out/values-$engine.yaml" "$STATE/values/$engine.yaml"; done
}

running() { [ -s "$STATE/$1.pid" ] && kill -0 "$(cat "$STATE/$1.pid")" 2>/dev/null; }

# NAME WHAT COMMAND...: starts it in the background unless the same command already runs.
start() {
  local name=$1 what=$2 wanted; shift 2
  wanted=$(printf '%s\n' "$@" "$(sha256sum <"$STATE/bin/shopwright")")
  if running "$name" && [ "$wanted" = "$(cat "$STATE/$name.command" 2>/dev/null)" ]; then return 0; fi
  stop "$name"
  say "starting the $what"
  setsid "$@" >>"$STATE/$name.log" 2>&1 </dev/null &
  echo $! >"$STATE/$name.pid"
  printf '%s\n' "$wanted" >"$STATE/$name.command"
}

stop() {
  local pid
  running "$1" || { rm -f "$STATE/$1.pid"; return 0; }
  pid=$(cat "$STATE/$1.pid")
  kill -TERM "$pid" 2>/dev/null || true
  for _ in $(seq 300); do kill -0 "$pid" 2>/dev/null || { rm -f "$STATE/$1.pid"; return 0; }; sleep 0.1; done
  kill -KILL "$pid" 2>/dev/null || true
  rm -f "$STATE/$1.pid"
}

await_ready() {
  local began=$SECONDS
  until curl -fsS -o /dev/null "http://$HTTP_ADDR/readyz" 2>/dev/null; do
    running server || { tail -n 20 "$STATE/server.log" >&2; die "the server ended; its last lines are above, all of them in $STATE/server.log"; }
    [ $((SECONDS - began)) -lt 60 ] || { tail -n 20 "$STATE/server.log" >&2; die "the server is not ready after 60 s"; }
    sleep 0.2
  done
}
