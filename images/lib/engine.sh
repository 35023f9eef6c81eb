# shellcheck shell=bash
# The container engine behind three verbs: build, archive, prune. docker, podman and buildah are alike to the callers. Sourced, never run.
#
# What always holds: with buildah (the one that needs no daemon and no image registry) everything lives under $CACHE, apart from
# whatever the machine's own container storage holds.

# IMAGE_ENGINE decides; else the first of buildah, podman, docker that is installed.
engine() {
    local candidate
    if [[ -n ${IMAGE_ENGINE:-} ]]; then printf '%s\n' "$IMAGE_ENGINE"; return; fi
    for candidate in buildah podman docker; do
        if command -v "$candidate" >/dev/null; then printf '%s\n' "$candidate"; return; fi
    done
}

engine_check() {
    local missing=()
    ENGINE=$(engine)
    case $ENGINE in
        buildah)
            ((EUID == 0)) || die "buildah needs root here (its overlay storage and the chroot isolation); run as root, or set IMAGE_ENGINE=podman or docker"
            ;;
        podman | docker) command -v "$ENGINE" >/dev/null || die "IMAGE_ENGINE=$ENGINE, but $ENGINE is not installed" ;;
        '') missing+=(buildah) ;;
        *) die "IMAGE_ENGINE must be buildah, podman or docker, not '$ENGINE'" ;;
    esac
    [[ -n ${BASE_IMAGE:-} ]] || command -v mmdebstrap >/dev/null || missing+=(mmdebstrap)
    use_apt_proxy
    ((${#missing[@]} == 0)) || die "missing: ${missing[*]}. Install with: apt-get install -y ${missing[*]} (scripts/bootstrap does it)"
}

# apt's own proxy becomes the usual variable, which engines hand to RUN steps without keeping it in the image.
use_apt_proxy() {
    local proxy
    command -v apt-config >/dev/null || return 0
    proxy=$(apt-config dump Acquire::http::Proxy | sed -n 's/^Acquire::http::Proxy "\(.*\)";$/\1/p')
    if [[ -n $proxy && $proxy != DIRECT ]]; then export http_proxy=${http_proxy:-$proxy}; fi
}

buildah_() { buildah --root "$CACHE/storage" --runroot "$CACHE/run" --storage-driver overlay "$@"; }

engine_has() {
    case $ENGINE in
        buildah) buildah_ inspect --type image "$1" >/dev/null 2>&1 ;;
        *) "$ENGINE" image inspect "$1" >/dev/null 2>&1 ;;
    esac
}

# The chroot isolation is what works where cgroups are hybrid or the machine is itself a container.
engine_build() {
    local name=$1 tag=$2 context=$3 base=$4 args=()
    [[ -z $base ]] || args+=(--build-arg "BASE_IMAGE=$base")
    args+=(-t "$PREFIX/$name:$tag" -f "$context/Containerfile")
    case $ENGINE in
        buildah) quietly "$name: running its Containerfile" buildah_ build --isolation chroot --format oci --pull-never "${args[@]}" "$context" ;;
        podman) quietly "$name: running its Containerfile" podman build --format oci --pull=missing "${args[@]}" "$context" ;;
        docker) quietly "$name: running its Containerfile" docker build "${args[@]}" "$context" ;;
    esac
}

engine_archive() {
    local name=$1 tag=$2 archive=$3 reference=$PREFIX/$1:$2
    rm -f "$archive.tmp"
    case $ENGINE in
        buildah) quietly "$name: writing the archive" buildah_ push "$reference" "oci-archive:$archive.tmp:$reference" ;;
        podman) quietly "$name: writing the archive" podman save --format oci-archive -o "$archive.tmp" "$reference" ;;
        docker) quietly "$name: writing the archive" docker save -o "$archive.tmp" "$reference" ;;
    esac
    mv "$archive.tmp" "$archive"
}

# Older images of the same name leave the private storage too. An engine shared with others is not tidied behind its user's back.
engine_prune() {
    local name=$1 keep=${2%.tar} id reference
    [[ $ENGINE == buildah ]] || return 0
    while read -r reference id; do
        [[ $reference == "$PREFIX/$name:"* && $reference != "$PREFIX/$name:$keep" ]] || continue
        buildah_ rmi "$reference" >/dev/null 2>&1 || say "$name: $reference ($id) is still in use, left in the storage"
    done < <(buildah_ images --format '{{.Name}}:{{.Tag}} {{.ID}}')
}
