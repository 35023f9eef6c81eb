# Where WordPress, WooCommerce and the themes of this image come from. Sourced by inputs, prepare and values, which must agree.
#
# What always holds: a directory that was given wins and must be what it is said to be; otherwise both come from release
# archives, or neither does. The choice between archives and registries is made once a day (one request of at most 5 s) and kept
# in $CACHE/work/woocommerce/choice; WORDPRESS_SOURCE=archives|registries makes it without asking.

recipe=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
work=$CACHE/work/woocommerce
core_site=${WORDPRESS_SITE:-https://wordpress.org}
plugin_site=${WORDPRESS_DOWNLOADS:-https://downloads.wordpress.org}

pin() { sed -n "s/^$1=//p" "$recipe/pins.conf"; }

# Content and names below a directory, whatever its modes, dates and place.
tree_hash() { (cd "$1" && find . -type f -print0 | LC_ALL=C sort -z | xargs -0 sha256sum) | sha256sum | cut -d' ' -f1; }

archives_or_registries() {
    local choice=$work/choice
    case ${WORDPRESS_SOURCE:-} in
        archives | registries) printf '%s\n' "$WORDPRESS_SOURCE"; return ;;
        '' | auto) ;;
        *) die "WORDPRESS_SOURCE must be archives, registries or auto, not '$WORDPRESS_SOURCE'" ;;
    esac
    mkdir -p "$work"
    if [[ -z $(find "$choice" -mtime -1 2>/dev/null) ]]; then
        if curl -fsSI --max-time 5 -o /dev/null "$core_site/wordpress-$(pin WORDPRESS).tar.gz" 2>/dev/null; then
            echo archives >"$choice.tmp"
        else
            echo registries >"$choice.tmp"
        fi
        mv "$choice.tmp" "$choice"
    fi
    cat "$choice"
}

# Prints "directory PATH", "archives" or "registries".
core_source() {
    if [[ -z ${WORDPRESS_DIR:-} ]]; then archives_or_registries; return; fi
    [[ -f $WORDPRESS_DIR/wp-includes/version.php ]] || die "WORDPRESS_DIR=$WORDPRESS_DIR is no WordPress: it has no wp-includes/version.php"
    printf 'directory %s\n' "$WORDPRESS_DIR"
}

# Prints "directory PATH", "archives" or "none".
plugin_source() {
    local dir
    if [[ -n ${WOOCOMMERCE_DIR:-} ]]; then
        for dir in "$WOOCOMMERCE_DIR" "$WOOCOMMERCE_DIR/woocommerce" "$WOOCOMMERCE_DIR/plugins/woocommerce"; do
            if [[ -f $dir/woocommerce.php ]]; then printf 'directory %s\n' "$dir"; return; fi
        done
        die "WOOCOMMERCE_DIR=$WOOCOMMERCE_DIR holds no plugin: no woocommerce.php in it, in woocommerce/ or in plugins/woocommerce/"
    fi
    if [[ -n ${WORDPRESS_DIR:-} && -f $WORDPRESS_DIR/wp-content/plugins/woocommerce/woocommerce.php ]]; then
        printf 'directory %s\n' "$WORDPRESS_DIR/wp-content/plugins/woocommerce"
        return
    fi
    case $(archives_or_registries) in
        archives) echo archives ;;
        *) echo none ;;
    esac
}

# Prints "directory PATH", "archives" or "none" for the theme $1.
theme_source() {
    local theme=$1 dir plugin
    plugin=$(plugin_source)
    if [[ -n ${WOOCOMMERCE_THEME_DIR:-} ]]; then
        for dir in "$WOOCOMMERCE_THEME_DIR/$theme" "$WOOCOMMERCE_THEME_DIR"; do
            if [[ ${dir##*/} == "$theme" && -f $dir/style.css ]]; then printf 'directory %s\n' "$dir"; return; fi
        done
    fi
    if [[ $plugin == directory\ * ]]; then
        plugin=${plugin#directory }
        for dir in "$plugin/../$theme" "$plugin/../themes/$theme" "$plugin/../../themes/$theme"; do
            if [[ -f $dir/style.css ]]; then printf 'directory %s\n' "$(cd "$dir" && pwd)"; return; fi
        done
    fi
    # Without the shop there is nothing for a shop's theme to do.
    if [[ $theme == storefront && $plugin == archives ]]; then echo archives; else echo none; fi
}
