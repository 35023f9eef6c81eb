# shellcheck shell=bash
# Who may change what in a store's namespace: the policies of adapters-k8s/src/manifests/isolation.yaml, tried from each side. A merchant's
# developer has Kubernetes' own role `admin` in the store's namespace; the worker is the control plane's, and so is what it may not do.
# RELIABILITY S30, S33, S39, S44, S46, S47, S49, S50.

own=$(id 1 a) tried=0
kubectl create clusterrole shopwright-test-developer --verb=create,update,patch,delete,get,list --dry-run=client -o yaml \
  --resource=namespaces,resourcequotas,limitranges,ingresses.networking.k8s.io,httproutes.gateway.networking.k8s.io,tcproutes.gateway.networking.k8s.io |
  kubectl apply -f - >/dev/null
kubectl -n "$own" create rolebinding developer --clusterrole=admin --user=developer >/dev/null
kubectl create clusterrolebinding shopwright-test-developer --clusterrole=shopwright-test-developer --user=developer \
  --serviceaccount=cert-manager:cert-manager --dry-run=client -o yaml | kubectl apply -f - >/dev/null

developer() { kubectl --as=developer -n "$own" "$@" --dry-run=server; }
solver() { kubectl --as=system:serviceaccount:cert-manager:cert-manager -n "$own" "$@" --dry-run=server; }
at_work() { worker "$own" kubectl -n "$own" "$@" --dry-run=server; }
as_base() { kubectl --as=system:serviceaccount:shopwright-system:shopwright "$@" --dry-run=server; }
somebody() { kubectl --as=developer "$@" --dry-run=server; }

# WORDS WHO COMMAND...: refused by an isolation policy, with these words.
refused() {
  local words=$1 answer; shift
  ! answer=$("$@" 2>&1) || die "let through: $*: $answer"
  [[ $answer == *"shopwright isolation: $words"* ]] || die "$*: refused for another reason: $answer"
  tried=$((tried + 1))
}
allowed() { local answer; answer=$("$@" 2>&1) || die "refused: $*: $answer"; tried=$((tried + 1)); }
# HOST [SPEC]: an Ingress with more in its spec; HTTPRoutes likewise.
ingress() { jq -n --arg host "$1" --argjson more "${2:-{\}}" '{apiVersion: "networking.k8s.io/v1", kind: "Ingress", metadata: {name: "another", labels: {"acme.cert-manager.io/http01-solver": "true"}},
  spec: ({rules: [{host: $host, http: {paths: [{path: "/", pathType: "Prefix", backend: {service: {name: "web", port: {number: 80}}}}]}}]} * $more)}' >"$WORK/$3"; }
route() { jq -n --argjson hosts "$1" '{apiVersion: "gateway.networking.k8s.io/v1", kind: "HTTPRoute", metadata: {name: "another"},
  spec: {parentRefs: [{name: "shared", namespace: "gateways"}], hostnames: $hosts, rules: [{backendRefs: [{name: "web", port: 80}]}]}}' >"$WORK/$2"; }
put() { cat >"$WORK/$1"; }

# What guards a store.
guards="quota, limits, network policies and routes of a store are changed by the control plane alone"
put open.json <<<'{"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": {"name": "open"}, "spec": {"podSelector": {}, "ingress": [{}], "egress": [{}], "policyTypes": ["Ingress", "Egress"]}}'
refused "$guards" developer create -f "$WORK/open.json"
refused "$guards" developer delete networkpolicy deny-all
refused "$guards" kubectl --as=developer delete --raw "/apis/networking.k8s.io/v1/namespaces/$own/networkpolicies?dryRun=All"
refused "$guards" developer patch networkpolicy deny-all --type=merge -p '{"spec": {"policyTypes": ["Ingress"]}}'
refused "$guards" developer delete resourcequota store
refused "$guards" developer patch resourcequota store --type=merge -p '{"spec": {"hard": {"pods": "1000"}}}'
refused "$guards" developer delete limitrange store
refused "$guards" developer delete ingress web
refused "$guards" developer annotate ingress web nginx.ingress.kubernetes.io/configuration-snippet=x
allowed at_work patch resourcequota store --type=merge -p '{"spec": {"hard": {"pods": "11"}}}'
allowed developer create configmap notes --from-literal=a=b

# Hosts: the namespace is annotated with its own.
ingress "$(host 1 a)" '{}' own.json; ingress "$(host 1 b)" '{}' foreign.json; ingress "*.example.com" '{}' wild.json; ingress "" '{}' none.json
ingress "$(host 1 a)" '{"defaultBackend": {"service": {"name": "web", "port": {"number": 80}}}}' default.json
ingress "$(host 1 a)" "{\"tls\": [{\"hosts\": [\"$(host 1 b)\"], \"secretName\": \"x\"}]}" tls.json
allowed at_work create -f "$WORK/own.json"
refused "the host is not this store's" at_work create -f "$WORK/foreign.json"
refused "the host is not this store's" at_work create -f "$WORK/wild.json"
refused "the host is not this store's" at_work create -f "$WORK/tls.json"
refused "an Ingress without a host" at_work create -f "$WORK/none.json"
refused "an Ingress with a default backend" at_work create -f "$WORK/default.json"
refused "the host is not this store's" at_work patch ingress web --type=json -p "[{\"op\": \"replace\", \"path\": \"/spec/rules/0/host\", \"value\": \"$(host 1 b)\"}]"
allowed solver create -f "$WORK/own.json"
refused "the host is not this store's" solver create -f "$WORK/foreign.json"
refused "$guards" solver delete ingress web
route "[\"$(host 1 a)\"]" route.json; route "[\"$(host 1 b)\"]" foreign-route.json; route '[]' any-route.json
put tcp.json <<<'{"apiVersion": "gateway.networking.k8s.io/v1", "kind": "TCPRoute", "metadata": {"name": "another"}, "spec": {}}'
allowed at_work create -f "$WORK/route.json"
refused "the host is not this store's" at_work create -f "$WORK/foreign-route.json"
refused "the host is not this store's" at_work create -f "$WORK/any-route.json"
refused "$guards" developer create -f "$WORK/route.json"
refused "of the Gateway API a store has HTTPRoutes alone" kubectl -n "$own" create --dry-run=server -f "$WORK/tcp.json"

# Addresses, ports, volumes.
service() { jq -n --argjson more "$1" '{apiVersion: "v1", kind: "Service", metadata: {name: "another"}, spec: ({ports: [{port: 80}]} + $more)}' >"$WORK/service.json"; }
claim() { jq -n --argjson more "$1" '{apiVersion: "v1", kind: "PersistentVolumeClaim", metadata: {name: "another"},
  spec: ({accessModes: ["ReadWriteOnce"], resources: {requests: {storage: "1Gi"}}} + $more)}' >"$WORK/claim.json"; }
for who in developer at_work; do
  service '{"externalIPs": ["203.0.113.1"]}'; refused "a Service of a store has no external addresses" "$who" create -f "$WORK/service.json"
  service '{"type": "NodePort"}'; refused "a Service of a store is for the cluster alone" "$who" create -f "$WORK/service.json"
  service '{"type": "LoadBalancer"}'; refused "a Service of a store is for the cluster alone" "$who" create -f "$WORK/service.json"
  service '{"type": "ExternalName", "externalName": "169.254.169.254.nip.io"}'; refused "a Service of a store is for the cluster alone" "$who" create -f "$WORK/service.json"
  service "{}"; allowed "$who" create -f "$WORK/service.json"
  claim '{"volumeName": "pvc-of-somebody-else"}'; refused "a store does not choose its volumes" "$who" create -f "$WORK/claim.json"
  claim '{}'; allowed "$who" create -f "$WORK/claim.json"
done
# Of a bound claim Kubernetes says no by itself, so here is one that nothing will ever bind.
claim '{"storageClassName": ""}'; kubectl -n "$own" create -f "$WORK/claim.json" >/dev/null
refused "a store does not choose its volumes" developer patch pvc another --type=merge -p '{"spec": {"volumeName": "pvc-of-somebody-else"}}'
# Without the policy the quota says no.
service '{"type": "NodePort"}'
answer=$(kubectl -n "$own" get resourcequota store -o json | jq -r '.status.hard["services.nodeports"] + .status.hard["services.loadbalancers"]')
[[ $answer == 00 ]] || die "the quota leaves node ports or load balancers"

# Whose it is.
marks="the marks of a store's"
for label in shopwright.dev/store-id=other pod-security.kubernetes.io/enforce=privileged pod-security.kubernetes.io/enforce-version=v1.0 shopwright.dev/new=x shopwright.dev/engine-; do
  answer=$(somebody label --overwrite namespace "$own" "$label" 2>&1) && die "a developer may set $label"
  [[ $answer == *"shopwright isolation: $marks"* || $answer == *"shopwright epoch:"* ]] || die "$label: $answer"
  tried=$((tried + 1))
done
refused "$marks" somebody annotate --overwrite namespace "$own" "shopwright.dev/hosts=$(host 1 b)"
refused "$marks" somebody annotate --overwrite namespace "$own" shopwright.dev/epoch=9
allowed somebody label namespace "$own" team=tea
refused "a store's namespace is made by the control plane alone" somebody create namespace store-0badcafe
allowed somebody create namespace teahouse
refused "$marks" developer label --overwrite deployment web shopwright.dev/store-id=other
refused "$marks" developer label secret "$(worker "$own" kubectl -n "$own" get secret -l owner=helm -o name | head -n 1 | cut -d/ -f2)" shopwright.dev/store-id=other
allowed developer label deployment web team=tea

# Rights: the worker gives few, a store's account has none, whether `rbac.create` made it one or not.
refused "the worker makes the role and the binding" at_work create role other --verb=get --resource=pods
refused "a store's account reads little" at_work create role store --verb=get --resource=secrets
refused "a store's account reads little" at_work create role store --verb=delete --resource=configmaps
refused "the worker binds the store's own account alone" at_work create rolebinding store --clusterrole=shopwright-store-worker --group=system:authenticated
may() { kubectl auth can-i --list --no-headers -n "$1" --as="system:serviceaccount:$1:$2" --as-group="system:serviceaccounts:$1" --as-group=system:serviceaccounts --as-group=system:authenticated | sort; }
nobody=$(may default nobody)
for store in "${STORES[@]}"; do
  read -r engine profile number <<<"$store"
  for letter in a b; do
    for account in default store; do
      [[ $(may "$(id "$number" "$letter")" "$account") == "$nobody" ]] || die "the account $account of $(id "$number" "$letter") may more than nobody: $(may "$(id "$number" "$letter")" "$account")"
      tried=$((tried + 1))
    done
  done
  accounts=$(kubectl -n "$(id "$number" a)" get serviceaccount store -o name --ignore-not-found)
  [[ $profile == production ]] && wanted=serviceaccount/store || wanted=""
  [[ $accounts == "$wanted" ]] || die "$engine, $profile: rbac.create is not what it says: '$accounts'"
done

# Registries: nothing is asked until an administrator names one.
pod() { jq --arg image "$1" '.spec.containers[0].image = $image' "$WORK/good.json" >"$WORK/image.json"; }
elsewhere() { pod "registry.example.com.evil.test/web:1"; ! developer create -f "$WORK/image.json"; }
pod "elsewhere.test/web:1"; allowed developer create -f "$WORK/image.json"
kubectl -n shopwright-system create configmap shopwright-isolation --from-literal='registries=registry.example.com/stores/, shopwright.test/' >/dev/null
await "the registries" elsewhere
wrong="an image of a store comes from a registry that is not allowed"
for image in elsewhere.test/web:1 web registry.example.com/storesx/web registry.example.com.evil.test/stores/web; do pod "$image"; refused "$wrong" developer create -f "$WORK/image.json"; done
for image in registry.example.com/stores/web:1 shopwright.test/medusa:1; do pod "$image"; allowed developer create -f "$WORK/image.json"; done
jq '.spec.initContainers = [.spec.containers[0] | del(.startupProbe, .readinessProbe, .livenessProbe, .ports) | .name = "init" | .image = "elsewhere.test/x"]' "$WORK/image.json" >"$WORK/init.json"
refused "$wrong" developer create -f "$WORK/init.json"
kubectl -n shopwright-system delete configmap shopwright-isolation >/dev/null
kubectl delete clusterrole,clusterrolebinding shopwright-test-developer >/dev/null
say "$tried attempts end as they should"
