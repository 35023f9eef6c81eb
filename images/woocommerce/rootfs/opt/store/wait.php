<?php
/**
 * Waits until the store is set up for the code of this image, then ends with 0.
 *
 * What always holds: it changes nothing and has no limit of its own (the control plane's deadline for the store decides), so a
 * slow set-up costs no restart of the pod. It says once what it waits for, and again when that changes.
 */

declare(strict_types=1);

require_once __DIR__ . '/lib/load.php';

use Shopwright\{Database, Failure, Record, Versions};

pcntl_async_signals(true);
pcntl_signal(SIGTERM, fn () => exit(143));

$versions = Versions::ofImage();
$said = '';
$say = function (string $what) use (&$said): void {
    if ($what !== $said) {
        fwrite(STDOUT, "wait: $what\n");
        $said = $what;
    }
};
$database = null;
while (true) {
    try {
        $database ??= Database::connected(10);
        $record = Record::read($database);
        if ($versions->serves($record)) {
            $say('the store is set up');
            exit(0);
        }
        $say($record->isFinished() ? 'the set-up of this image\'s versions' : 'the first set-up');
    } catch (Failure | mysqli_sql_exception $e) {
        $database = null;
        $say('the database');
    }
    usleep(500_000);
}
