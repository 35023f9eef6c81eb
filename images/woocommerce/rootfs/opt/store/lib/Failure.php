<?php
/**
 * A set-up that must not go on: a short code for machines and a sentence for people. Neither holds a secret. A lasting one is the
 * same at the next try, until somebody changes the image, the values or the database.
 */

declare(strict_types=1);

namespace Shopwright;

final class Failure extends \RuntimeException
{
    public function __construct(public readonly string $reason, string $sentence, public readonly bool $lasting = false)
    {
        parent::__construct("$reason: $sentence");
    }
}
