<?php
/**
 * One process' connection to Redis.
 *
 * What always holds: a command is answered or `Lost` is thrown, and once it was, every further one throws at once: nobody waits twice. The
 * waits of a process together stay below a second and 5 ms for each command. The log is told once, without address, user or password.
 *
 * The connection is the process' own and ends with it: on one that is kept for the next request, the answer to a command that was given
 * up would be taken for the answer to another.
 */

declare(strict_types=1);

namespace Shopwright\Cache;

final class Remote
{
    /** Seconds: for connecting, and for each answer. */
    private const PATIENCE = 0.25;
    /** For all of a process together: so many times that, and so many seconds more for each command. */
    private const WAITS = 4;
    private const EACH = 0.005;

    private ?\Redis $link = null;
    private float $waited = 0;
    private int $commands = 0;
    /** Of Redis' own run: after a restart it may have entries again that were deleted since its last snapshot. */
    private string $life = '-';

    private function __construct(private readonly \Closure $log, private readonly float $patience)
    {
    }

    /** For a process that is to do without. */
    public static function none(): self
    {
        return new self(fn () => null, 0);
    }

    /**
     * @param \Closure(): array{host: string, port: int, user: string, password: string, number: int, tls: bool} $at
     * @param \Closure(string): void $log
     */
    public static function connected(\Closure $at, \Closure $log, float $patience = self::PATIENCE): self
    {
        $remote = new self($log, $patience);
        try {
            $at = $at();
            $remote->link = new \Redis();
            $remote->ask(fn (\Redis $link) => @$link->connect(
                ($at['tls'] ? 'tls://' : '') . $at['host'], $at['port'], $patience, null, 0, $patience,
            ));
            // It would connect anew by itself, up to ten times, within one command.
            $remote->link->setOption(\Redis::OPT_MAX_RETRIES, 0);
            if ($at['password'] !== '') {
                $remote->ask(fn (\Redis $link) => $link->auth($at['user'] === '' ? [$at['password']] : [$at['user'], $at['password']]));
            }
            if ($at['number'] !== 0) {
                $remote->ask(fn (\Redis $link) => $link->select($at['number']));
            }
            $remote->life = substr(hash('sha256', (string) $remote->run()), 0, 8);
        } catch (Lost) {
        } catch (\RuntimeException $e) {
            $remote->link = null;
            $log($e->getMessage());
        }
        return $remote;
    }

    public function isThere(): bool
    {
        return $this->link !== null;
    }

    /** What names this run of the server; the same word always where it is not told, as some that are rented do not. */
    public function life(): string
    {
        return $this->life;
    }

    /** @param list<string> $names @return list<string|false> */
    public function get(array $names): array
    {
        return $this->ask(fn (\Redis $link) => $link->mget($names));
    }

    /**
     * Writes each for so many seconds; with `nx` only what is not there, with `xx` only what is. Whether each was written.
     *
     * @param array<string, array{string, int}> $values
     * @return list<bool>
     */
    public function set(array $values, ?string $only = null): array
    {
        return $this->pipeline(count($values), function (\Redis $line) use ($values, $only): void {
            foreach ($values as $name => [$value, $seconds]) {
                $line->set((string) $name, $value, array_filter([$only, 'ex' => $seconds]));
            }
        });
    }

    /** Whether each was there. @param list<string> $names @return list<bool> */
    public function delete(array $names): array
    {
        return $this->pipeline(count($names), function (\Redis $line) use ($names): void {
            foreach ($names as $name) {
                $line->del($name);
            }
        });
    }

    /**
     * Puts what `next` makes of a value in its place, unless somebody else changed it meanwhile: then again. False when it makes nothing.
     *
     * @param \Closure(string|false): (array{string, int}|null) $next
     */
    public function change(string $name, \Closure $next): bool
    {
        for ($try = 0; $try < 50; $try++) {
            $this->ask(fn (\Redis $link) => $link->watch($name));
            $value = $next($this->ask(fn (\Redis $link) => $link->get($name), false));
            if ($value === null) {
                $this->ask(fn (\Redis $link) => $link->unwatch());
                return false;
            }
            // False is the answer when somebody else was quicker.
            if ($this->ask(fn (\Redis $link) => $link->multi()->set($name, $value[0], ['ex' => $value[1]])->exec(), false) !== false) {
                return true;
            }
        }
        return false;
    }

    /** Deletes what the pattern names, without stopping others: how many. */
    public function forget(string $pattern): int
    {
        $forgotten = 0;
        $at = null;
        do {
            $names = $this->ask(function (\Redis $link) use (&$at, $pattern) {
                return $link->scan($at, $pattern, 1000);
            }, false);
            if ($names) {
                $forgotten += count(array_filter($this->delete($names)));
            }
        } while ($at > 0);
        return $forgotten;
    }

    /** @param \Closure(\Redis): void $commands @return list<bool> */
    private function pipeline(int $count, \Closure $commands): array
    {
        $this->commands += $count - 1;
        $answers = $this->ask(function (\Redis $link) use ($commands) {
            $line = $link->multi(\Redis::PIPELINE);
            $commands($line);
            return $line->exec();
        });
        return array_map(fn ($answer) => (bool) $answer, $answers);
    }

    /** Null when it may not be asked. */
    private function run(): ?string
    {
        try {
            return $this->link->info('server')['run_id'] ?? null;
        } catch (\RedisException $e) {
            return self::refusal($e->getMessage()) === null ? $this->lose('does not answer') : null;
        }
    }

    /**
     * @template T
     * @param \Closure(\Redis): T $command
     * @param mixed $no the answer that means no, where there is one; false means a failure else
     * @return T
     */
    private function ask(\Closure $command, mixed $no = null): mixed
    {
        if ($this->link === null) {
            throw new Lost('there is no Redis');
        }
        $began = microtime(true);
        try {
            if ($this->link->isConnected()) {
                $this->link->clearLastError();
            }
            $answer = $command($this->link);
            $refused = $this->link->getLastError();
        } catch (\RedisException $e) {
            $this->lose(self::refusal($e->getMessage()) ?? 'does not answer');
        }
        $this->waited += microtime(true) - $began;
        $this->commands++;
        if ($refused !== null) {
            $this->lose(self::refusal($refused) ?? 'refuses');
        }
        if ($answer === false && $no !== false) {
            $this->lose('does not answer');
        }
        if ($this->waited > self::WAITS * $this->patience + self::EACH * $this->commands) {
            $this->lose('is slow');
        }
        return $answer;
    }

    /** An error that Redis answers begins with its code, in capitals: OOM, READONLY, WRONGPASS. The rest of it may hold anything. */
    private static function refusal(string $error): ?string
    {
        return preg_match('/^[A-Z]{3,}(?= )/', $error, $code) ? "refuses ($code[0])" : null;
    }

    private function lose(string $why): never
    {
        try {
            $this->link->close();
        } catch (\RedisException) {
        }
        $this->link = null;
        ($this->log)("Redis $why");
        throw new Lost("Redis $why");
    }
}
