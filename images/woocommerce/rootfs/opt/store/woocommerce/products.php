<?php
/** The three products that a new shop shows. Looked up by SKU first, so there is one of each however often this runs. */

declare(strict_types=1);

namespace Shopwright;

const PRODUCTS = [
    'TSHIRT-001' => ['Classic T-Shirt', '24.99', null, 50, 'A comfortable cotton T-shirt for every day.'],
    'HEADPHONES-001' => ['Wireless Headphones', '79.99', '59.99', 30, 'Over-ear headphones with a clear sound and a long battery life.'],
    'WALLET-001' => ['Leather Wallet', '39.99', null, 100, 'A slim wallet of genuine leather.'],
];

function woocommerce_products(): string
{
    $added = 0;
    foreach (PRODUCTS as $sku => [$name, $price, $sale, $stock, $text]) {
        if (wc_get_product_id_by_sku($sku)) {
            continue;
        }
        $product = new \WC_Product_Simple();
        $product->set_name($name);
        $product->set_sku($sku);
        $product->set_short_description($text);
        $product->set_regular_price($price);
        if ($sale !== null) {
            $product->set_sale_price($sale);
        }
        $product->set_manage_stock(true);
        $product->set_stock_quantity($stock);
        $product->set_status('publish');
        $product->save();
        $added++;
    }
    return "$added added";
}
