<?php
/** What this store calls itself in Redis, and what the log hears: both without a secret. */

declare(strict_types=1);

namespace Shopwright\Cache;

use function Shopwright\secret;

/** Keys for this purpose only, from the store's one secret. */
function key(string $purpose): string
{
    return hash_hmac('sha256', "object-cache $purpose", secret('APP_SECRET'));
}

/** What the names of all entries of this store begin with, and of nobody else's: another store has another secret. */
function entries(): string
{
    return 'shopwright:' . substr(key('name'), 0, 16) . ':';
}

function log(string $what): void
{
    error_log("object cache: $what; this process goes on without it");
}

/** WordPress' word for none is an empty one. */
function group(mixed $group): string
{
    return empty($group) ? 'default' : (string) $group;
}
