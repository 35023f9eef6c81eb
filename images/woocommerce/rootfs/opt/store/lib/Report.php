<?php
/**
 * What a set-up did and how it ended: one line of JSON in the pod's termination message.
 *
 * What always holds: exactly one result is written, also when PHP dies of a fatal error or WordPress exits by itself; the
 * secrets it was told of are struck out of whatever text it writes. It travels through the process' stages in the environment.
 */

declare(strict_types=1);

namespace Shopwright;

final class Report
{
    private const CARRIER = 'STORE_REPORT';

    /** @var list<array{name: string, ms: int, detail?: string}> */
    private array $steps = [];
    private string $current = 'start';
    private int $started = 0;
    private bool $written = false;
    /** @var list<string> */
    private array $secrets = [];

    public function __construct()
    {
        $this->steps = json_decode(getenv(self::CARRIER) ?: '[]', true, 8, JSON_THROW_ON_ERROR);
        register_shutdown_function(fn () => $this->fromShutdown());
        set_exception_handler(fn (\Throwable $e) => $this->failed($e));
        pcntl_async_signals(true);
        // As the container's first process PHP would not end on TERM by itself.
        pcntl_signal(SIGTERM, fn () => $this->failed(new Failure('interrupted', 'the pod was asked to stop')));
    }

    public function hide(string ...$secrets): void
    {
        array_push($this->secrets, ...array_filter($secrets, fn (string $s) => strlen($s) > 3));
    }

    /**
     * Runs one named step and takes its time. A string that it returns is told with it.
     *
     * @param callable(): (string|null) $work
     */
    public function step(string $name, callable $work): void
    {
        $this->begin($name);
        $detail = $work();
        $this->end(is_string($detail) ? $detail : null);
    }

    /** The two halves of `step`, for what must run at the top level of a file, as WordPress itself must. */
    public function begin(string $name): void
    {
        $this->current = $name;
        $this->started = hrtime(true);
    }

    public function end(?string $detail = null): void
    {
        $step = ['name' => $this->current, 'ms' => intdiv(hrtime(true) - $this->started, 1_000_000)];
        if ($detail !== null) {
            $step['detail'] = $detail;
        }
        $this->steps[] = $step;
        fwrite(STDOUT, "setup: {$step['name']}, {$step['ms']} ms" . ($detail !== null ? " ($detail)" : '') . "\n");
    }

    /** Environment by which the next stage goes on with this report. @return array<string, string> */
    public function carry(): array
    {
        $this->written = true;
        return [self::CARRIER => json_encode($this->steps, JSON_THROW_ON_ERROR)];
    }

    public function succeeded(string $version, ?string $note): never
    {
        $this->write(['result' => 'ok', 'engine' => 'woocommerce', 'version' => $version, 'note' => $note, 'steps' => $this->steps]);
        exit(0);
    }

    public function failed(\Throwable $cause): never
    {
        $reason = $cause instanceof Failure ? $cause->getMessage() : (new \ReflectionClass($cause))->getShortName() . ': ' . $cause->getMessage();
        $this->write(['result' => 'failed', 'step' => $this->current, 'reason' => $reason]);
        // The Job tries again after 1 and gives up after 3.
        $lasting = $cause instanceof MissingSetting || ($cause instanceof Failure && $cause->lasting);
        exit($lasting ? 3 : 1);
    }

    private function fromShutdown(): void
    {
        if ($this->written) {
            return;
        }
        $error = error_get_last();
        $reason = $error === null ? 'stopped: WordPress ended the process, see the log' : 'fatal: ' . strtok($error['message'], "\n");
        $this->write(['result' => 'failed', 'step' => $this->current, 'reason' => $reason]);
        exit(1);
    }

    /** @param array<string, mixed> $result */
    private function write(array $result): void
    {
        $this->written = true;
        if (isset($result['reason'])) {
            $result['reason'] = mb_strimwidth(str_replace($this->secrets, '***', $result['reason']), 0, 600, '...');
        }
        $line = json_encode($result, JSON_THROW_ON_ERROR | JSON_INVALID_UTF8_SUBSTITUTE | JSON_UNESCAPED_SLASHES);
        file_put_contents(setting('TERMINATION_LOG', '/dev/termination-log'), "$line\n");
        fwrite(STDOUT, "$line\n");
    }
}
