<?php
/** The theme that the store was created with, or the nearest one that the image has. */

declare(strict_types=1);

namespace Shopwright;

function woocommerce_theme(): ?string
{
    $wanted = setting('STORE_THEME', 'storefront');
    foreach (array_unique([$wanted, 'storefront', 'astra']) as $name) {
        if (!wp_get_theme($name)->exists()) {
            continue;
        }
        switch_theme($name);
        return $name === $wanted ? $name : "$wanted is not in this image, $name is used";
    }
    return "$wanted is not in this image, WordPress' own " . get_stylesheet() . ' stays';
}
