<?php
/**
 * The set-up's part in the object cache: another epoch, and an empty Redis, as far as it is this store's.
 *
 * What always holds: with Redis, whoever starts after this finds nothing that is older; without it the store has no epoch, so that one that
 * comes back later is not believed. It cannot fail because Redis is away.
 */

declare(strict_types=1);

namespace Shopwright\Cache;

use Shopwright\Record;

use function Shopwright\redis;

foreach (['Lost', 'Remote'] as $file) {
    require_once __DIR__ . "/$file.php";
}
require_once __DIR__ . '/store.php';

function renew(Record $record): string
{
    $at = redis();
    if ($at === null) {
        $record->endCache();
        return 'there is no Redis any more';
    }
    // What WordPress still changes on its way out counts as changed without Redis.
    $cache = $GLOBALS['wp_object_cache'] ?? null;
    if ($cache instanceof ObjectCache) {
        $cache->leave();
    }
    $record->beginCache(bin2hex(random_bytes(8)));
    try {
        return Remote::connected(fn () => $at, log(...))->forget(entries() . '*') . ' entries forgotten';
    } catch (Lost $e) {
        return "{$e->getMessage()}: what was there ends by itself";
    }
}
