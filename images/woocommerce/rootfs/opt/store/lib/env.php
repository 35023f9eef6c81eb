<?php
/**
 * Settings from the environment, secrets from files.
 *
 * What always holds: a secret comes from the file that NAME_FILE names and from nowhere else, so it is in no environment and
 * on no command line; a missing one is an error that names the variable and never the value.
 */

declare(strict_types=1);

namespace Shopwright;

final class MissingSetting extends \RuntimeException
{
}

/** The variable's value, or the default; without a default the variable must be set. */
function setting(string $name, ?string $default = null): string
{
    $value = getenv($name);
    if ($value !== false && $value !== '') {
        return $value;
    }
    return $default ?? throw new MissingSetting("$name is not set");
}

/** The content of the file named by NAME_FILE, without the line end. */
function secret(string $name): string
{
    $path = setting("{$name}_FILE");
    $content = is_readable($path) ? file_get_contents($path) : false;
    if ($content === false || trim($content) === '') {
        throw new MissingSetting("{$name}_FILE names a file that is not there, not readable or empty");
    }
    return rtrim($content, "\r\n");
}

/** The database's other password, which is there only while one is replaced. */
function database_password_before(): ?string
{
    if (setting('DATABASE_URL_FILE', '') !== '') {
        return null;
    }
    $path = dirname(setting('DB_PASSWORD_FILE')) . '/database-password-before';
    $content = is_readable($path) ? rtrim((string) file_get_contents($path), "\r\n") : '';
    return $content === '' ? null : $content;
}

/**
 * How the database is reached: by the DB_ settings, or by the URL in the file that DATABASE_URL_FILE names, which a managed one has:
 * mysql://user:password@host:port/name?tls=true|false; without a word it is true, with the certificate checked.
 *
 * @return array{host: string, port: int, user: string, password: string, name: string, tls: bool}
 */
function database(): array
{
    if (setting('DATABASE_URL_FILE', '') === '') {
        return ['host' => setting('DB_HOST', 'db'), 'port' => 3306, 'user' => setting('DB_USER', 'store'),
            'password' => secret('DB_PASSWORD'), 'name' => setting('DB_NAME', 'store'), 'tls' => false];
    }
    $url = parse_url(secret('DATABASE_URL')) ?: [];
    parse_str($url['query'] ?? '', $options);
    $name = rawurldecode(substr($url['path'] ?? '', 1));
    $tls = $options['tls'] ?? 'true';
    if (!in_array($url['scheme'] ?? '', ['mysql', 'mariadb'], true) || empty($url['host']) || $name === '' || !in_array($tls, ['true', 'false'], true)) {
        // The text is a secret: what is wrong with it is said without it.
        throw new MissingSetting('DATABASE_URL_FILE names a file that holds no mysql://user:password@host:port/name?tls=true|false');
    }
    return ['host' => $url['host'], 'port' => $url['port'] ?? 3306, 'user' => rawurldecode($url['user'] ?? ''),
        'password' => rawurldecode($url['pass'] ?? ''), 'name' => $name, 'tls' => $tls === 'true'];
}

/**
 * How Redis is reached, by the URL in the file that REDIS_URL_FILE names: redis://user:password@host:port/number, or rediss:// with TLS and
 * the certificate checked. Null where the variable is not set: a store without Redis.
 *
 * @return array{host: string, port: int, user: string, password: string, number: int, tls: bool}|null
 */
function redis(): ?array
{
    if (setting('REDIS_URL_FILE', '') === '') {
        return null;
    }
    $url = parse_url(secret('REDIS_URL')) ?: [];
    $number = substr($url['path'] ?? '', 1) ?: '0';
    if (!in_array($url['scheme'] ?? '', ['redis', 'rediss'], true) || empty($url['host']) || !preg_match('/^\d{1,5}$/', $number)) {
        throw new MissingSetting('REDIS_URL_FILE names a file that holds no redis://user:password@host:port/number, nor rediss://');
    }
    return ['host' => $url['host'], 'port' => $url['port'] ?? 6379, 'user' => rawurldecode($url['user'] ?? ''),
        'password' => rawurldecode($url['pass'] ?? ''), 'number' => (int) $number, 'tls' => $url['scheme'] === 'rediss'];
}
