<?php
/**
 * Set-up, first stage: the record, then WordPress with its administrator, or its schema upgrade. Goes on as configure.php.
 *
 * What always holds: a kill at any point, then a run from the start, ends in the same store as an undisturbed run. The two
 * stages are one process in a row (plugins load only into an installed WordPress, hence two): killing it kills set-up whole.
 * In a store that these versions finished, a new password of the Secret is all that this stage applies, and the last thing done.
 */

declare(strict_types=1);

require_once __DIR__ . '/lib/load.php';
require_once __DIR__ . '/administrator.php';
require_once __DIR__ . '/cache/renew.php';

use Shopwright\{Database, Failure, Record, Report, Versions};
use function Shopwright\{database, redis, secret};

$report = new Report();
$versions = Versions::ofImage();
$run = bin2hex(random_bytes(16));

$report->hide(database()['password'], Shopwright\database_password_before() ?? '', secret('APP_SECRET'), secret('ADMIN_PASSWORD'), redis()['password'] ?? '');
$report->step('database', function () use (&$database) {
    $database = Database::locked();
});
$record = Record::read($database);
$current = $versions->left($record);
$fingerprint = Shopwright\password_fingerprint();
$newPassword = $record->isFinished() && $record->password() !== $fingerprint;
$cached = redis() !== null || $record->hasCache();
if ($current && !$newPassword) {
    if ($cached) {
        // Also after the database was put back to an older state: what is in Redis is of a later one.
        $report->step('cache', fn () => Shopwright\Cache\renew($record));
    }
    // Not a byte of a running store changes, nor is WordPress loaded, which writes as it pleases.
    $report->succeeded($versions->engine(), $versions->note());
}
$report->step('record', function () use ($record, $versions, $run, &$fresh, &$activate) {
    if ($versions->woocommerce === null && $record->woocommerce() !== null) {
        throw new Failure('plugin_missing', 'this store has WooCommerce ' . $record->woocommerce() . ' and this image has none; nothing was changed', lasting: true);
    }
    $fresh = !$record->isFinished();
    $activate = $versions->woocommerce !== null && $record->woocommerce() === null;
    return $record->begin($run);
});
if ($fresh && redis() !== null) {
    $record->beginCache(bin2hex(random_bytes(8)));
} elseif (!$fresh && redis() === null) {
    $record->endCache();
}

require_once __DIR__ . '/lib/cli.php';
// No plugin is loaded in this stage: at first there are no tables for them, later their own upgrade comes with the second.
define('WP_INSTALLING', true);
$report->begin('load');
require_once '/srv/wp/wp-load.php';
require_once ABSPATH . 'wp-admin/includes/upgrade.php';
require_once __DIR__ . '/wordpress.php';
$report->end();

if (!$current) {
    $report->step('wordpress', function () use ($fresh, $activate) {
        if (!$fresh) {
            wp_upgrade();
        } else {
            Shopwright\install_wordpress();
        }
        if ($activate) {
            Shopwright\activate_woocommerce();
        }
        return null;
    });
}
if ($newPassword) {
    $report->step('password', fn () => Shopwright\apply_password());
}
if ($current) {
    if ($cached) {
        $report->step('cache', fn () => Shopwright\Cache\renew($record));
    }
    $report->step('marker', fn () => $record->finish($run, $versions, $fingerprint));
    $report->succeeded($versions->engine(), $versions->note());
}

wp_cache_close();
$database->close();
$GLOBALS['wpdb']->close();
pcntl_exec(PHP_BINARY, [__DIR__ . '/configure.php', $run], array_merge(getenv(), $report->carry()));
throw new Failure('exec', 'the second stage could not be started');
