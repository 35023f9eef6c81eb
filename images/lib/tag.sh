# shellcheck shell=bash
# What an image is called: its tag is a hash of its directory, of its base's tag and of its declared inputs. Sourced, never run.
#
# What always holds: the same sources and inputs give the same tag on every machine; a changed file, mode or input gives another.

# Every directory with a Containerfile is an image; `base` comes first because it is built first.
all_images() {
    local dir
    for dir in "$IMAGES_DIR"/*/Containerfile; do
        dir=${dir%/Containerfile}
        printf '%s\n' "${dir##*/}"
    done
}

# One line of image.conf, empty when it is not there. The file is read, not sourced: it is data.
image_conf() { sed -n "s/^$2=//p" "$IMAGES_DIR/$1/image.conf" 2>/dev/null | tail -n 1; }

image_is_base() { [[ $1 == base ]]; }

image_base() {
    image_is_base "$1" || printf '%s\n' "$(image_conf "$1" BASE | grep . || printf base)"
}

image_base_reference() {
    [[ -n $1 ]] || return 0
    if image_is_base "$1" && [[ -n ${BASE_IMAGE:-} ]]; then
        printf '%s\n' "$BASE_IMAGE"
    else
        printf '%s/%s:%s\n' "$PREFIX" "$1" "$(image_tag "$1")"
    fi
}

# Path, mode and content of each file, in an order that no locale changes.
directory_hash() {
    (
        cd "$1" || exit
        find . \( -type f -o -type l \) -print0 | LC_ALL=C sort -z | while IFS= read -r -d '' file; do
            if [[ -L $file ]]; then
                printf 'link %s %s\n' "$file" "$(readlink "$file")"
            else
                printf '%s %s %s\n' "$([[ -x $file ]] && printf x || printf -- -)" "$file" "$(sha256sum <"$file")"
            fi
        done
    ) | sha256sum
}

image_tag() {
    local name=$1 base
    base=$(image_base "$name")
    {
        printf 'format 1\nserial %s\n' "${IMAGE_SERIAL:-}"
        directory_hash "$IMAGES_DIR/$name"
        if [[ -n $base ]]; then image_base_reference "$base"; else printf 'from %s\n' "${BASE_IMAGE:-debootstrap}"; fi
        # An image whose content depends on the machine (directories given by environment) prints what matters.
        if [[ -x $IMAGES_DIR/$name/inputs ]]; then "$IMAGES_DIR/$name/inputs"; fi
    } | sha256sum | cut -c1-12
}
