<?php
/**
 * WordPress' cache API over ObjectCache: each function as wp-includes/cache.php has it.
 *
 * What always holds: nothing in here throws. A URL that cannot be read is a Redis that is away, and the log is told.
 */

declare(strict_types=1);

use Shopwright\Cache\{Epoch, ObjectCache, Remote, Seal};
use Shopwright\Record;

require_once dirname(__DIR__) . '/lib/load.php';
require_once __DIR__ . '/store.php';
foreach (['Lost', 'Seal', 'Remote', 'Epoch', 'ObjectCache'] as $file) {
    require_once __DIR__ . "/$file.php";
}
// Plugins ask for the class by its name.
class_alias(ObjectCache::class, 'WP_Object_Cache');

function wp_cache_init()
{
    global $wpdb;
    $epoch = new Epoch(fn () => Record::cacheOf($wpdb), fn (string $name) => Record::pauseCache($name));
    $remote = $epoch->name() === null ? Remote::none() : Remote::connected(Shopwright\redis(...), Shopwright\Cache\log(...));
    $GLOBALS['wp_object_cache'] = $cache = new ObjectCache($epoch, $remote, new Seal(Shopwright\Cache\key('seal')), Shopwright\Cache\entries());
    // The inner one is called after those of WordPress and its plugins, which may still change something.
    register_shutdown_function(fn () => register_shutdown_function(fn () => $cache->close()));
}

function wp_cache_add($key, $data, $group = '', $expire = 0)
{
    return !wp_suspend_cache_addition() && ObjectCache::isKey($key)
        && $GLOBALS['wp_object_cache']->add([$key => $data], Shopwright\Cache\group($group), (int) $expire)[$key];
}

function wp_cache_add_multiple(array $data, $group = '', $expire = 0)
{
    return wp_suspend_cache_addition()
        ? array_fill_keys(array_keys($data), false)
        : $GLOBALS['wp_object_cache']->add($data, Shopwright\Cache\group($group), (int) $expire);
}

function wp_cache_replace($key, $data, $group = '', $expire = 0)
{
    return ObjectCache::isKey($key) && $GLOBALS['wp_object_cache']->replace($key, $data, Shopwright\Cache\group($group), (int) $expire);
}

function wp_cache_set($key, $data, $group = '', $expire = 0)
{
    return ObjectCache::isKey($key) && $GLOBALS['wp_object_cache']->set([$key => $data], Shopwright\Cache\group($group), (int) $expire)[$key];
}

function wp_cache_set_multiple(array $data, $group = '', $expire = 0)
{
    return $GLOBALS['wp_object_cache']->set($data, Shopwright\Cache\group($group), (int) $expire);
}

function wp_cache_get($key, $group = '', $force = false, &$found = null)
{
    return $GLOBALS['wp_object_cache']->one($key, Shopwright\Cache\group($group), (bool) $force, $found);
}

function wp_cache_get_multiple($keys, $group = '', $force = false)
{
    $there = $GLOBALS['wp_object_cache']->get($keys, Shopwright\Cache\group($group), (bool) $force);
    return array_replace(array_fill_keys($keys, false), $there);
}

function wp_cache_delete($key, $group = '')
{
    return ObjectCache::isKey($key) && $GLOBALS['wp_object_cache']->delete([$key], Shopwright\Cache\group($group))[$key];
}

function wp_cache_delete_multiple(array $keys, $group = '')
{
    return $GLOBALS['wp_object_cache']->delete($keys, Shopwright\Cache\group($group));
}

function wp_cache_incr($key, $offset = 1, $group = '')
{
    return ObjectCache::isKey($key) ? $GLOBALS['wp_object_cache']->count($key, (int) $offset, Shopwright\Cache\group($group)) : false;
}

function wp_cache_decr($key, $offset = 1, $group = '')
{
    return ObjectCache::isKey($key) ? $GLOBALS['wp_object_cache']->count($key, -(int) $offset, Shopwright\Cache\group($group)) : false;
}

function wp_cache_flush()
{
    return $GLOBALS['wp_object_cache']->flush();
}

function wp_cache_flush_runtime()
{
    $GLOBALS['wp_object_cache']->cache = [];
    return true;
}

function wp_cache_flush_group($group)
{
    return $GLOBALS['wp_object_cache']->flushGroup(Shopwright\Cache\group($group));
}

function wp_cache_supports($feature)
{
    return in_array($feature, ['add_multiple', 'set_multiple', 'get_multiple', 'delete_multiple', 'flush_runtime', 'flush_group'], true);
}

function wp_cache_close()
{
    $GLOBALS['wp_object_cache']->close();
    return true;
}

function wp_cache_add_global_groups($groups)
{
    $GLOBALS['wp_object_cache']->addGlobalGroups((array) $groups);
}

function wp_cache_add_non_persistent_groups($groups)
{
    $GLOBALS['wp_object_cache']->addGroupsOfProcess((array) $groups);
}

function wp_cache_switch_to_blog($blog_id)
{
    $GLOBALS['wp_object_cache']->switchToBlog((int) $blog_id);
}

/** Of WordPress before 3.5. */
function wp_cache_reset()
{
    wp_cache_flush_runtime();
}
