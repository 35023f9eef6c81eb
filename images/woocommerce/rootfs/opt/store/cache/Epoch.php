<?php
/**
 * Under which name the store's entries count at the moment, and how the processes agree on it although Redis is away: by the database.
 *
 * What always holds: no process takes from Redis what another one changed in the database and could not change in Redis. The record (lib/Record)
 * names the epoch, which is part of every entry's name, and until when nobody uses Redis. Each process reads that once, when it starts.
 *   - Whoever cannot deliver a change begins another epoch and a pause of ten seconds, unless there is a pause. In a pause nobody looks into
 *     Redis, so nothing old gets into the new epoch; and a Redis that is away costs its time once in ten seconds, not once a page.
 *   - Whoever worked without Redis, or in an epoch that is over, looks again when it ends: with the pause over, it begins another.
 * A process that is killed between its change and these lines leaves what was in Redis, until it ends by itself: ObjectCache::LONGEST.
 */

declare(strict_types=1);

namespace Shopwright\Cache;

final class Epoch
{
    private ?string $name = null;
    private float $pausedUntil = 0;
    /** All changes of this process were delivered in this epoch; null when one was not. */
    private ?string $delivered = null;
    private bool $changed = false;

    /**
     * @param \Closure(): array{?string, float} $read the epoch, null when there is none, and the seconds that its pause goes on
     * @param \Closure(string): void $pause begins this epoch with a pause, unless there is a pause
     */
    public function __construct(private readonly \Closure $read, private readonly \Closure $pause)
    {
        $this->look();
        $this->delivered = $this->name();
    }

    /** Null: this process is to do without Redis. */
    public function name(): ?string
    {
        return $this->isPaused() ? null : $this->name;
    }

    /** Called before each change in Redis. */
    public function changing(): void
    {
        $this->changed = true;
    }

    /** Called when it did not get there, and when Redis is found to be away. */
    public function missed(): void
    {
        $this->changed = true;
        $this->delivered = null;
        if ($this->name !== null && !$this->isPaused()) {
            $this->begin();
        }
    }

    /** Called at the end. What is changed after it must be followed by another call. */
    public function close(): void
    {
        if (!$this->changed) {
            return;
        }
        $this->changed = false;
        $this->look();
        if ($this->name !== null && $this->name !== $this->delivered && !$this->isPaused()) {
            $this->begin();
        }
    }

    private function isPaused(): bool
    {
        return microtime(true) < $this->pausedUntil;
    }

    private function begin(): void
    {
        try {
            ($this->pause)(bin2hex(random_bytes(8)));
            $this->look();
        } catch (\Throwable) {
            // Without the database nothing was changed either; the next change tries again, but not every one waits.
            $this->pausedUntil = microtime(true) + 1;
        }
    }

    private function look(): void
    {
        [$this->name, $pause] = ($this->read)();
        $this->pausedUntil = microtime(true) + $pause;
    }
}
