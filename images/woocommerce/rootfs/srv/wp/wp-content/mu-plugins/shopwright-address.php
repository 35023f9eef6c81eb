<?php
/**
 * Plugin Name: Shopwright address
 * Description: A visitor who reached the store's host under another port or scheme is not sent around in circles.
 *
 * What always holds: WordPress still redirects to the canonical path and host; it does not when only scheme or port differ,
 * because an ingress or a port-forward in between may show the pod another one than the visitor sees, on every try.
 */

declare(strict_types=1);

add_filter('redirect_canonical', function ($target, $requested) {
    $rest = fn ($url) => preg_replace('#^https?://([^/:]+)(:\d+)?#i', '$1', (string) $url);
    return $target && rtrim($rest($target), '/') === rtrim($rest($requested), '/') ? false : $target;
}, 10, 2);
