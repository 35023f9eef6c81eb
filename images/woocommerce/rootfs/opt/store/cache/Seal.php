<?php
/**
 * The form in which a value lies in Redis: a keyed hash, the second in which it ends, and the value serialised.
 *
 * What always holds: what opens was sealed with this store's key under this very name. Other stores, and their merchants' plugins, may
 * write to the same Redis, and PHP makes whatever objects a serialised text names.
 */

declare(strict_types=1);

namespace Shopwright\Cache;

final class Seal
{
    private const HASH = 16;
    private const HEAD = self::HASH + 8;

    public function __construct(#[\SensitiveParameter] private readonly string $key)
    {
    }

    /** Null when PHP cannot serialise the value (a closure, a resource's object). */
    public function close(string $name, mixed $value, int $until): ?string
    {
        try {
            $body = pack('J', $until) . serialize($value);
        } catch (\Throwable) {
            return null;
        }
        return $this->hash($name, $body) . $body;
    }

    /** The value and its end; null when it is not ours, over, or of a class that this process has not loaded. @return array{mixed, int}|null */
    public function open(string $name, string $sealed): ?array
    {
        $body = substr($sealed, self::HASH);
        if (strlen($sealed) <= self::HEAD || !hash_equals($this->hash($name, $body), substr($sealed, 0, self::HASH))) {
            return null;
        }
        $until = unpack('J', $body)[1];
        if ($until <= time()) {
            return null;
        }
        self::$unknown = false;
        $before = ini_set('unserialize_callback_func', self::class . '::unknown');
        try {
            $value = @unserialize(substr($body, 8));
        } catch (\Throwable) {
            return null;
        } finally {
            ini_set('unserialize_callback_func', (string) $before);
        }
        return self::$unknown ? null : [$value, $until];
    }

    private static bool $unknown = false;

    /** PHP calls this for a class that is not there, and would go on with an object that nobody can use. */
    public static function unknown(string $class): void
    {
        self::$unknown = true;
    }

    private function hash(string $name, string $body): string
    {
        // The long part by OpenSSL, which is five times as quick as PHP's own: all options are one entry of some 100 KB.
        return substr(hash_hmac('sha256', "$name\0" . openssl_digest($body, 'sha256', true), $this->key, true), 0, self::HASH);
    }
}
