# shellcheck shell=bash
# Images of the node's own parts, made from the binaries here: nothing is pulled.

CONTAINERD_SOCKET=$DIR/containerd.sock

# base_images: pause, busybox, CoreDNS, and Traefik when it is built. Each archive lies beside what it is made of.
base_images() {
  local base part
  base=$TOOLS/base-$(cat "$HERE/pause.c" "$HERE/oci-image.py" "$(command -v busybox)" | sha256sum | cut -c1-12)
  mkdir -p "$base"
  (
    exec 9>"$base/.lock"; flock 9
    [ -f "$base/pause.tar" ] || image pause "$base/pause.tar" pause_root --entry '["/pause"]' --user 65535
    [ -f "$base/busybox.tar" ] || image busybox "$base/busybox.tar" busybox_root --entry '["/bin/sh"]'
    for part in coredns traefik; do
      [ -x "$BIN/$part" ] || continue
      [ -f "$(tool_dir $part)/$part.tar" ] || image $part "$(tool_dir $part)/$part.tar" "binary_root $part" --entry "[\"/$part\"]"
    done
  )
  load "$base/pause.tar"; load "$base/busybox.tar"
  for part in coredns traefik; do
    if [ -f "$(tool_dir $part)/$part.tar" ]; then load "$(tool_dir $part)/$part.tar"; fi
  done
}

# image NAME ARCHIVE FILL OPTION... : FILL puts the files into the directory it is given.
image() {
  local name=$1 archive=$2 fill=$3 root; shift 3
  root=$(mktemp -d); mkdir "$root/tmp"; chmod 755 "$root"; chmod 1777 "$root/tmp"
  $fill "$root"
  "$HERE/oci-image.py" "registry.test/$name:1" "$root" "$archive.new" "$@"
  mv "$archive.new" "$archive"; rm -rf "$root"
}
pause_root() { gcc -Os -static -s -o "$1/pause" "$HERE/pause.c"; }
busybox_root() {
  local applet
  mkdir -p "$1/bin" "$1/etc"; cp "$(command -v busybox)" "$1/bin/busybox"
  for applet in $(busybox --list | grep -vx busybox); do ln -sf busybox "$1/bin/$applet"; done
}
binary_root() { cp "$BIN/$1" "$2/"; }

# load ARCHIVE: imports it once; a changed file is imported again. The node never collects images, so a stamp can be trusted.
load() {
  local stamp
  [ -f "$1" ] || die "no such archive: $1"
  [ -S "$CONTAINERD_SOCKET" ] || die "$NAME has no node to load images into: cluster up --node"
  stamp=$DIR/loaded/$(echo "$(realpath "$1") $(stat -Lc '%s %Y' "$1")" | sha256sum | cut -c1-16)
  [ ! -f "$stamp" ] || return 0
  "$BIN/ctr" -a "$CONTAINERD_SOCKET" -n k8s.io images import "$1" >>"$DIR/log/images.log" 2>&1 ||
    die "$1 cannot be imported: $(tail -n 1 "$DIR/log/images.log")"
  mkdir -p "$DIR/loaded"; touch "$stamp"
}
