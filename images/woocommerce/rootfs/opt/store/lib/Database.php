<?php
/**
 * The store's database, without WordPress: the connection that holds the set-up's lock.
 *
 * What always holds: whoever has a `Database` from `locked` is the only set-up of this store for as long as the connection
 * lives; a broken connection is an error at the next statement, never a silent reconnect without the lock.
 */

declare(strict_types=1);

namespace Shopwright;

final class Database
{
    private const DENIED = 1045;

    private function __construct(private readonly \mysqli $link)
    {
    }

    /** Waits for the server up to the given time: a new store's database starts beside its set-up. */
    public static function connected(int $seconds): self
    {
        $until = hrtime(true) + $seconds * 1_000_000_000;
        while (true) {
            try {
                return self::once(5);
            } catch (\mysqli_sql_exception $e) {
                if ($e->getCode() === self::DENIED && self::tookOverPassword()) {
                    continue;
                }
                if (hrtime(true) >= $until) {
                    throw new Failure('database_unreachable', "no connection within $seconds s, last error {$e->getCode()}");
                }
                usleep(250_000);
            }
        }
    }

    /**
     * While the password is replaced nobody knows which of the two is in force. When it is the other one, this one is put in its place:
     * whoever comes after finds it so. Only the set-up is given the other one.
     */
    private static function tookOverPassword(): bool
    {
        $before = database_password_before();
        if ($before === null) {
            return false;
        }
        try {
            $at = database();
            $link = new \mysqli($at['host'], $at['user'], $before, $at['name'], $at['port']);
            $link->query("SET PASSWORD = PASSWORD('" . $link->real_escape_string($at['password']) . "')");
            $link->close();
            return true;
        } catch (\mysqli_sql_exception) {
            return false;
        }
    }

    /** One try. Each of connecting and answering is given up after so many seconds. */
    public static function once(int $seconds, int $readSeconds = 90): self
    {
        mysqli_report(MYSQLI_REPORT_ERROR | MYSQLI_REPORT_STRICT);
        $link = mysqli_init();
        $link->options(MYSQLI_OPT_CONNECT_TIMEOUT, $seconds);
        $link->options(MYSQLI_OPT_READ_TIMEOUT, $readSeconds);
        $at = database();
        $link->real_connect($at['host'], $at['user'], $at['password'], $at['name'], $at['port'], null, $at['tls'] ? MYSQLI_CLIENT_SSL : 0);
        $link->set_charset('utf8mb4');
        return new self($link);
    }

    public static function locked(): self
    {
        $database = self::connected(120);
        // A metadata lock of a killed predecessor goes when the server notices; a hang beyond that is an error.
        $database->run('SET SESSION lock_wait_timeout = 30');
        if ($database->value("SELECT GET_LOCK('shopwright_setup', 60)") !== '1') {
            throw new Failure('locked', 'another set-up of this store is running');
        }
        return $database;
    }

    /** Gives the lock back. A socket left open would keep it through the next stage, which is the same process. */
    public function close(): void
    {
        $this->link->close();
    }

    /** @param list<string|int|null> $values */
    public function run(string $sql, array $values = []): void
    {
        $this->link->execute_query($sql, $values);
    }

    /** First column of the first row, null when there is none. @param list<string|int|null> $values */
    public function value(string $sql, array $values = []): ?string
    {
        $row = $this->link->execute_query($sql, $values)->fetch_row();
        return isset($row[0]) ? (string) $row[0] : null;
    }

    /** @param list<string|int|null> $values @return array<string, ?string>|null */
    public function row(string $sql, array $values = []): ?array
    {
        $row = $this->link->execute_query($sql, $values)->fetch_assoc();
        return $row === null || $row === false ? null : array_map(fn ($v) => $v === null ? null : (string) $v, $row);
    }

    /** Tables and views other than our own. @return list<array{name: string, view: bool}> */
    public function foreignTables(): array
    {
        $result = $this->link->execute_query(
            'SELECT table_name AS n, table_type AS t FROM information_schema.tables WHERE table_schema = DATABASE() AND table_name <> ?',
            [Record::TABLE],
        );
        return array_map(fn (array $r) => ['name' => $r['n'], 'view' => $r['t'] === 'VIEW'], $result->fetch_all(MYSQLI_ASSOC));
    }

    public function hasTable(string $name): bool
    {
        return $this->value('SELECT 1 FROM information_schema.tables WHERE table_schema = DATABASE() AND table_name = ?', [$name]) !== null;
    }

    public function dropAllButOurs(): void
    {
        $this->run('SET SESSION foreign_key_checks = 0');
        foreach ($this->foreignTables() as $table) {
            $name = '`' . str_replace('`', '``', $table['name']) . '`';
            $this->run(($table['view'] ? 'DROP VIEW IF EXISTS ' : 'DROP TABLE IF EXISTS ') . $name);
        }
        $this->run('SET SESSION foreign_key_checks = 1');
    }
}
