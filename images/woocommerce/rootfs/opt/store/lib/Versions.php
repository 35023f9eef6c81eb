<?php
/** The versions of the code in this image, read from its files: WordPress, the schema it wants, and the plugin if it is there. */

declare(strict_types=1);

namespace Shopwright;

final class Versions
{
    private const ROOT = '/srv/wp';

    private function __construct(
        public readonly string $wordpress,
        public readonly int $wordpressSchema,
        public readonly ?string $woocommerce,
    ) {
    }

    public static function ofImage(): self
    {
        require self::ROOT . '/wp-includes/version.php';
        /** @var string $wp_version @var int $wp_db_version */
        $plugin = self::ROOT . '/wp-content/plugins/woocommerce/woocommerce.php';
        $woocommerce = null;
        if (is_file($plugin)) {
            if (!preg_match('/^[ \t*]*Version:\s*([0-9][\w.\-]*)/mi', (string) file_get_contents($plugin, length: 8192), $found)) {
                throw new Failure('broken_image', 'the plugin in the image does not say its version', lasting: true);
            }
            $woocommerce = $found[1];
        }
        return new self($wp_version, (int) $wp_db_version, $woocommerce);
    }

    /** Whether the last finished set-up was made by exactly this code, so that there is nothing to do. */
    public function left(Record $record): bool
    {
        return $record->isFinished() && $record->wordpress() === $this->wordpress
            && $record->wordpressSchema() === $this->wordpressSchema && $record->woocommerce() === $this->woocommerce;
    }

    public function note(): ?string
    {
        return $this->woocommerce === null ? 'WordPress without WooCommerce: the image holds no plugin, this store cannot take orders' : null;
    }

    /** What is said to be the engine's version. */
    public function engine(): string
    {
        return $this->woocommerce ?? $this->wordpress;
    }

    /** Whether a store whose last set-up left this record can be served by this code. Newer schemas are served, as WordPress does. */
    public function serves(Record $record): bool
    {
        if (!$record->isFinished() || $record->wordpressSchema() < $this->wordpressSchema) {
            return false;
        }
        if ($this->woocommerce === null) {
            return $record->woocommerce() === null;
        }
        return $record->woocommerce() !== null && version_compare($record->woocommerce(), $this->woocommerce, '>=');
    }
}
