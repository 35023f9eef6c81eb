<?php
/**
 * Makes a command line process look like a request for the store's front page, before WordPress is loaded.
 *
 * What always holds: set-up sends no mail and makes no request to anybody; what fails, fails here and not in a handler page.
 */

declare(strict_types=1);

namespace Shopwright;

define('WP_DISABLE_FATAL_ERROR_HANDLER', true);
$_SERVER['HTTP_HOST'] = parse_url(setting('STORE_URL'), PHP_URL_HOST);
$_SERVER['REQUEST_URI'] = '/';
$_SERVER['REQUEST_METHOD'] = 'GET';
$_SERVER['SERVER_PROTOCOL'] = 'HTTP/1.1';
early_hook('pre_wp_mail', fn () => true);
early_hook('pre_http_request', fn () => new \WP_Error('shopwright_setup', 'no requests during set-up'));

/** A hook from before WordPress starts, in the form in which it takes those over. */
function early_hook(string $name, \Closure $call): void
{
    $GLOBALS['wp_filter'][$name][10]['shopwright'] = ['function' => $call, 'accepted_args' => 1];
}
