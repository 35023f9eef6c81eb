# shellcheck shell=bash
# Every object of both engines, in each profile and with each choice of charts/golden/values, in a namespace that enforces Pod Security
# "restricted" and warns of it: the apiserver refuses nothing and warns of nothing. RELIABILITY S36, S39, S43, S46, S48.

# helm dislikes that the library chart is a link, and says so; that is no warning of the apiserver's.
template() { helm template "$@" 2>"$WORK/helm" || die "helm template $*: $(cat "$WORK/helm")"; }
install() { worker "$1" helm upgrade --install "$@" --wait=hookOnly --no-hooks 2>"$WORK/helm" >/dev/null || die "helm $*: $(cat "$WORK/helm")"; }

objects=0 records=0
for store in "${STORES[@]}"; do
  read -r engine profile number <<<"$store"
  chart=$ROOT/charts/$engine
  for choice in "" "$ROOT/charts/golden/values/$engine"-*.yaml; do
    [[ -z $choice || $profile == production ]] || continue
    document "$engine" "$profile" "$number" a >"$WORK/values.json"
    template "$(id "$number" a)" "$chart" -n "$(id "$number" a)" -f "$chart/values-$profile.yaml" -f "$WORK/values.json" ${choice:+-f "$choice"} >"$WORK/objects.yaml"
    # A binding is only taken beside its role, which a dry run does not make.
    worker "$(id "$number" a)" kubectl -n "$(id "$number" a)" create role store --verb=get --resource=pods >/dev/null
    answered=$(worker "$(id "$number" a)" silent kubectl -n "$(id "$number" a)" apply --server-side --force-conflicts --dry-run=server --field-manager=helm -f "$WORK/objects.yaml" | wc -l)
    worker "$(id "$number" a)" kubectl -n "$(id "$number" a)" delete role store >/dev/null
    [[ $answered == $(grep -c '^kind: ' "$WORK/objects.yaml") ]] || die "$engine, $profile: only $answered objects were answered"
    objects=$((objects + answered))
  done
  for letter in a b; do
    document "$engine" "$profile" "$number" "$letter" >"$WORK/values.json"
    # In production with Redis, which is a choice, too: flows.tsv tells who reaches it.
    redis=(); [[ $profile != production ]] || redis=(-f "$ROOT/charts/golden/values/$engine-redis.yaml")
    install "$(id "$number" "$letter")" "$chart" -n "$(id "$number" "$letter")" -f "$chart/values-$profile.yaml" -f "$WORK/values.json" "${redis[@]}"
    ! grep -i warning "$WORK/helm" || die "$engine, $profile: helm passes on a warning"
  done
  # Kubernetes keeps the record in a Secret, as base64 of what helm wrote; RELIABILITY F50: at most 256 KiB of 1 MiB.
  bytes=$(kubectl -n "$(id "$number" a)" get secret -l owner=helm -o json | jq '[.items[].data.release | length] | max * 3 / 4 | floor')
  ((bytes > 1000 && bytes <= 262144)) || die "$engine, $profile: the release record has $bytes bytes"
  ((bytes <= records)) || records=$bytes
done
say "$objects objects are taken without a warning; the largest release record has $records bytes"

# The pods that the workloads make: as they are, and once more beside them, which is what the quota must hold while pods replace each other.
pods_of() {
  kubectl -n "$1" get deployments,statefulsets,jobs,cronjobs -o json | jq '{apiVersion: "v1", kind: "List", items: [.items[]
    | .metadata.name as $name | (.spec.jobTemplate.spec.template // .spec.template)
    | {apiVersion: "v1", kind: "Pod", metadata: {generateName: "\($name)-", labels: .metadata.labels}, spec: .spec}]}'
}
has_pods() { [[ $(kubectl -n "$1" get pods -o name | wc -l) == "$2" ]]; }
pods=0
for store in "${STORES[@]}"; do
  read -r engine profile number <<<"$store"
  namespace=$(id "$number" a)
  # Database, web and set-up; WooCommerce has a schedule, and Medusa a worker where there is Redis.
  kinds=3; [[ $engine-$profile == medusa-local ]] || kinds=4
  [[ $engine != woocommerce ]] || worker "$namespace" silent kubectl -n "$namespace" create job --from=cronjob/cron cron-now >/dev/null
  await "$namespace: its $kinds pods" has_pods "$namespace" "$kinds"
  refused=$(kubectl -n "$namespace" get events -o json | jq -r '.items[] | select(.reason == "FailedCreate") | .message')
  [[ -z $refused ]] || die "$namespace: $refused"
  pods_of "$namespace" >"$WORK/pods.json"
  answered=$(silent kubectl -n "$namespace" create --dry-run=server -f "$WORK/pods.json" | wc -l)
  ((answered >= kinds)) || die "$namespace: $answered of $kinds pods"
  pods=$((pods + answered))
  over=$(kubectl -n "$namespace" get resourcequota store -o json | jq -r -f "$HERE/quota.jq")
  [[ -z $over ]] || die "$namespace: the quota does not hold every pod twice: $over"
  # RELIABILITY S46: the API objects of the pods have no token either; kubelets mount what these say.
  tokens=$(kubectl -n "$namespace" get pods -o json | jq '[.items[].spec | select(.automountServiceAccountToken != false or any(.volumes[]?; .projected.sources[]?.serviceAccountToken))] | length')
  [[ $tokens == 0 ]] || die "$namespace: $tokens pods have a token"
done
say "$pods pods are taken without a warning, and every quota holds them twice"
