<?php
/** Redis is not there for this process: it never was, or is not any more. Says why in words of ours, without its address. */

declare(strict_types=1);

namespace Shopwright\Cache;

final class Lost extends \RuntimeException
{
}
