# shellcheck shell=bash
# Taking a cluster down, in whatever state it is: after a crash, a half-done `up`, or a reboot.

down() {
  [ "$(id -u)" = 0 ] || die "down needs root, as up did"
  lock
  local process
  for process in kwok local-path-provisioner kube-proxy kubelet containerd kube-scheduler kube-controller-manager kube-apiserver etcd; do stop "$process"; done
  kill_marked
  kill_cgroup
  leftovers
  restore_sysctls
  down_network
  unmount_all
  # A mount that is still there would be emptied, not removed: the state stays, and the message says which.
  if mounts | grep -q .; then die "these cannot be unmounted: $(mounts | tr '\n' ' ')"; fi
  rm -rf --one-file-system "$DIR"
  rmdir /tmp/hostpath_pv 2>/dev/null || true   # shared by clusters, and not empty when something else uses it
  rm -f "$LOCK"
}

# Every process that `start` started, and their children (containerd's shims): also those whose pid file was lost.
kill_marked() {
  local environ
  for environ in /proc/[0-9]*/environ; do
    if grep -qzxF "SHOPWRIGHT_CLUSTER_DIR=$DIR" "$environ" 2>/dev/null; then
      environ=${environ#/proc/}; kill -KILL "${environ%%/*}" 2>/dev/null || true
    fi
  done
}

# The pods: orphans of the shims by now. Their groups can be removed once the last process is reaped.
kill_cgroup() {
  local root limit=$((SECONDS + 20)) left
  while :; do
    left=""
    for root in /sys/fs/cgroup/"$CGROUP" /sys/fs/cgroup/*/"$CGROUP"; do
      if [ ! -d "$root" ] || [ -L "$(dirname "$root")" ]; then continue; fi
      find "$root" -name cgroup.procs -exec cat {} + 2>/dev/null | sort -un | xargs -r kill -KILL 2>/dev/null || true
      find "$root" -depth -type d -exec rmdir {} + 2>/dev/null || left=$root
    done
    [ -n "$left" ] || return 0
    [ $SECONDS -lt $limit ] || die "processes in $left do not end"
    sleep 0.1
  done
}

# What containerd, CNI and the kubelet put at fixed places of the machine.
leftovers() {
  local link
  # The sockets of killed shims; the bundles name them.
  grep -rhoaE --include=address --include=bootstrap.json '/run/containerd/s/[0-9a-f]{64}' "$DIR/containerd/state" 2>/dev/null | sort -u | xargs -r rm -f || true
  grep -lsF "$DIR/" /var/lib/cni/results/* | xargs -r rm -f || true
  for link in /var/log/containers/*; do
    case $(readlink "$link" || true) in "$DIR"/*) rm -f "$link" ;; esac
  done
  # The path is fixed, so another kubelet of this machine may have taken it over.
  pgrep -x kubelet >/dev/null || rm -f /var/lib/kubelet/device-plugins/kubelet.sock
  # Only when nothing of another container runtime is in them.
  rmdir /run/containerd/{s,fifo,} /var/lib/cni/{results,} /var/lib/kubelet/{device-plugins,} /var/log/containers 2>/dev/null || true
}

restore_sysctls() {
  local key value
  [ -f "$DIR/sysctls" ] || return 0
  while read -r key value; do echo "$value" >"/proc/sys/$key" || true; done <"$DIR/sysctls" 2>/dev/null
}

# Deepest first. Lazily: a killed pod may hold its volumes for another moment.
mounts() { awk -v dir="$DIR/" 'index($2, dir) == 1 {print $2}' /proc/mounts | sort -r; }
unmount_all() { mounts | while read -r mount; do umount -l "$mount" 2>/dev/null || true; done; }
