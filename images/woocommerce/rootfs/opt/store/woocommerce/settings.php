<?php
/** What a new shop starts with: pages, address and currency, guest checkout, cash on delivery, one flat rate for everywhere. */

declare(strict_types=1);

namespace Shopwright;

function woocommerce_pages(): void
{
    \WC_Install::create_pages();
    // WordPress' example texts have no place in a shop, and the shop is what a visitor came for.
    foreach (['hello-world' => 'post', 'sample-page' => 'page'] as $slug => $type) {
        $example = get_page_by_path($slug, OBJECT, $type);
        if ($example !== null) {
            wp_delete_post($example->ID, true);
        }
    }
    // Nor have the recent posts and comments beside every page: the owner finds them among the inactive widgets.
    $beside = array_filter(wp_get_sidebars_widgets(), 'is_array');
    wp_set_sidebars_widgets(['wp_inactive_widgets' => array_merge(...array_values($beside))] + array_fill_keys(array_keys($beside), []));
    update_option('show_on_front', 'page');
    update_option('page_on_front', (string) wc_get_page_id('shop'));
}

function woocommerce_settings(): void
{
    $options = [
        'woocommerce_coming_soon' => 'no',
        'woocommerce_store_pages_only' => 'no',
        'woocommerce_currency' => 'USD',
        'woocommerce_store_address' => '123 Main St',
        'woocommerce_store_city' => 'Anytown',
        'woocommerce_default_country' => 'US:CA',
        'woocommerce_store_postcode' => '90210',
        'woocommerce_calc_taxes' => 'no',
        'woocommerce_enable_guest_checkout' => 'yes',
        'woocommerce_enable_checkout_login_reminder' => 'yes',
        'woocommerce_allow_tracking' => 'no',
        'woocommerce_show_marketplace_suggestions' => 'no',
        'woocommerce_onboarding_profile' => ['skipped' => true, 'completed' => true],
        'woocommerce_task_list_hidden' => 'yes',
        'woocommerce_task_list_hidden_lists' => ['setup', 'extended'],
        'woocommerce_cod_settings' => [
            'enabled' => 'yes',
            'title' => 'Cash on delivery',
            'description' => 'Pay with cash upon delivery.',
            'instructions' => 'Pay with cash upon delivery.',
            'enable_for_methods' => [],
            'enable_for_virtual' => 'yes',
        ],
    ];
    foreach ($options as $name => $value) {
        update_option($name, $value);
    }
    // What WooCommerce would do on its first administrator's visit.
    delete_transient('_wc_activation_redirect');
}

function woocommerce_shipping(): void
{
    foreach (\WC_Shipping_Zones::get_zones() as $zone) {
        if ($zone['zone_name'] === 'Everywhere' && $zone['shipping_methods'] !== []) {
            return;
        }
    }
    // A zone without a region matches every address.
    $zone = new \WC_Shipping_Zone();
    $zone->set_zone_name('Everywhere');
    $zone->save();
    $method = $zone->add_shipping_method('flat_rate');
    update_option("woocommerce_flat_rate_{$method}_settings", ['title' => 'Flat rate', 'tax_status' => 'none', 'cost' => '5.00']);
}
