<?php
/**
 * WordPress' drop-in for the object cache: ours, where the store has Redis. Without it nothing is defined here, and WordPress takes its own.
 */

declare(strict_types=1);

if (Shopwright\setting('REDIS_URL_FILE', '') !== '') {
    require_once '/opt/store/cache/functions.php';
}
