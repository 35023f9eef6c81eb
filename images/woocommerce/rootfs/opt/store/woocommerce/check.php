<?php
/** The last look before the marker: whether what a shopper needs is really there. */

declare(strict_types=1);

namespace Shopwright;

function woocommerce_check(): void
{
    global $wpdb;
    $missing = [];
    foreach (['shop', 'cart', 'checkout', 'myaccount'] as $page) {
        if (get_post_status(wc_get_page_id($page)) !== 'publish') {
            $missing[] = "page $page";
        }
    }
    foreach (['wc_orders', 'wc_product_meta_lookup', 'woocommerce_sessions', 'actionscheduler_actions'] as $table) {
        if ($wpdb->get_var($wpdb->prepare('SHOW TABLES LIKE %s', $wpdb->esc_like($wpdb->prefix . $table))) === null) {
            $missing[] = "table $table";
        }
    }
    foreach (array_keys(PRODUCTS) as $sku) {
        if (!wc_get_product_id_by_sku($sku)) {
            $missing[] = "product $sku";
        }
    }
    if (!isset(WC()->payment_gateways()->payment_gateways()['cod'])) {
        $missing[] = 'cash on delivery';
    }
    if ($missing !== []) {
        throw new Failure('incomplete', implode(', ', $missing));
    }
}
