<?php
/** Everything that set-up needs before WordPress. */

declare(strict_types=1);

foreach (['env', 'Failure', 'Report', 'Database', 'Record', 'Versions'] as $file) {
    require_once __DIR__ . "/$file.php";
}
