<?php
/**
 * Runs what WordPress has due, once: the CronJob.
 *
 * What always holds: a store that is not set up for this image's code is left alone, and that is no error: the next run comes.
 */

declare(strict_types=1);

require_once __DIR__ . '/lib/load.php';

use Shopwright\{Database, Record, Versions};

$database = Database::connected(10);
if (!Versions::ofImage()->serves(Record::read($database))) {
    fwrite(STDOUT, "cron: the store is not set up yet\n");
    exit(0);
}
$database->close();
$_SERVER['HTTP_HOST'] = parse_url(Shopwright\setting('STORE_URL'), PHP_URL_HOST);
require '/srv/wp/wp-cron.php';
