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
