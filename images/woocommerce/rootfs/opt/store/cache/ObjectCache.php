<?php
/**
 * WordPress' object cache over Redis, with a copy of what this process has seen.
 *
 * What always holds: a caller never learns whether Redis is there; without it this is WordPress' own cache, which lives as long as the process.
 * Objects are copied on their way in and out. An entry ends when it was to end, and never later than LONGEST: what is wrong because a
 * process was killed at the wrong moment, or the database was put back to an older state, is wrong no longer than that, and what nobody asks
 * for any more leaves Redis.
 */

declare(strict_types=1);

namespace Shopwright\Cache;

final class ObjectCache
{
    /** Seconds. WordPress rebuilds what is gone. */
    public const LONGEST = 6 * 3600;
    /** Of a name, in bytes: longer ones are hashed. */
    private const NAME = 200;

    /** By group and key, value and end: WordPress and its plugins empty it by this name. @var array<string, array<int|string, array{mixed, int}>> */
    public array $cache = [];
    /** As keys; WordPress reads them by this name. @var array<string, true> */
    public array $global_groups = [];
    public int $cache_hits = 0;
    public int $cache_misses = 0;
    /** Groups that WordPress keeps nowhere else. What a process without Redis has of them outlives the emptying of `cache`: cron's lock is one. */
    private const ONLY_HERE = ['transient' => true, 'site-transient' => true];
    /** @var array<string, array<int|string, array{mixed, int}>> */
    private array $onlyHere = [];
    /** @var array<string, true> */
    private array $ofProcess = [];
    private string $blog = '';
    private readonly string $prefix;

    /** @param string $store what all entries of this store begin with, whatever their epoch */
    public function __construct(private readonly Epoch $epoch, private Remote $remote, private readonly Seal $seal, private readonly string $store)
    {
        $this->prefix = "$store{$epoch->name()}.{$remote->life()}:";
        if ($epoch->name() !== null && !$remote->isThere()) {
            $epoch->missed();
        }
    }

    /** From here on this process does without Redis. */
    public function leave(): void
    {
        $this->remote = Remote::none();
    }

    public function close(): void
    {
        $this->epoch->close();
    }

    /** @param array<int|string, mixed> $values @return array<int|string, bool> whether each was new */
    public function add(array $values, string $group, int $seconds): array
    {
        $new = array_filter($values, fn ($key) => self::isKey($key) && $this->seen($group, $key) === null, ARRAY_FILTER_USE_KEY);
        // Nothing is changed by an entry that was not there: an undelivered one is no loss.
        $taken = $this->write($new, $group, $seconds, 'nx') ?? array_fill_keys(array_keys($new), true);
        foreach (array_filter($taken) as $key => $_) {
            $this->keep($group, $key, $values[$key], $seconds);
        }
        return array_replace(array_fill_keys(array_keys($values), false), $taken);
    }

    public function replace(int|string $key, mixed $value, string $group, int $seconds): bool
    {
        $taken = $this->write([$key => $value], $group, $seconds, 'xx')[$key] ?? $this->seen($group, $key) !== null;
        $taken ? $this->keep($group, $key, $value, $seconds) : $this->lose($group, $key);
        return $taken;
    }

    /** @param array<int|string, mixed> $values @return array<int|string, bool> false where the key is none */
    public function set(array $values, string $group, int $seconds): array
    {
        $good = array_filter($values, self::isKey(...), ARRAY_FILTER_USE_KEY);
        $this->write($good, $group, $seconds, null);
        foreach ($good as $key => $value) {
            $this->keep($group, $key, $value, $seconds);
        }
        return array_replace(array_fill_keys(array_keys($values), false), array_fill_keys(array_keys($good), true));
    }

    /** The same as `get` for one key, short where most calls end: a page looks up the same options thousands of times. */
    public function one(mixed $key, string $group, bool $anew, ?bool &$found): mixed
    {
        $entry = !$anew && (is_int($key) || is_string($key)) ? $this->seen($group, $key) : null;
        if ($entry !== null) {
            $this->cache_hits++;
            $found = true;
            return is_object($entry[0]) ? clone $entry[0] : $entry[0];
        }
        $there = self::isKey($key) ? $this->get([$key], $group, $anew) : [];
        $found = $there !== [];
        return $found ? reset($there) : false;
    }

    /** What is there, by key. With `anew` this process' own copies are not looked at. @param list<mixed> $keys @return array<int|string, mixed> */
    public function get(array $keys, string $group, bool $anew): array
    {
        $keys = array_values(array_filter($keys, self::isKey(...)));
        $shared = $this->isShared($group) && $this->remote->isThere();
        $wanted = $shared ? array_values(array_filter($keys, fn ($key) => $anew || $this->seen($group, $key) === null)) : [];
        $names = array_map(fn ($key) => $this->name($group, $key), $wanted);
        $sealed = $names === [] ? null : $this->ask(false, fn (Remote $remote) => $remote->get($names));
        foreach ($sealed ?? [] as $i => $text) {
            $opened = $text === false ? null : $this->seal->open($names[$i], $text);
            if ($opened === null) {
                $this->lose($group, $wanted[$i]);
            } else {
                $this->cache[$group][$this->id($group, $wanted[$i])] = $opened;
            }
        }
        $found = [];
        foreach ($keys as $key) {
            $entry = $this->seen($group, $key);
            if ($entry === null) {
                $this->cache_misses++;
                continue;
            }
            $this->cache_hits++;
            $found[$key] = is_object($entry[0]) ? clone $entry[0] : $entry[0];
        }
        return $found;
    }

    /** @param list<mixed> $keys @return array<int|string, bool> whether each was there */
    public function delete(array $keys, string $group): array
    {
        $good = array_values(array_filter($keys, self::isKey(...)));
        $there = [];
        foreach ($good as $key) {
            $there[$key] = $this->seen($group, $key) !== null;
            $this->lose($group, $key);
        }
        if ($good !== [] && $this->isShared($group)) {
            $names = array_map(fn ($key) => $this->name($group, $key), $good);
            foreach ($this->ask(true, fn (Remote $remote) => $remote->delete($names)) ?? [] as $i => $was) {
                $there[$good[$i]] = $was || $there[$good[$i]];
            }
        }
        return array_replace(array_fill_keys(array_filter($keys, fn ($key) => is_int($key) || is_string($key)), false), $there);
    }

    /** The number that it is then, not below 0; what is no number counts as 0. False when it is not there. */
    public function count(int|string $key, int $by, string $group): int|false
    {
        $sum = null;
        $counted = fn (mixed $value) => max(0, (is_numeric($value) ? (int) $value : 0) + $by);
        $changed = !$this->isShared($group) ? null : $this->ask(true, function (Remote $remote) use ($group, $key, $counted, &$sum): bool {
            $name = $this->name($group, $key);
            return $remote->change($name, function (string|false $sealed) use ($name, $counted, &$sum): ?array {
                $opened = $sealed === false ? null : $this->seal->open($name, $sealed);
                $sum = $opened === null ? null : [$counted($opened[0]), $opened[1]];
                return $sum === null ? null : [$this->seal->close($name, ...$sum), max(1, $sum[1] - time())];
            });
        });
        if ($changed === null) {
            $entry = $this->seen($group, $key);
            $sum = $entry === null ? null : [$counted($entry[0]), $entry[1]];
        }
        if ($sum === null || $changed === false) {
            $this->lose($group, $key);
            return false;
        }
        $this->cache[$group][$this->id($group, $key)] = $sum;
        return $sum[0];
    }

    /** All that is the store's, of every epoch, and nothing that is another's. */
    public function flush(): bool
    {
        $this->cache = $this->onlyHere = [];
        $this->ask(true, fn (Remote $remote) => $remote->forget("$this->store*"));
        return true;
    }

    public function flushGroup(string $group): bool
    {
        unset($this->cache[$group], $this->onlyHere[$group]);
        if ($this->isShared($group)) {
            $this->ask(true, fn (Remote $remote) => $remote->forget($this->prefix . rawurlencode($group) . ':*'));
        }
        return true;
    }

    /** @param array<string> $groups */
    public function addGlobalGroups(array $groups): void
    {
        $this->global_groups += array_fill_keys($groups, true);
    }

    /** @param array<string> $groups */
    public function addGroupsOfProcess(array $groups): void
    {
        $this->ofProcess += array_fill_keys($groups, true);
    }

    /** For a network of sites; a store is one. */
    public function switchToBlog(int $blog): void
    {
        $this->blog = is_multisite() ? "$blog:" : '';
    }

    public function stats(): void
    {
        echo "<p>Cache hits: {$this->cache_hits}, misses: {$this->cache_misses}</p>";
    }

    /** @return array<int|string, bool>|null whether each was written; null when that is not known, as without Redis */
    private function write(array $values, string $group, int $seconds, ?string $only): ?array
    {
        if ($values === [] || !$this->isShared($group)) {
            return null;
        }
        $until = $this->until($seconds);
        $sealed = $past = [];
        foreach ($values as $key => $value) {
            $name = $this->name($group, $key);
            $text = $until > time() ? $this->seal->close($name, $value, $until) : null;
            if ($text === null) {
                $past[] = $name;
            } else {
                $sealed[$name] = [$text, $until - time()];
            }
        }
        return $this->ask($only !== 'nx', function (Remote $remote) use ($values, $sealed, $past, $only): ?array {
            // What cannot be kept there must not leave there what was.
            if ($past !== [] && $only !== 'nx') {
                $remote->delete($past);
            }
            $written = $sealed === [] ? [] : $remote->set($sealed, $only);
            return $past === [] ? array_combine(array_keys($values), $written) : null;
        });
    }

    /** Null when Redis did not do it. */
    private function ask(bool $changes, \Closure $command): mixed
    {
        if ($changes) {
            $this->epoch->changing();
        }
        $there = $this->remote->isThere();
        try {
            return $command($this->remote);
        } catch (Lost) {
            if ($there || $changes) {
                $this->epoch->missed();
            }
            return null;
        }
    }

    private function keep(string $group, int|string $key, mixed $value, int $seconds): void
    {
        $entry = [is_object($value) ? clone $value : $value, $this->until($seconds)];
        $this->cache[$group][$this->id($group, $key)] = $entry;
        if (isset(self::ONLY_HERE[$group]) && !$this->remote->isThere()) {
            $this->onlyHere[$group][$this->id($group, $key)] = $entry;
        }
    }

    private function lose(string $group, int|string $key): void
    {
        unset($this->cache[$group][$this->id($group, $key)], $this->onlyHere[$group][$this->id($group, $key)]);
    }

    /** @return array{mixed, int}|null */
    private function seen(string $group, int|string $key): ?array
    {
        $id = $this->id($group, $key);
        $entry = $this->cache[$group][$id] ?? $this->onlyHere[$group][$id] ?? null;
        return $entry !== null && $entry[1] > time() ? $entry : null;
    }

    private function until(int $seconds): int
    {
        return time() + min($seconds === 0 ? self::LONGEST : $seconds, self::LONGEST);
    }

    private function isShared(string $group): bool
    {
        return !isset($this->ofProcess[$group]);
    }

    private function id(string $group, int|string $key): int|string
    {
        return $this->blog === '' || isset($this->global_groups[$group]) ? $key : $this->blog . $key;
    }

    /** Without a character that means something in a pattern, but in the key. */
    private function name(string $group, int|string $key): string
    {
        $key = (string) $this->id($group, $key);
        return $this->prefix . rawurlencode($group) . ':' . (strlen($key) > self::NAME ? hash('sha256', $key) : $key);
    }

    /** As WordPress has it: an integer or a string that is not blank. It tells the plugin's author of another one. */
    public static function isKey(mixed $key): bool
    {
        if (is_int($key) || is_string($key) && trim($key) !== '') {
            return true;
        }
        _doing_it_wrong('wp_cache', 'Cache key must be an integer or a non-empty string.', '6.1.0');
        return false;
    }
}
