<?php
/**
 * What is promised of the object cache, tried on a real Redis: each `process` below is what a PHP process has, and the record is the row of the
 * database that they share. Arguments: the server's program, a directory. `test-cache` calls it.
 */

declare(strict_types=1);

use Shopwright\Cache\{Epoch, ObjectCache, Remote, Seal};

[, $server, $dir] = $argv;
putenv("REDIS_URL_FILE=$dir/url");
putenv("APP_SECRET_FILE=$dir/secret");
file_put_contents("$dir/secret", 'of this store');

// What the cache takes from WordPress.
class wpdb
{
    public function suppress_errors(bool $yes): bool
    {
        return false;
    }

    public function get_row(string $sql): ?object
    {
        return (object) ['cache_epoch' => $GLOBALS['record']->epoch, 'pause' => 0];
    }
}
function is_multisite(): bool
{
    return false;
}
function wp_suspend_cache_addition(): bool
{
    return $GLOBALS['suspended'] ?? false;
}
function _doing_it_wrong(): void
{
    $GLOBALS['wrong'] = ($GLOBALS['wrong'] ?? 0) + 1;
}

require __DIR__ . '/rootfs/opt/store/cache/functions.php';

/** The row that all processes of a store read: an epoch and its pause, shorter than the real one. */
final class TestRecord
{
    public const PAUSE = 0.4;
    public ?string $epoch = 'first';
    public float $pausedUntil = 0;
    public int $pauses = 0;

    public function read(): array
    {
        return [$this->epoch, max(0, $this->pausedUntil - microtime(true))];
    }

    public function pause(string $epoch): void
    {
        if ($this->epoch === null || $this->pausedUntil > microtime(true)) {
            return;
        }
        [$this->epoch, $this->pausedUntil] = [$epoch, microtime(true) + self::PAUSE];
        $this->pauses++;
    }

    public function awaitEnd(): void
    {
        while (($rest = $this->pausedUntil - microtime(true)) > 0) {
            usleep((int) ($rest * 1_000_000) + 1000);
        }
    }
}

final class TestServer
{
    public const PASSWORD = 'p/w:1';
    /** @var resource|null */
    private $process;
    public readonly int $port;
    public readonly int $tls;

    public function __construct(private readonly string $program, private readonly string $dir)
    {
        $sockets = [stream_socket_server('tcp://127.0.0.1:0'), stream_socket_server('tcp://127.0.0.1:0')];
        [$this->port, $this->tls] = array_map(fn ($socket) => (int) substr(strrchr(stream_socket_get_name($socket, false), ':'), 1), $sockets);
        array_map(fclose(...), $sockets);
        // Whatever ends this test, its server goes with it.
        register_shutdown_function(fn () => $this->kill());
    }

    public function start(): void
    {
        $command = ['bash', '-c', 'exec -a redis-server "$@"', 'bash', $this->program, '--port', (string) $this->port, '--bind', '127.0.0.1',
            '--requirepass', self::PASSWORD, '--save', '', '--appendonly', 'no', '--dir', $this->dir, '--logfile', "$this->dir/redis.log",
            '--tls-port', (string) $this->tls, '--tls-cert-file', "$this->dir/cert.pem", '--tls-key-file', "$this->dir/key.pem", '--tls-ca-cert-file', "$this->dir/cert.pem",
            '--tls-auth-clients', 'no'];
        $this->process = proc_open($command, [], $pipes);
        $until = microtime(true) + 60;
        while (true) {
            try {
                $this->admin()->ping();
                return;
            } catch (RedisException $e) {
                microtime(true) < $until || throw $e;
                usleep(20_000);
            }
        }
    }

    /** Everything of it, as whoever runs it sees it. */
    public function admin(int $number = 0): Redis
    {
        $redis = new Redis();
        @$redis->connect('127.0.0.1', $this->port, 5);
        $redis->auth(self::PASSWORD);
        $redis->select($number);
        return $redis;
    }

    public function signal(int $signal): void
    {
        proc_terminate($this->process, $signal);
    }

    public function kill(): void
    {
        if ($this->process !== null) {
            $this->signal(9);
            proc_close($this->process);
            $this->process = null;
        }
    }

    public function at(string $password = self::PASSWORD): array
    {
        return ['host' => '127.0.0.1', 'port' => $this->port, 'user' => '', 'password' => $password, 'number' => 3, 'tls' => false];
    }
}

/** A PHP process of the store `name`; more patient than a real one, since this machine may be busy. */
function process(TestRecord $record, ?array $at = null, string $name = 'shopwright:a:', float $patience = 10): ObjectCache
{
    $at ??= $GLOBALS['redis']->at();
    $epoch = new Epoch($record->read(...), $record->pause(...));
    $remote = $epoch->name() === null ? Remote::none() : Remote::connected(fn () => $at, function (string $what): void {
        $GLOBALS['log'][] = $what;
    }, $patience);
    return new ObjectCache($epoch, $remote, new Seal("key of $name"), $name);
}
function one(ObjectCache $cache, string|int $key, string $group = 'options', bool $anew = false): mixed
{
    return $cache->get([$key], $group, $anew)[$key] ?? 'NOT THERE';
}
function put(ObjectCache $cache, string|int $key, mixed $value, string $group = 'options', int $seconds = 0): void
{
    $cache->set([$key => $value], $group, $seconds);
}
function is(mixed $got, mixed $wanted, string $what): void
{
    if ($got !== $wanted) {
        throw new Exception("$what: expected " . var_export($wanted, true) . ', got ' . var_export($got, true));
    }
}

final class Known
{
    public function __construct(public array $inside)
    {
    }
}

$redis = new TestServer($server, $dir);
$redis->start();
$log = [];

$tests = [
    'a second process finds what the first one put there, whatever it is' => function (): void {
        $record = new TestRecord();
        $values = ['a' => false, 'b' => null, 'c' => 0, 'd' => '', 'e' => ['x' => [1, null]], 'f' => "bin\0\xff", 7 => 1.5, 'a:b' => 'colon', 'long' . str_repeat('k', 900) => 'long'];
        is(process($record)->set($values, 'options', 0), array_map(fn () => true, $values), 'set');
        is(process($record)->get(array_keys($values), 'options', false), $values, 'get');
        put(process($record), 'object', new Known([1]));
        is(one(process($record), 'object') instanceof Known, true, 'an object');
        is(one(process($record), 'a', 'a'), 'NOT THERE', 'another group');
    },
    'a key and a group are never taken for another pair' => function (): void {
        $cache = process($record = new TestRecord());
        put($cache, 'c', 1, 'a:b');
        put($cache, 'b:c', 2, 'a');
        is([one(process($record), 'c', 'a:b'), one(process($record), 'b:c', 'a')], [1, 2], 'both');
    },
    'what a caller does to its object changes no entry' => function (): void {
        $cache = process($record = new TestRecord());
        put($cache, 'o', $mine = new Known([1]));
        $mine->inside = [2];
        $got = one($cache, 'o');
        $got->inside[] = 3;
        is([one($cache, 'o')->inside, one(process($record), 'o')->inside], [[1], [1]], 'inside');
    },
    'a change of one process is seen by the next one' => function (): void {
        $web = process($record = new TestRecord());
        put($web, 'blogname', 'old');
        $cron = process($record);
        put($cron, 'blogname', 'new');
        is(one(process($record), 'blogname'), 'new', 'set');
        is(one($web, 'blogname'), 'old', 'its own copy is what a running process goes on with');
        is(one($web, 'blogname', anew: true), 'new', 'unless it asks anew');
        is($cron->delete(['blogname', 'never'], 'options'), ['blogname' => true, 'never' => false], 'delete');
        is(one(process($record), 'blogname'), 'NOT THERE', 'deleted');
        is(one($web, 'blogname', anew: true), 'NOT THERE', 'deleted, asked anew');
    },
    'of two that add the same, one does' => function (): void {
        [$a, $b] = [process($record = new TestRecord()), process($record)];
        is([$a->add(['lock' => 'a', 'x' => 1], 'options', 0), $b->add(['y' => 2, 'lock' => 'b'], 'options', 0)], [['lock' => true, 'x' => true], ['y' => true, 'lock' => false]], 'add');
        is(one($b, 'lock'), 'a', 'the first one\'s');
    },
    'only what is there is replaced' => function (): void {
        [$a, $b] = [process($record = new TestRecord()), process($record)];
        is($a->replace('r', 1, 'options', 0), false, 'not there');
        put($a, 'r', 1);
        is([$b->replace('r', 2, 'options', 0), one(process($record), 'r')], [true, 2], 'there');
        $b->delete(['r'], 'options');
        is($a->replace('r', 3, 'options', 0), false, 'there in its own copy only');
    },
    'numbers are counted by many at once, and keep their end' => function () use ($dir): void {
        $cache = process($record = new TestRecord());
        put($cache, 'n', 5, 'options', 60);
        $pids = [];
        for ($i = 0; $i < 3; $i++) {
            $pids[] = $pid = pcntl_fork();
            if ($pid === 0) {
                $child = process($record);
                for ($j = 0; $j < 40; $j++) {
                    while ($child->count('n', 1, 'options') === false);
                }
                posix_kill(getmypid(), SIGKILL);
            }
        }
        array_map(fn ($pid) => pcntl_waitpid($pid, $status), $pids);
        is(one(process($record), 'n'), 125, 'sum');
        is([$cache->count('n', -1000, 'options'), $cache->count('never', 1, 'options')], [0, false], 'not below nothing, and not from nothing');
        $seconds = $GLOBALS['redis']->admin(3)->ttl($GLOBALS['redis']->admin(3)->keys('*:options:n')[0]);
        is($seconds > 0 && $seconds <= 60, true, 'its end');
        put($cache, 'w', 'word');
        is($cache->count('w', 2, 'options'), 2, 'what is no number');
    },
    'an entry ends when it was to end, in Redis and in the process, and all end some day' => function (): void {
        $cache = process($record = new TestRecord());
        put($cache, 'short', 1, 'options', 1);
        put($cache, 'past', 1);
        put($cache, 'past', 2, 'options', -5);
        put($cache, 'month', 1, 'options', 30 * 86400);
        is(one(process($record), 'past'), 'NOT THERE', 'one that is over takes the place of one that was not');
        usleep(2_050_000);
        is([one($cache, 'short'), one(process($record), 'short')], ['NOT THERE', 'NOT THERE'], 'short');
        $admin = $GLOBALS['redis']->admin(3);
        foreach ($admin->keys('*') as $name) {
            is(($ttl = $admin->ttl($name)) > 0 && $ttl <= ObjectCache::LONGEST, true, "the end of $name");
        }
    },
    'a group of the process stays in the process' => function (): void {
        $cache = process($record = new TestRecord());
        $cache->addGroupsOfProcess(['counts']);
        put($cache, 'k', 1, 'counts');
        is([one($cache, 'k', 'counts'), one($cache, 'k', 'counts', true), one(process($record), 'k', 'counts')], [1, 1, 'NOT THERE'], 'counts');
        is([$cache->add(['k' => 2], 'counts', 0), $cache->count('k', 1, 'counts'), $cache->delete(['k'], 'counts')], [['k' => false], 2, ['k' => true]], 'the rest');
    },
    'a group is emptied, and no other' => function (): void {
        $cache = process($record = new TestRecord());
        put($cache, 'k', 1, 'pro*');
        put($cache, 'k', 2, 'products');
        $cache->flushGroup('pro*');
        is([one($cache, 'k', 'pro*'), one(process($record), 'k', 'pro*'), one(process($record), 'k', 'products')], ['NOT THERE', 'NOT THERE', 2], 'groups');
    },
    'two stores on one Redis see nothing of each other, and one empties its own only' => function (): void {
        [$mine, $theirs] = [new TestRecord(), new TestRecord()];
        put($a = process($mine), 'k', 'mine');
        put($b = process($theirs, name: 'shopwright:b:'), 'k', 'theirs');
        $admin = $GLOBALS['redis']->admin(3);
        $admin->set('somebody', 'else');
        is([one(process($mine), 'k'), one(process($theirs, name: 'shopwright:b:'), 'k')], ['mine', 'theirs'], 'before');
        $a->flush();
        is([one($a, 'k'), one(process($mine), 'k'), one(process($theirs, name: 'shopwright:b:'), 'k'), $admin->get('somebody')], ['NOT THERE', 'NOT THERE', 'theirs', 'else'], 'after');
        is($admin->keys('shopwright:a:*'), [], 'nothing of ours is left');
    },
    'what somebody else wrote, or moved, is no entry' => function (): void {
        $cache = process($record = new TestRecord());
        put($cache, 'k', 'v');
        put($cache, 'other', 'o');
        $admin = $GLOBALS['redis']->admin(3);
        [$name] = $admin->keys('*:options:k');
        $admin->set($name, $admin->get($admin->keys('*:options:other')[0]));
        is(one(process($record), 'k'), 'NOT THERE', 'moved');
        foreach ([serialize(new Known([])), '', 'x', str_repeat('y', 40)] as $forged) {
            $admin->set($name, $forged);
            is(one(process($record), 'k'), 'NOT THERE', 'forged');
        }
    },
    'an object of a class that is not loaded is no entry' => function (): void {
        $cache = process($record = new TestRecord());
        put($cache, 'k', [new Known([])]);
        $admin = $GLOBALS['redis']->admin(3);
        [$name] = $admin->keys('*:options:k');
        $body = str_replace('O:5:"Known"', 'O:5:"Nknow"', substr($admin->get($name), 16));
        $admin->set($name, substr(hash_hmac('sha256', "$name\0" . openssl_digest($body, 'sha256', true), 'key of shopwright:a:', true), 0, 16) . $body);
        is(one(process($record), 'k'), 'NOT THERE', 'unknown');
        put($cache, 'k', fn () => 1);
        is([one($cache, 'k') instanceof Closure, one(process($record), 'k')], [true, 'NOT THERE'], 'what cannot be serialised takes the place of what was');
    },
    'Redis is killed in the middle: the process goes on, and says so once' => function (): void {
        global $redis, $log;
        $cache = process($record = new TestRecord());
        put($cache, 'k', 'old');
        $redis->kill();
        put($cache, 'k', 'new');
        is([one($cache, 'k'), one($cache, 'k', anew: true), $cache->add(['l' => 1], 'options', 0), $cache->count('l', 1, 'options')], ['new', 'new', ['l' => true], 2], 'goes on');
        is([$cache->flushGroup('options'), $cache->flush(), $cache->delete(['k'], 'options'), $cache->replace('k', 1, 'options', 0)], [true, true, ['k' => false], false], 'the rest');
        is($log, ['Redis does not answer'], 'log');
        is($record->pauses, 1, 'one pause');
        $redis->start();
    },
    'a transient of a process without Redis outlives the emptying of its copies, and nothing else does' => function (): void {
        $cache = process($record = new TestRecord());
        $cache->leave();
        put($cache, 'doing_cron', '1.5', 'transient');
        put($cache, 'k', 1);
        $cache->cache = [];
        is([one($cache, 'doing_cron', 'transient', anew: true), one($cache, 'k')], ['1.5', 'NOT THERE'], 'emptied');
        $cache->delete(['doing_cron'], 'transient');
        is(one($cache, 'doing_cron', 'transient'), 'NOT THERE', 'deleted');
    },
    'Redis is not there: the first process finds out, the others do not ask until the pause is over' => function (): void {
        global $redis, $log;
        $redis->kill();
        $record = new TestRecord();
        is(one(process($record), 'k'), 'NOT THERE', 'first');
        for ($i = 0; $i < 5; $i++) {
            put($cache = process($record), 'k', $i);
            is(one($cache, 'k'), $i, 'others');
            $cache->close();
        }
        is([$log, $record->pauses], [['Redis does not answer'], 1], 'log');
        $record->awaitEnd();
        $redis->start();
        put(process($record), 'k', 'again');
        is(one(process($record), 'k'), 'again', 'after the pause');
    },
    'a wrong password is a Redis that is away, and is in no log' => function (): void {
        global $redis, $log;
        $cache = process(new TestRecord(), $redis->at('wrong-secret'));
        put($cache, 'k', 1);
        is([one($cache, 'k'), $log], [1, ['Redis refuses (WRONGPASS)']], 'wrong password');
    },
    'a Redis that hangs costs a quarter of a second, once' => function (): void {
        global $redis, $log;
        put($cache = process($record = new TestRecord(), patience: 0.25), 'k', 1);
        $redis->signal(SIGSTOP);
        $began = microtime(true);
        is(one(process($record, patience: 0.25), 'k'), 'NOT THERE', 'hanging at its start');
        is([one($cache, 'k', anew: true), $log[0]], [1, 'Redis does not answer'], 'hanging in the middle');
        is(microtime(true) - $began < 2, true, 'time');
        $redis->signal(SIGCONT);
    },
    'a Redis that answers slowly is given up, too' => function (): void {
        global $redis, $log;
        $cache = process(new TestRecord(), patience: 0.25);
        $admin = $redis->admin(3);
        $began = microtime(true);
        for ($i = 0; $i < 200 && $log === []; $i++) {
            // It holds all clients' commands back for so many ms: never so long that one alone is given up, unless the machine is busy.
            $admin->rawCommand('CLIENT', 'PAUSE', '50', 'ALL');
            one($cache, "k$i");
        }
        is([in_array($log, [['Redis is slow'], ['Redis does not answer']], true), microtime(true) - $began < 4], [true, true], 'given up');
        $redis->admin()->rawCommand('CLIENT', 'UNPAUSE');
    },
    'a change that Redis refuses is a change that did not get there' => function (): void {
        global $redis, $log;
        put($cache = process($record = new TestRecord()), 'k', 'old');
        $redis->admin()->config('SET', 'maxmemory', '1');
        put($cache, 'k', 'new');
        $redis->admin()->config('SET', 'maxmemory', '0');
        $record->awaitEnd();
        is([one(process($record), 'k'), $log], ['NOT THERE', ['Redis refuses (OOM)']], 'out of memory');
    },
    'a Redis that may not be asked who it is is used all the same' => function (): void {
        global $redis;
        $redis->admin()->rawCommand('ACL', 'SETUSER', 'shop', 'reset', 'on', '>pw', '~shopwright:*', '+@all', '-@dangerous');
        $at = ['user' => 'shop', 'password' => 'pw'] + $redis->at();
        put(process($record = new TestRecord(), $at), 'k', 1);
        is([one(process($record, $at), 'k'), $GLOBALS['log']], [1, []], 'by an account of its own');
        is(one(process($record), 'k'), 'NOT THERE', 'by another, who knows');
    },
    'over TLS it is the same, with a certificate that is this host\'s' => function (): void {
        global $redis, $log;
        $record = new TestRecord();
        $at = ['tls' => true, 'host' => 'localhost', 'port' => $redis->tls] + $redis->at();
        put(process($record, $at), 'k', 1);
        is([one(process($record, $at), 'k'), $log], [1, []], 'this host');
        put(process($record, ['host' => '127.0.0.1'] + $at), 'k', 2);
        is([one(process($record, $at), 'k'), $log], ['NOT THERE', ['Redis does not answer']], 'another host');
    },
    'what was changed while Redis could not be reached is never found old afterwards' => function (): void {
        global $redis;
        $record = new TestRecord();
        put(process($record), 'k', 'old');
        // For this one alone it is away; Redis itself keeps what it has.
        $cut = process($record, ['port' => 1] + $redis->at());
        put($cut, 'k', 'new');
        is(one(process($record), 'k'), 'NOT THERE', 'in the pause');
        $record->awaitEnd();
        is(one(process($record), 'k'), 'NOT THERE', 'after the pause');
        // The cut one is still at work: what others put there after the pause does not outlive its next change.
        put(process($record), 'k', 'read before its change');
        put($cut, 'k', 'newer');
        is($record->pauses, 2, 'another pause');
        $record->awaitEnd();
        is(one(process($record), 'k'), 'NOT THERE', 'after its last change');
    },
    'who began before a pause and ends after it has told its changes to nobody, and begins another' => function (): void {
        global $redis;
        $record = new TestRecord();
        $long = process($record);
        process($record, ['port' => 1] + $redis->at());
        $record->awaitEnd();
        put(process($record), 'k', 'old');
        put($long, 'k', 'new');
        $long->close();
        $record->awaitEnd();
        is([one(process($record), 'k'), $record->pauses], ['NOT THERE', 2], 'after it');
        $reader = process($record);
        one($reader, 'k');
        $reader->close();
        is($record->pauses, 2, 'who changed nothing begins nothing');
        put($writer = process($record), 'k', 1);
        $writer->close();
        is($record->pauses, 2, 'nor who told all');
    },
    'a Redis that was restarted from its snapshot is not believed' => function (): void {
        global $redis;
        put(process($record = new TestRecord()), 'k', 'old');
        $redis->admin()->save();
        process($record)->delete(['k'], 'options');
        $redis->kill();
        $redis->start();
        is([count($redis->admin(3)->keys('*:options:k')) > 0, one(process($record), 'k')], [true, 'NOT THERE'], 'it has it, and nobody sees it');
    },
    'a store without an epoch does without Redis' => function (): void {
        $record = new TestRecord();
        $record->epoch = null;
        put($cache = process($record), 'k', 1);
        $cache->close();
        is([one($cache, 'k'), $GLOBALS['redis']->admin(3)->keys('shopwright:a:*'), $record->pauses], [1, [], 0], 'nothing there');
        $record->epoch = 'now';
        put($cache, 'k', 2);
        $cache->close();
        is($record->pauses, 1, 'who began without one, and ends when there is one');
    },
    'whoever leaves Redis counts as cut off from then on' => function (): void {
        put($cache = process($record = new TestRecord()), 'k', 1);
        $cache->leave();
        is([one($cache, 'k'), $record->pauses], [1, 0], 'left');
        put($cache, 'k', 2);
        is($record->pauses, 1, 'changed');
    },
    "WordPress' functions do as WordPress' own do" => function () use ($dir): void {
        global $record, $redis, $suspended, $wrong;
        $record = new TestRecord();
        $GLOBALS['wpdb'] = new wpdb();
        file_put_contents("$dir/url", 'redis://:' . rawurlencode(TestServer::PASSWORD) . "@127.0.0.1:$redis->port/3\n");
        wp_cache_init();
        is([wp_cache_set('k', false), wp_cache_get('k', 'default', false, $found), $found], [true, false, true], 'false is a value');
        is([wp_cache_get('none', '', false, $found), $found], [false, false], 'nothing is not');
        is([wp_cache_add('k', 1), wp_cache_add('l', 1), wp_cache_replace('m', 1), wp_cache_delete('l'), wp_cache_delete('l')], [false, true, false, true, false], 'one');
        is([wp_cache_set_multiple([1 => 'a', 2 => 'b'], 'g'), wp_cache_get_multiple([2, 3, 1], 'g')], [[1 => true, 2 => true], [2 => 'b', 3 => false, 1 => 'a']], 'several');
        is([wp_cache_add_multiple([3 => 'c', 1 => 'x'], 'g'), wp_cache_delete_multiple([1, 9], 'g')], [[3 => true, 1 => false], [1 => true, 9 => false]], 'several more');
        is([wp_cache_set('n', 1), wp_cache_incr('n', 2), wp_cache_decr('n'), wp_cache_incr('none')], [true, 3, 2, false], 'numbers');
        is([wp_cache_set('', 1), wp_cache_get(' '), wp_cache_add(1.5, 1), $wrong], [false, false, false, 3], 'what is no key');
        is([wp_cache_flush_runtime(), wp_cache_get('n')], [true, 2], 'its own copies are gone, Redis\' are not');
        is([wp_cache_flush_group('g'), wp_cache_get(2, 'g'), wp_cache_get('n')], [true, false, 2], 'a group');
        is([wp_cache_flush(), wp_cache_get('n'), wp_cache_supports('flush_group'), wp_cache_supports('other'), wp_cache_close()], [true, false, true, false, true], 'all');
        $suspended = true;
        is([wp_cache_add('s', 1), wp_cache_add_multiple(['s' => 1])], [false, ['s' => false]], 'no additions');
        $suspended = false;
        file_put_contents("$dir/url", 'redis:/nonsense');
        wp_cache_init();
        is([wp_cache_set('k', 1), wp_cache_get('k'), str_contains((string) file_get_contents("$dir/log"), 'nonsense')], [true, 1, false], 'a URL that is none');
    },
];

$failed = 0;
foreach ($tests as $name => $test) {
    $log = [];
    try {
        $redis->admin()->flushAll();
        $test();
        echo "ok: $name\n";
    } catch (Throwable $e) {
        $failed++;
        echo "FAILED: $name: {$e->getMessage()} (line {$e->getLine()})\n";
    }
}
printf("%d passed, %d failed\n", count($tests) - $failed, $failed);
exit($failed === 0 ? 0 : 1);
