<?php
/**
 * Makes a command line process look like a request for the store's front page, before WordPress is loaded.
 *
 * What always holds: set-up sends no mail and makes no request to anybody; what fails, fails here and not in a handler page.
 */

declare(strict_types=1);

define('WP_DISABLE_FATAL_ERROR_HANDLER', true);
$_SERVER['HTTP_HOST'] = parse_url(Shopwright\setting('STORE_URL'), PHP_URL_HOST);
$_SERVER['REQUEST_URI'] = '/';
$_SERVER['REQUEST_METHOD'] = 'GET';
$_SERVER['SERVER_PROTOCOL'] = 'HTTP/1.1';
// WordPress takes filters given before it starts in this form.
$GLOBALS['wp_filter']['pre_wp_mail'][10]['shopwright'] = ['function' => fn () => true, 'accepted_args' => 1];
$GLOBALS['wp_filter']['pre_http_request'][10]['shopwright'] = [
    'function' => fn () => new WP_Error('shopwright_setup', 'no requests during set-up'),
    'accepted_args' => 1,
];
