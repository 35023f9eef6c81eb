<?php
/**
 * What we know about this store's set-up: one row in a table of our own, beside WordPress' tables.
 *
 * What always holds: the row is there before the first table of WordPress (`begin`), `finished_at` is written last (`finish`),
 * and it travels in every dump of the database. Nothing is dropped unless a set-up began, never finished, and no order exists;
 * tables that no row explains are left alone and reported.
 */

declare(strict_types=1);

namespace Shopwright;

final class Record
{
    public const TABLE = 'shopwright_setup';

    /** @param array<string, ?string>|null $row */
    private function __construct(private readonly Database $database, private ?array $row)
    {
    }

    public static function read(Database $database): self
    {
        $row = $database->hasTable(self::TABLE) ? $database->row('SELECT * FROM ' . self::TABLE . ' WHERE id = 1') : null;
        return new self($database, $row);
    }

    public function isFinished(): bool
    {
        return isset($this->row['finished_at']);
    }

    public function run(): ?string
    {
        return $this->row['run_id'] ?? null;
    }

    /** The versions that the last finished set-up left; null for WooCommerce on a store without it. */
    public function wordpress(): ?string
    {
        return $this->row['wordpress'] ?? null;
    }

    public function wordpressSchema(): int
    {
        return (int) ($this->row['wordpress_schema'] ?? 0);
    }

    public function woocommerce(): ?string
    {
        return $this->row['woocommerce'] ?? null;
    }

    /** The fingerprint of the Secret's password that was applied last; null when an older image set the store up. */
    public function password(): ?string
    {
        return $this->row['admin_password'] ?? null;
    }

    /**
     * Opens a run. A store that was finished stays as it is; what an unfinished run left is removed, so that this one starts
     * on nothing. The row comes first: tables without it are somebody else's.
     */
    public function begin(string $run): string
    {
        if ($this->row !== null && !array_key_exists('admin_password', $this->row)) {
            $this->database->run('ALTER TABLE ' . self::TABLE . ' ADD COLUMN IF NOT EXISTS admin_password CHAR(64) NULL');
        }
        if ($this->isFinished()) {
            $this->database->run('UPDATE ' . self::TABLE . ' SET run_id = ? WHERE id = 1', [$run]);
            return 'set up before';
        }
        $tables = $this->database->foreignTables();
        if ($this->row === null && $tables !== []) {
            throw new Failure('foreign_tables', 'the database has ' . count($tables) . ' tables and no record of a set-up; nothing was changed', lasting: true);
        }
        if ($this->row !== null && $this->orders() > 0) {
            throw new Failure('orders_without_marker', 'the last set-up never finished, but there are orders; nothing was changed', lasting: true);
        }
        $this->database->run(
            'CREATE TABLE IF NOT EXISTS ' . self::TABLE . ' (
                id TINYINT UNSIGNED NOT NULL PRIMARY KEY,
                run_id CHAR(32) NOT NULL,
                setup_started DATETIME NOT NULL,
                finished_at DATETIME NULL,
                wordpress VARCHAR(40) NULL,
                wordpress_schema INT UNSIGNED NULL,
                woocommerce VARCHAR(40) NULL,
                admin_password CHAR(64) NULL
            ) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4',
        );
        $this->database->run('REPLACE INTO ' . self::TABLE . ' (id, run_id, setup_started) VALUES (1, ?, UTC_TIMESTAMP())', [$run]);
        $this->database->dropAllButOurs();
        return $tables === [] ? 'new store' : 'removed ' . count($tables) . ' tables of an unfinished set-up';
    }

    /** The marker. After this the store serves. */
    public function finish(string $run, Versions $versions, string $password): void
    {
        $this->database->run(
            'UPDATE ' . self::TABLE . ' SET finished_at = COALESCE(finished_at, UTC_TIMESTAMP()), wordpress = ?, wordpress_schema = ?, woocommerce = ?,
                admin_password = ?
             WHERE id = 1 AND run_id = ?',
            [$versions->wordpress, $versions->wordpressSchema, $versions->woocommerce, $password, $run],
        );
        if ($this->database->value('SELECT run_id FROM ' . self::TABLE . ' WHERE id = 1 AND finished_at IS NOT NULL') !== $run) {
            throw new Failure('superseded', 'another set-up of this store came between');
        }
    }

    /** Orders in either of WooCommerce's two stores for them. */
    private function orders(): int
    {
        $count = 0;
        if ($this->database->hasTable('wp_wc_orders')) {
            $count += (int) $this->database->value("SELECT COUNT(*) FROM wp_wc_orders WHERE status <> 'auto-draft'");
        }
        if ($this->database->hasTable('wp_posts')) {
            $count += (int) $this->database->value("SELECT COUNT(*) FROM wp_posts WHERE post_type IN ('shop_order', 'shop_order_placehold')");
        }
        return $count;
    }
}
