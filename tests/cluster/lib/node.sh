# shellcheck shell=bash
# A real node: containerd, kubelet and kube-proxy in the cluster's network namespace; CoreDNS, volumes and ingress on it.

node_needs() {
  needs runc:runc iptables:iptables nft:nftables conntrack:conntrack busybox:busybox-static gcc:gcc python3:python3
  [ -x "$CNI_BIN/ptp" ] || die "no CNI plugins in $CNI_BIN: apt-get install -y containernetworking-plugins (or set CNI_BIN)"
  [ -e /usr/include/stdlib.h ] || die "the C library's headers are missing: apt-get install -y libc6-dev"
}
CNI_BIN=${CNI_BIN:-/usr/lib/cni}

up_node() {
  case $(stat -fc %T "$DIR") in
    overlayfs | nfs | tmpfs) die "container images cannot be unpacked on $(stat -fc %T "$DIR") ($DIR): set CLUSTER_DIR to a directory on a disk" ;;
  esac
  forward_api
  up_containerd
  base_images
  up_kubelet
  k apply -f <(manifest storage) -f <(manifest dns) >/dev/null
  echo "{\"nodePathMap\": [{\"node\": \"DEFAULT_PATH_FOR_NON_LISTED_NODES\", \"paths\": [\"$DIR/volumes\"]}]}" >"$DIR/local-path.json"
  start local-path-provisioner "$BIN/local-path-provisioner" start --kubeconfig "$KUBECONFIG_FILE" --config "$DIR/local-path.json" \
    --namespace local-path-storage --helper-image registry.test/busybox:1 --configmap-name local-path-config
  if [ -x "$BIN/traefik" ]; then k apply -f "$HERE/manifests/ingress.yaml" >/dev/null; fi
  await kubelet CoreDNS k -n kube-system rollout status deploy/coredns --timeout=10s
  if [ -x "$BIN/traefik" ]; then await kubelet Traefik k -n ingress rollout status deploy/traefik --timeout=10s
  else say "no ingress: Traefik is not built (cluster build traefik, then cluster up --node again)"; fi
}

# Everything that containerd and its shims keep lies below $DIR, but for what leftovers() in down.sh lists.
up_containerd() {
  mkdir -p "$DIR/cni" "$DIR/containerd"
  # ptp, not bridge: two pods on one bridge answer each other directly, past the address translation of Services,
  # unless the host has br_netfilter.
  cat >"$DIR/cni/10-pods.conflist" <<Y
{"cniVersion": "1.0.0", "name": "shopwright-$NAME", "plugins": [
  {"type": "ptp", "ipMasq": false,
   "ipam": {"type": "host-local", "ranges": [[{"subnet": "$POD_RANGE"}]], "routes": [{"dst": "0.0.0.0/0"}], "dataDir": "$DIR/ipam"}}]}
Y
  cat >"$DIR/containerd.toml" <<Y
version = 3
root = "$DIR/containerd/root"
state = "$DIR/containerd/state"
[grpc]
  address = "$CONTAINERD_SOCKET"
[ttrpc]
  address = "$CONTAINERD_SOCKET.ttrpc"
[plugins."io.containerd.internal.v1.opt"]
  path = "$DIR/containerd/opt"
[plugins."io.containerd.nri.v1.nri"]
  disable = true                  # its socket has a fixed path, which two clusters would share
[plugins."io.containerd.cri.v1.images".pinned_images]
  sandbox = "registry.test/pause:1"
[plugins."io.containerd.cri.v1.runtime"]
  restrict_oom_score_adj = true   # a sandbox without CAP_SYS_RESOURCE cannot lower oom_score_adj
  disable_apparmor = true
  netns_mounts_under_state_dir = true
  [plugins."io.containerd.cri.v1.runtime".cni]
    bin_dirs = ["$CNI_BIN"]
    conf_dir = "$DIR/cni"
  [plugins."io.containerd.cri.v1.runtime".containerd.runtimes.runc]
    runtime_type = "io.containerd.runc.v2"
    [plugins."io.containerd.cri.v1.runtime".containerd.runtimes.runc.options]
      BinaryName = "$(command -v runc)"
      Root = "$DIR/runc"
      SystemdCgroup = false
Y
  # nsenter, not \`ip netns exec\`: that hides /sys/fs/cgroup from the kubelet.
  PATH=$BIN:$PATH start containerd nsenter --net="/run/netns/$NS" "$BIN/containerd" --config "$DIR/containerd.toml" --log-level warn
  await containerd containerd "$BIN/ctr" -a "$CONTAINERD_SOCKET" version
}

up_kubelet() {
  mkdir -p "$DIR/kubelet"
  echo "nameserver 127.0.0.1" >"$DIR/resolv.conf"   # pods resolve the cluster's names and no others
  cat >"$DIR/kubelet.yaml" <<Y
apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
authentication: {anonymous: {enabled: false}, webhook: {enabled: true}, x509: {clientCAFile: $PKI/ca.crt}}
authorization: {mode: Webhook}
cgroupDriver: cgroupfs
cgroupRoot: /$CGROUP
failCgroupV1: false
failSwapOn: false
clusterDNS: ["$DNS_IP"]
clusterDomain: cluster.local
containerRuntimeEndpoint: unix://$CONTAINERD_SOCKET
podLogsDir: $DIR/pod-logs
volumePluginDir: $DIR/kubelet/volume-plugins
nodeStatusUpdateFrequency: 5s
enforceNodeAllocatable: []
evictionHard: {memory.available: 100Mi, nodefs.available: 1%, imagefs.available: 1%}
imageGCHighThresholdPercent: 100   # never: an image that is gone could not be pulled again
resolvConf: $DIR/resolv.conf
Y
  # Inside the namespace the apiserver is the host's end of the link, not loopback; the kubelet's file says so already.
  sed "s|https://127.0.0.1:$API_PORT|https://$HOST_IP:$API_PORT|" "$KUBECONFIG_FILE" >"$DIR/kube-proxy.conf"
  own_cgroup
  save_sysctls
  start kubelet nsenter --net="/run/netns/$NS" "$BIN/kubelet" --config "$DIR/kubelet.yaml" --kubeconfig "$DIR/kubelet.conf" \
    --root-dir "$DIR/kubelet" --cert-dir "$DIR/kubelet/pki" --hostname-override "$NAME-node" --node-ip "$NODE_IP"
  start kube-proxy nsenter --net="/run/netns/$NS" "$BIN/kube-proxy" --kubeconfig "$DIR/kube-proxy.conf" --hostname-override "$NAME-node" \
    --proxy-mode nftables --cluster-cidr "$POD_CIDR" --conntrack-max-per-core 0 --bind-address "$NODE_IP"
  await kubelet "the node" k wait node "$NAME-node" --for=condition=Ready --timeout=5s
}

# A kubelet kills pods it does not know under its cgroup root, so every cluster has a root of its own.
CGROUP=shopwright-$NAME
own_cgroup() {
  local controller own
  if [ -f /sys/fs/cgroup/cgroup.controllers ]; then
    mkdir -p "/sys/fs/cgroup/$CGROUP"
    # Where the root group is not ours to change, the kubelet says which controller it lacks.
    tr ' ' '\n' </sys/fs/cgroup/cgroup.controllers | while read -r controller; do
      echo "+$controller" >/sys/fs/cgroup/cgroup.subtree_control || true
    done 2>/dev/null
    return
  fi
  for controller in /sys/fs/cgroup/*/; do
    [ ! -L "${controller%/}" ] || continue   # cpuacct and the like may be links to one directory
    own=$controller$CGROUP
    mkdir -p "$own" 2>/dev/null || continue
    # A new cpuset is empty, and a process cannot enter it until it is filled.
    if [ -f "$own/cpuset.cpus" ]; then cat "${controller}cpuset.cpus" >"$own/cpuset.cpus"; cat "${controller}cpuset.mems" >"$own/cpuset.mems"; fi
  done
}

# The kubelet sets these for the whole machine; `down` puts the old values back.
save_sysctls() {
  [ ! -f "$DIR/sysctls" ] || return 0
  local key
  for key in vm/overcommit_memory vm/panic_on_oom kernel/panic kernel/panic_on_oops kernel/keys/root_maxkeys kernel/keys/root_maxbytes; do
    echo "$key $(cat "/proc/sys/$key")"
  done >"$DIR/sysctls"
}
