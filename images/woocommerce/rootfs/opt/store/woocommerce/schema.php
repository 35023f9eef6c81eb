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
        wc_get_container()->get(DataSynchronizer::class)->create_database_tables();
    }
    $from = get_option('woocommerce_db_version');
    // As before the load: a killed run's lock must not make this a no-op.
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
    // What the plugin put off when it was loaded is done now.
    WC()->queue()->cancel_all('woocommerce_run_update_callback', null, 'woocommerce-db-updates');
    \WC_Install::update_db_version();
}
