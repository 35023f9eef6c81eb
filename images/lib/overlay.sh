# shellcheck shell=bash
# Values for the charts: which image is `db`, which is `web`, for each chart whose images are all built. Sourced, never run.
#
# What always holds: out/values-<chart>.yaml names only images whose archive exists, and appears whole or not at all.

# The charts of the named images; another chart's file is not this run's business.
write_overlays() {
    local chart
    for chart in $(for name in "$@"; do image_conf "$name" CHART; done | sort -u); do write_overlay "$chart"; done
}

write_overlay() {
    local chart=$1 name tag file=$OUT/values-$1.yaml images='' extra=''
    while read -r name; do
        [[ $(image_conf "$name" CHART) == "$chart" ]] || continue
        tag=$(image_tag "$name")
        if [[ ! -s $OUT/$name-$tag.tar ]]; then
            rm -f "$file"
            say "no $file yet: it needs $name too (images/build $name)"
            return 0
        fi
        images+="  $(image_conf "$name" ROLE): {repository: $PREFIX/$name, tag: \"$tag\"}"$'\n'
        # An image may have more to say to its chart, in YAML, for instance that it lacks a part.
        if [[ -x $IMAGES_DIR/$name/values ]]; then extra+="$("$IMAGES_DIR/$name/values")"$'\n'; fi
    done < <(all_images)
    printf '# Written by images/build.\nimages:\n%s%s' "$images" "$extra" >"$file.tmp"
    mv "$file.tmp" "$file"
    say "wrote $file"
}
