# shellcheck shell=bash
# The stores that the parts of tests/policies/run look at, and who looks. What always holds: a store's namespace and the worker in it are
# as the control plane makes them (adapters-k8s: namespace.rs, accounts.yaml), and stores are installed by helm as that worker.

# ENGINE PROFILE NUMBER: each has two stores, a and b. The last two characters of a store's id are its number and letter; what stands
# before them is of this run, which so need not wait until what an earlier one left is gone.
RUN=$(printf '%06x' $((SRANDOM & 0xffffff)))
STORES=("medusa local 1" "medusa production 2" "woocommerce local 3" "woocommerce production 4")
ENFORCED=$(sed -n 's/.*enforce-version", "\(v[0-9.]*\)".*/\1/p' "$ROOT/crates/adapters-k8s/src/names.rs")

say() { printf '%s\n' "$*"; }
die() { printf 'tests/policies: %s\n' "$*" >&2; exit 1; }
id() { printf 'store-%s%s%s' "$RUN" "$1" "$2"; }   # NUMBER LETTER
host() { printf '%s.example.com' "$(id "$@")"; }

# STORE COMMAND...: as the worker of this store, at the epoch of every namespace here: a kubeconfig says it, as for the control plane's helm.
WORKER=$WORK/worker.conf
worker() {
  local config=$WORK/worker-$1.conf
  [[ -e $config ]] || jq --arg store "$1" '.users[0].user["as-user-extra"]["shopwright-store"] = [$store]' "$WORKER" >"$config"
  KUBECONFIG=$config "${@:2}"
}

prepare_cluster() {
  local file
  for file in accounts policies isolation; do
    kubectl apply --server-side --force-conflicts -f "$ROOT/crates/adapters-k8s/src/manifests/$file.yaml" >/dev/null
  done
  kubectl apply --server-side -f "$HERE/crds.yaml" >/dev/null
  kubectl wait --for=condition=Established --timeout=30s -f "$HERE/crds.yaml" >/dev/null
  kubectl config view --raw --minify -o json | jq '.users[0].user += {as: "shopwright-worker", "as-groups": ["shopwright-workers"],
    "as-user-extra": {"shopwright-epoch": ["1"]}}' >"$WORKER"
  local engine number letter
  for store in "${STORES[@]}"; do
    read -r engine _ number <<<"$store"
    for letter in a b; do make_namespace "$(id "$number" "$letter")" "$engine" "$(host "$number" "$letter")"; done
  done
  await "the policies" refused_now
}

# NAME ENGINE HOST
make_namespace() {
  kubectl apply -f - >/dev/null <<Y
apiVersion: v1
kind: Namespace
metadata:
  name: $1
  labels:
    app.kubernetes.io/managed-by: shopwright
    shopwright.dev/store-id: $1
    shopwright.dev/engine: $2
    pod-security.kubernetes.io/enforce: restricted
    pod-security.kubernetes.io/enforce-version: $ENFORCED
    pod-security.kubernetes.io/warn: restricted
    pod-security.kubernetes.io/warn-version: $ENFORCED
  annotations: {shopwright.dev/epoch: "1", shopwright.dev/hosts: $3}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: shopwright-store-worker, namespace: $1, labels: {shopwright.dev/store-id: $1}}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: shopwright-store-worker}
subjects: [{apiGroup: rbac.authorization.k8s.io, kind: Group, name: shopwright-workers}]
Y
}

# A policy is in force some moments after it was written, and each by itself: the last one written stands for them.
refused_now() {
  local answer
  answer=$(worker "$(id 1 a)" kubectl -n "$(id 1 a)" create role other --verb=get --resource=pods --dry-run=server 2>&1) && return 1
  [[ $answer == *'shopwright isolation:'* ]]
}

# WHAT COMMAND...: until it succeeds.
await() {
  local what=$1 until=$((SECONDS + 30)); shift
  until "$@" >/dev/null 2>&1; do
    ((SECONDS < until)) || die "$what: not within 30 s"
    sleep 0.2
  done
}

# ENGINE PROFILE NUMBER LETTER: the values document of the control plane.
document() {
  local scheme=https; [[ $2 == production ]] || scheme=http
  jq -n --arg id "$(id "$3" "$4")" --arg host "$(host "$3" "$4")" --arg scheme "$scheme" '{
    store: {id: $id, name: "Tea & \"Cups\"", host: $host, publicUrl: "\($scheme)://\($host)"}, cluster: {ingressClassName: "traefik"},
    credentialsSecret: "store-credentials", setup: {revision: 0}, images: {db: {tag: "1"}, web: {tag: "1"}}}'
}

# COMMAND... < objects: whatever it says on stderr, a warning or an error, is a failure; so is no output.
silent() {
  local said
  said=$("$@" 2>"$WORK/stderr") || die "$*: $(cat "$WORK/stderr")"
  [[ ! -s $WORK/stderr ]] || die "$* warns: $(cat "$WORK/stderr")"
  [[ -n $said ]] || die "$*: says nothing"
  printf '%s\n' "$said"
}

finish() {
  local code=$?
  kubectl delete namespace -l shopwright.dev/store-id --wait=false >/dev/null 2>&1 || true
  rm -rf "$WORK"
  exit "$code"
}
