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

    /** Whether the object cache has an epoch (cache/Epoch): Redis is there, or was when the last set-up ended. */
    public function hasCache(): bool
    {
        return isset($this->row['cache_epoch']);
    }

    /**
     * Another epoch. A store that served without one has its first only after a while, in which nobody looks into Redis: pods that were started
     * without it run on for some minutes (a CronJob's longest), and tell nobody what they change.
     */
    public function beginCache(string $epoch): void
    {
        if ($this->database->value("SELECT 1 FROM information_schema.columns WHERE table_schema = DATABASE() AND table_name = ? AND column_name = 'cache_epoch'", [self::TABLE]) === null) {
            $this->database->run('ALTER TABLE ' . self::TABLE . ' ADD COLUMN cache_epoch CHAR(16) NULL, ADD COLUMN cache_paused_until DATETIME(6) NULL');
        }
        $pause = $this->isFinished() && !$this->hasCache() ? 'UTC_TIMESTAMP(6) + INTERVAL 300 SECOND' : 'cache_paused_until';
        $this->database->run('UPDATE ' . self::TABLE . " SET cache_epoch = ?, cache_paused_until = $pause WHERE id = 1", [$epoch]);
        $this->row['cache_epoch'] = $epoch;
    }

    /** The store is without Redis now. What WordPress cached in the database before it had one is old. */
    public function endCache(): void
    {
        if ($this->hasCache()) {
            $this->database->run('UPDATE ' . self::TABLE . ' SET cache_epoch = NULL WHERE id = 1');
            $this->database->run("DELETE FROM wp_options WHERE option_name RLIKE '^_(site_)?transient_'");
            $this->row['cache_epoch'] = null;
        }
    }

    /** The epoch, and the seconds that its pause goes on; null before the first set-up with Redis. @return array{?string, float} */
    public static function cacheOf(\wpdb $wpdb): array
    {
        $said = $wpdb->suppress_errors(true);
        $row = $wpdb->get_row('SELECT cache_epoch, TIMESTAMPDIFF(MICROSECOND, UTC_TIMESTAMP(6), cache_paused_until) AS pause FROM ' . self::TABLE . ' WHERE id = 1');
        $wpdb->suppress_errors($said);
        return [$row->cache_epoch ?? null, max(0, (float) ($row->pause ?? 0)) / 1_000_000];
    }

    /** Another epoch with a pause, unless there is a pause. On a connection of its own: in WordPress' one it might be part of a transaction. */
    public static function pauseCache(string $epoch): void
    {
        $driver = new \mysqli_driver();
        $reports = $driver->report_mode;
        try {
            Database::once(1, 1)->run(
                'UPDATE ' . self::TABLE . ' SET cache_epoch = ?, cache_paused_until = UTC_TIMESTAMP(6) + INTERVAL 10 SECOND
                 WHERE id = 1 AND cache_epoch IS NOT NULL AND COALESCE(cache_paused_until <= UTC_TIMESTAMP(6), TRUE)',
                [$epoch],
            );
        } finally {
            // WordPress asks for failures, and is not caught by them.
            $driver->report_mode = $reports;
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
