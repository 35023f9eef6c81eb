<?php
/** WooCommerce's tables: made for a new store, brought to the plugin's version for an old one, orders in their own tables (HPOS). */

declare(strict_types=1);

namespace Shopwright;

use Automattic\WooCommerce\Internal\DataStores\Orders\DataSynchronizer;

function woocommerce_schema(bool $first): ?string
{
    if (!class_exists('WooCommerce')) {
        if ($first) {
            throw new Failure('plugin_not_loaded', 'WordPress did not load WooCommerce: see the log, the plugin may need a newer WordPress or PHP', lasting: true);
        }
        return 'switched off in this store, left alone';
    }
    if ($first) {
        // The plugin would copy its placeholder picture into the uploads, which set-up does not mount. It serves its own.
        add_option('woocommerce_placeholder_image', '/wp-content/plugins/woocommerce/assets/images/placeholder.webp');
        // Before the first order: changing over later means a migration.
        wc_get_container()->get(DataSynchronizer::class)->create_database_tables();
        update_option('woocommerce_custom_orders_table_enabled', 'yes');
    }
    $from = get_option('woocommerce_db_version');
    // A killed run's lock would make the plugin skip its installation without a word. We hold a lock of our own.
    delete_option('wc_installing');
    delete_transient('wc_installing');
    \WC_Install::install();
    if (!$first) {
        woocommerce_updates((string) $from);
    }
    return null;
}

/** The plugin's own migrations, in order and to their end; it would leave them to cron in the background. */
function woocommerce_updates(string $from): void
{
    include_once WC_ABSPATH . 'includes/wc-update-functions.php';
    foreach (\WC_Install::get_db_update_callbacks() as $version => $callbacks) {
        if (version_compare($from, $version, '>=')) {
            continue;
        }
        foreach ($callbacks as $callback) {
            // True means that there is more of the same to do.
            for ($again = true, $turns = 0; $again && is_callable($callback); $turns++) {
                $again = (bool) $callback();
                if ($turns > 10_000) {
                    throw new Failure('migration_endless', "$callback does not come to an end");
                }
            }
        }
    }
    \WC_Install::update_db_version();
}
