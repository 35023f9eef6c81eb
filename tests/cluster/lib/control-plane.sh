# shellcheck shell=bash
# etcd, kube-apiserver, kube-controller-manager and kube-scheduler, as plain processes on loopback.

API_PORT=$((16443 + IDX * 10)) ETCD_PORT=$((12379 + IDX * 10))
PKI=$DIR/pki KUBECONFIG_FILE=$DIR/admin.conf CONTEXT=shopwright-$NAME

k() { "$BIN/kubectl" --kubeconfig "$KUBECONFIG_FILE" "$@"; }

up_control_plane() {
  mkdir -p "$DIR"; chmod 700 "$DIR"   # keys of the cluster, volumes of the stores
  mkdir -p "$DIR"/{log,pid,etcd,pki,volumes}
  up_network
  credentials
  # kubeadm points these two at the advertised address, where nothing listens on the host's own side.
  sed -i "s|https://$HOST_IP:$API_PORT|https://127.0.0.1:$API_PORT|" "$DIR/controller-manager.conf" "$DIR/scheduler.conf"
  local etcd=http://127.0.0.1:$ETCD_PORT peer=http://127.0.0.1:$((ETCD_PORT + 1))
  # Without fsync: faster by far on slow disks, and a power cut costs only a throw-away cluster.
  start etcd "$BIN/etcd" --name "$NAME" --data-dir "$DIR/etcd" --unsafe-no-fsync --log-level warn \
    --listen-client-urls "$etcd" --advertise-client-urls "$etcd" \
    --listen-peer-urls "$peer" --initial-advertise-peer-urls "$peer" --initial-cluster "$NAME=$peer"
  local audit=()
  if [ -n "${CLUSTER_AUDIT:-}" ]; then
    [ -r "$CLUSTER_AUDIT" ] || die "CLUSTER_AUDIT=$CLUSTER_AUDIT cannot be read"
    # Blocking is the default: what was answered is in the log, also when the apiserver is killed right after.
    audit=(--audit-policy-file="$CLUSTER_AUDIT" --audit-log-path="$DIR/log/audit.json" --audit-log-maxsize=4096)
  fi
  start kube-apiserver "$BIN/kube-apiserver" --etcd-servers="$etcd" --bind-address=127.0.0.1 --secure-port="$API_PORT" \
    --advertise-address="$HOST_IP" --service-cluster-ip-range="$SVC_CIDR" \
    --authorization-mode=Node,RBAC --enable-admission-plugins=NodeRestriction --allow-privileged=true \
    --client-ca-file="$PKI/ca.crt" --tls-cert-file="$PKI/apiserver.crt" --tls-private-key-file="$PKI/apiserver.key" \
    --kubelet-client-certificate="$PKI/apiserver-kubelet-client.crt" --kubelet-client-key="$PKI/apiserver-kubelet-client.key" \
    --kubelet-preferred-address-types=InternalIP \
    --service-account-key-file="$PKI/sa.pub" --service-account-signing-key-file="$PKI/sa.key" \
    --service-account-issuer=https://kubernetes.default.svc.cluster.local \
    --requestheader-client-ca-file="$PKI/front-proxy-ca.crt" --requestheader-allowed-names=front-proxy-client \
    --requestheader-username-headers=X-Remote-User --requestheader-group-headers=X-Remote-Group \
    --requestheader-extra-headers-prefix=X-Remote-Extra- "${audit[@]}"
  await kube-apiserver "the apiserver" k get --raw /readyz
  alive etcd || die "etcd has ended (is port $ETCD_PORT in use?): see $DIR/log/etcd.log"
  # The in-tree provisioner of --fake writes to /tmp/hostpath_pv, a fixed path: the mount makes that our own directory.
  mkdir -p /tmp/hostpath_pv
  # shellcheck disable=SC2016  # expanded by the inner shell
  start kube-controller-manager unshare --mount --propagation private sh -c 'mount --bind "$1" /tmp/hostpath_pv; shift; exec "$@"' - "$DIR/volumes" \
    "$BIN/kube-controller-manager" --kubeconfig="$DIR/controller-manager.conf" --node-monitor-grace-period="${CLUSTER_NODE_GRACE:-50s}" --use-service-account-credentials=true \
    --service-account-private-key-file="$PKI/sa.key" --root-ca-file="$PKI/ca.crt" \
    --cluster-signing-cert-file="$PKI/ca.crt" --cluster-signing-key-file="$PKI/ca.key" \
    --leader-elect=false --secure-port=0 --kube-api-qps=200 --kube-api-burst=400 --pvclaimbinder-sync-period=5s \
    --enable-hostpath-provisioner=true --flex-volume-plugin-dir="$DIR/flex-volumes"
  start kube-scheduler "$BIN/kube-scheduler" --kubeconfig="$DIR/scheduler.conf" --leader-elect=false --secure-port=0 \
    --kube-api-qps=200 --kube-api-burst=400
  k apply -f "$HERE/manifests/kubelet-api-access.yaml" >/dev/null   # before the kubelet: it caches a refusal for 30 s
  # No pod can be made without it, and only a controller-manager that works makes it.
  await kube-controller-manager "the default service account" k -n default get serviceaccount default
  alive kube-scheduler || die "kube-scheduler has ended: see $DIR/log/kube-scheduler.log"
}

# Keys, certificates and kubeconfigs, made once; the administrator's kubeconfig comes last and marks the set as whole.
credentials() {
  [ -f "$KUBECONFIG_FILE" ] && return
  cat >"$DIR/kubeadm.yaml" <<Y
apiVersion: kubeadm.k8s.io/v1beta4
kind: InitConfiguration
localAPIEndpoint: {advertiseAddress: $HOST_IP, bindPort: $API_PORT}
nodeRegistration: {name: $NAME-node}
---
apiVersion: kubeadm.k8s.io/v1beta4
kind: ClusterConfiguration
kubernetesVersion: $KUBERNETES
clusterName: $NAME
certificatesDir: $PKI
controlPlaneEndpoint: 127.0.0.1:$API_PORT
networking: {serviceSubnet: $SVC_CIDR, podSubnet: $POD_CIDR, dnsDomain: cluster.local}
apiServer: {certSANs: ["127.0.0.1", "localhost", "$HOST_IP"]}
Y
  { "$BIN/kubeadm" init phase certs all --config "$DIR/kubeadm.yaml" &&
    "$BIN/kubeadm" init phase kubeconfig all --config "$DIR/kubeadm.yaml" --kubeconfig-dir "$DIR"; } >"$DIR/log/kubeadm.log" 2>&1 ||
    die "the certificates could not be made: see $DIR/log/kubeadm.log"
  "$BIN/kubectl" --kubeconfig "$DIR/super-admin.conf" config rename-context "kubernetes-super-admin@$NAME" "$CONTEXT" >/dev/null
  mv "$DIR/super-admin.conf" "$KUBECONFIG_FILE"
}
