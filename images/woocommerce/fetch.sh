# Gets release archives and the npm package, checked, into a directory. Sourced by prepare.
#
# What always holds: a download has its final name only after its check, so what is in the cache was verified.

downloads=$work/downloads

download() {
    local url=$1 file=$2
    mkdir -p "$downloads"
    quietly "woocommerce: downloading $url" curl -fsSL --retry 3 --connect-timeout 10 --max-time 900 -o "$file" "$url" \
        || die "cannot download $url. WORDPRESS_SOURCE=registries builds a bare WordPress without it; WORDPRESS_DIR and WOOCOMMERCE_DIR take your own"
}

unzip_into() { python3 -m zipfile -e "$1" "$2"; }

archive_of_core() {
    local version file
    version=$(pin WORDPRESS)
    file=$downloads/wordpress-$version.tar.gz
    if [[ ! -s $file ]]; then
        download "$core_site/wordpress-$version.tar.gz" "$file.part"
        download "$core_site/wordpress-$version.tar.gz.sha1" "$file.sha1"
        [[ $(tr -d ' \r\n' <"$file.sha1") == "$(sha1sum <"$file.part" | cut -d' ' -f1)" ]] || die "wordpress-$version.tar.gz is not what its publisher's checksum says"
        mv "$file.part" "$file"
    fi
    tar -xzf "$file" --strip-components=1 -C "$1"
}

archive_of_plugin() {
    local version tree
    version=$(pin WOOCOMMERCE)
    tree=$downloads/woocommerce-$version
    if [[ ! -d $tree ]]; then
        download "$plugin_site/plugin/woocommerce.$version.zip" "$downloads/woocommerce.part"
        download "$plugin_site/plugin-checksums/woocommerce/$version.json" "$downloads/woocommerce.json"
        rm -rf "$tree.tmp"
        mkdir -p "$tree.tmp"
        unzip_into "$downloads/woocommerce.part" "$tree.tmp"
        python3 "$recipe/verify-files.py" "$tree.tmp/woocommerce" "$downloads/woocommerce.json" || die "woocommerce.$version.zip is not what its publisher's checksums say"
        rm -f "$downloads/woocommerce.part"
        mv "$tree.tmp" "$tree"
    fi
    cp -R "$tree/woocommerce/." "$1/"
}

archive_of_storefront() {
    local version file tree
    version=$(pin STOREFRONT)
    file=$downloads/storefront.$version.zip
    tree=$downloads/storefront.tmp
    [[ -s $file ]] || { download "$plugin_site/theme/storefront.$version.zip" "$file.part"; mv "$file.part" "$file"; }
    rm -rf "$tree"
    mkdir -p "$tree"
    unzip_into "$file" "$tree"
    if [[ $(tree_hash "$tree/storefront") == "$(pin STOREFRONT_TREE)" ]]; then
        cp -R "$tree/storefront/." "$1/"
    else
        # The shop works with WordPress' own theme; an unverified one is not worth having.
        say "woocommerce: storefront.$version.zip is not the tree that pins.conf names: left out"
    fi
    rm -rf "$tree"
}

# The package holds WordPress for a browser: PHP in an archive, static files beside it, and a database plugin that prune removes.
core_from_npm() {
    local package version minor file tree=$downloads/npm.tmp
    package=$(pin NPM_PACKAGE) version=$(pin NPM_VERSION) minor=$(pin NPM_WORDPRESS)
    file=$downloads/wordpress-npm-$version.tgz
    mkdir -p "$downloads"
    if [[ ! -s $file ]]; then
        rm -rf "$tree"
        mkdir -p "$tree"
        quietly "woocommerce: npm pack $package@$version" npm pack --silent --pack-destination "$tree" "$package@$version"
        mv "$tree"/*.tgz "$file"
    fi
    rm -rf "$tree"
    mkdir -p "$tree"
    tar -xzf "$file" -C "$tree"
    unzip_into "$tree/package/src/wordpress/wp-$minor.zip" "$1"
    cp -R "$tree/package/public/wp-$minor/." "$1/"
    rm -rf "$tree"
}
