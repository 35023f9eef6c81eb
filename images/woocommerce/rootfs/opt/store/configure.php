<?php
/**
 * Set-up, second stage, after install.php: WooCommerce's tables, pages, settings and first products, then the marker.
 *
 * What always holds: the marker is the last write, made on the connection that holds the lock, and only while the run that
 * the first stage opened is still the newest. A store that was finished with these versions does not come here.
 */

declare(strict_types=1);

require_once __DIR__ . '/lib/load.php';
require_once __DIR__ . '/administrator.php';
require_once __DIR__ . '/cache/renew.php';

use Shopwright\{Database, Failure, Record, Report, Versions};
use function Shopwright\{database, redis, secret};

$report = new Report();
$report->hide(database()['password'], Shopwright\database_password_before() ?? '', secret('APP_SECRET'), secret('ADMIN_PASSWORD'), redis()['password'] ?? '');
$versions = Versions::ofImage();
$run = $argv[1] ?? '';

$report->step('lock', function () use (&$database, &$record, $run) {
    $database = Database::locked();
    $record = Record::read($database);
    if ($record->run() !== $run) {
        throw new Failure('superseded', 'another set-up of this store came between');
    }
});

require_once __DIR__ . '/lib/cli.php';
if ($record->woocommerce() === null) {
    // The plugin reads tables that it makes a moment later: noise, which the last step would not let pass if it were more.
    Shopwright\early_hook('muplugins_loaded', fn () => $GLOBALS['wpdb']->suppress_errors(true));
}
$report->begin('load');
require_once '/srv/wp/wp-load.php';
$GLOBALS['wpdb']->suppress_errors(false);
$report->end();
foreach (['wordpress', 'woocommerce/schema', 'woocommerce/settings', 'woocommerce/products', 'woocommerce/theme', 'woocommerce/check'] as $file) {
    require_once __DIR__ . "/$file.php";
}

$administrator = get_users(['role' => 'administrator', 'number' => 1, 'orderby' => 'ID'])[0] ?? throw new Failure('no_administrator', 'the store has no administrator');
wp_set_current_user($administrator->ID);

if (!$record->isFinished()) {
    $report->step('permalinks', fn () => Shopwright\pretty_permalinks());
}
if ($versions->woocommerce !== null && $record->woocommerce() !== $versions->woocommerce) {
    $first = $record->woocommerce() === null;
    $report->step('woocommerce', fn () => Shopwright\woocommerce_schema($first));
    if ($first) {
        $report->step('pages', fn () => Shopwright\woocommerce_pages());
        $report->step('settings', fn () => Shopwright\woocommerce_settings());
        $report->step('shipping', fn () => Shopwright\woocommerce_shipping());
        $report->step('theme', fn () => Shopwright\woocommerce_theme());
        $report->step('products', fn () => Shopwright\woocommerce_products());
        $report->step('permalinks', fn () => Shopwright\pretty_permalinks());
        $report->step('check', fn () => Shopwright\woocommerce_check());
    }
}
if (redis() !== null) {
    $report->step('cache', fn () => Shopwright\Cache\renew($record));
}
$report->step('marker', fn () => $record->finish($run, $versions, Shopwright\password_fingerprint()));

$report->succeeded($versions->engine(), $versions->note());
