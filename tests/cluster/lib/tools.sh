# shellcheck shell=bash
# The binaries: compiled once from the Go modules pinned in tools/, kept per tool.
#
#   $TOOLS/<tool>-<hash>/<binary>   hash = go.mod, go.sum, *.go and flags of that tool alone, so a bump rebuilds one tool
#   $TOOLS/bin-<hash>/<binary>      links to the versions of this checkout: what PATH gets, so two checkouts never mix
#
# A binary that is there is complete: it is compiled under another name and renamed.

TOOLS=${CLUSTER_TOOLS:-${XDG_CACHE_HOME:-$HOME/.cache}/shopwright/tools}

# binary, group, module under tools/, package. The order is the order of building: what unblocks most comes first.
tool_table() {
  cat <<'T'
helm                    control-plane helm                   helm.sh/helm/v4/cmd/helm
etcd                    control-plane etcd                   go.etcd.io/etcd/server/v3
kubectl                 control-plane kubernetes             k8s.io/kubernetes/cmd/kubectl
kube-apiserver          control-plane kubernetes             k8s.io/kubernetes/cmd/kube-apiserver
kube-controller-manager control-plane kubernetes             k8s.io/kubernetes/cmd/kube-controller-manager
kube-scheduler          control-plane kubernetes             k8s.io/kubernetes/cmd/kube-scheduler
kubeadm                 control-plane kubernetes             k8s.io/kubernetes/cmd/kubeadm
kwok                    control-plane kwok                   sigs.k8s.io/kwok/cmd/kwok
kubelet                 node          kubernetes             k8s.io/kubernetes/cmd/kubelet
kube-proxy              node          kubernetes             k8s.io/kubernetes/cmd/kube-proxy
containerd              node          containerd             github.com/containerd/containerd/v2/cmd/containerd
containerd-shim-runc-v2 node          containerd             github.com/containerd/containerd/v2/cmd/containerd-shim-runc-v2
ctr                     node          containerd             github.com/containerd/containerd/v2/cmd/ctr
coredns                 node          coredns                .
local-path-provisioner  node          local-path-provisioner github.com/rancher/local-path-provisioner
helm-unittest           charts        helm-unittest          github.com/helm-unittest/helm-unittest/cmd/helm-unittest
flow-verdicts           charts        flow-verdicts          .
traefik                 traefik       traefik                github.com/traefik/traefik/v3/cmd/traefik
T
}

# What `git describe` would say in an official build: without it kubeadm refuses its own control plane as v0.0.0.
KUBERNETES=$(awk '$2 == "k8s.io/kubernetes" {print $3}' "$HERE/tools/kubernetes/go.mod")

tool_flags() {
  local minor=${KUBERNETES#v1.} pkg=k8s.io/component-base/version
  case $1 in
    kubernetes) echo "-s -w -X $pkg.gitVersion=$KUBERNETES -X $pkg.gitMajor=1 -X $pkg.gitMinor=${minor%%.*} -X $pkg.gitTreeState=clean" ;;
    *) echo "-s -w" ;;
  esac
}

tool_dir() {
  local src=$HERE/tools/$1 hash
  hash=$( (cat "$src/go.mod" "$src/go.sum" "$src"/*.go; tool_flags "$1") | sha256sum | cut -c1-12)
  echo "$TOOLS/$1-$hash"
}

# Sets BIN, the view of this checkout. Links may dangle until their binary is built: test with -x.
tool_view() {
  local tool binary dir view=""
  while read -r binary _ tool _; do
    view+="$binary $(tool_dir "$tool")"$'\n'
  done < <(tool_table)
  BIN=$TOOLS/bin-$(printf %s "$view" | sha256sum | cut -c1-12)
  [ -d "$BIN" ] && return
  # Made aside and renamed, so nobody sees half of it; losing the race to an equal view is fine.
  mkdir -p "$TOOLS"
  local tmp; tmp=$(mktemp -d "$TOOLS/.view.XXXXXX"); chmod 755 "$tmp"
  while read -r binary dir; do ln -s "../${dir##*/}/$binary" "$tmp/$binary"; done < <(printf %s "$view")
  mv -T "$tmp" "$BIN" 2>/dev/null || rm -rf "$tmp"
}

# build [binary|group]... : compiles what is missing of the named (default: everything, Traefik last).
build() {
  local binary group tool package wanted=() want known missing=()
  for want in "$@"; do
    known=$(tool_table | awk -v w="$want" '$1 == w || $2 == w' | head -1)
    [ -n "$known" ] || die "no such binary or group: $want (groups: control-plane, node, charts, traefik; binaries: $(tool_table | awk '{printf "%s ", $1}'))"
  done
  wanted=("$@")
  while read -r binary group tool package; do
    if [ $# -eq 0 ] || printf '%s\n' "${wanted[@]}" | grep -qxe "$binary" -e "$group"; then
      [ -x "$BIN/$binary" ] || missing+=("$binary $tool $package")
    fi
  done < <(tool_table)
  [ ${#missing[@]} -gt 0 ] || return 0
  command -v go >/dev/null || die "Go is missing and these have to be compiled: $(printf '%s\n' "${missing[@]}" | awk '{printf "%s ", $1}')
  install Go 1.26 or newer; scripts/bootstrap says how"
  local n=0 began=$SECONDS
  for want in "${missing[@]}"; do
    n=$((n + 1)); read -r binary tool package <<<"$want"
    build_one "$binary" "$tool" "$package" "$n/${#missing[@]}"
  done
  say "tools ready after $((SECONDS - began)) s in $TOOLS"
}

build_one() {
  local binary=$1 tool=$2 package=$3 progress=$4 dir began=$SECONDS
  dir=$(tool_dir "$tool"); mkdir -p "$dir"
  (
    # One build per tool at a time; different tools may be built side by side.
    exec 9>"$dir/.lock"
    flock -n 9 || { say "[$progress] $binary: another build of $tool is running, waiting for it"; flock 9; }
    if [ -x "$dir/$binary" ]; then exit 0; fi
    say "[$progress] $binary: compiling"
    cd "$HERE/tools/$tool" || exit
    CGO_ENABLED=0 go build -trimpath -ldflags="$(tool_flags "$tool")" -o "$dir/.$binary" "$package" >"$dir/.$binary.log" 2>&1 9>&- ||
      die "$binary does not compile (no Go module proxy in reach? see \`go env GOPROXY\`):
$(grep -v '^go: downloading' "$dir/.$binary.log" | tail -n 20)"
    # kwok's default stages live in its module; the module cache may be gone when a cluster starts.
    if [ "$binary" = kwok ]; then
      rm -rf "$dir/stages"
      cp -r "$(go list -m -f '{{.Dir}}' sigs.k8s.io/kwok)/kustomize/stage" "$dir/stages"
      chmod -R u+w "$dir/stages"
    fi
    mv "$dir/.$binary" "$dir/$binary"; rm -f "$dir/.$binary.log"
    say "[$progress] $binary: $((SECONDS - began)) s"
  )
}
