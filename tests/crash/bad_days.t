#!/usr/bin/perl
# Tasks that misbehave and days that go wrong.  Always: a clear error, a legal state, nothing
# lost, nothing left running.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Crash;
use Rounds;
use Test::More;
use Time::HiRes qw(sleep time);

# One task with this text and these keys; (exit code, output, the run as JSON).
sub one {
    my ($run, $keys, @args) = @_;
    project();
    my $text = "tasks:\n  t:\n    run: |\n" . join('', map { "      $_\n" } split /\n/, $run);
    $text .= join '', map { "    $_\n" } split /\n/, $keys // '';
    write_file('p.yaml', $text);
    my ($rc, $out) = dag('run', 'p.yaml', '--progress', 'plain', @args);
    return ($rc, $out, runs_json('last'));
}

sub is_task {
    my ($run, $result, $reason, $name) = @_;
    my $t = task_of($run, 't');
    is($t->{result}, $result, "$name: $result");
    like($t->{reason} // '', $reason, "$name: says why");
}

subtest 'how a task can end' => sub {
    my @cases = (
        ['exit status', 'exit 7', '', 'failed', qr/exit status 7/],
        ['signal', 'kill -SEGV $$', '', 'failed', qr/signal 11|SIGSEGV/],
        ['command not found', 'no-such-command-here', '', 'failed', qr/exit status 127/],
        ['timeout', 'sleep 30', "timeout: 300ms\ngrace: 200ms", 'failed', qr/timed out/],
        ['ignores TERM', "trap '' TERM\nsleep 30 & wait\nsleep 30",
            "timeout: 300ms\ngrace: 300ms", 'failed', qr/timed out/],
        ['closes stdout', 'exec >&- 2>&-; exit 0', '', 'success', qr//],
        ['binary output', 'head -c 100000 /dev/urandom', '', 'success', qr//],
        ['malformed outputs', 'echo "no equals sign" >> "$DAG_OUTPUT"', '', 'failed', qr/outputs?:1|output/],
        ['output not made', 'true', 'outputs: [x.out]', 'failed', qr/did not make .*x\.out/],
        ['input absent', 'true', 'inputs: [absent.csv]', 'failed', qr/absent\.csv.*does not exist/],
        ['workdir missing', 'true', 'workdir: no/such/dir', 'failed', qr/workdir.*No such file/],
    );
    for (@cases) {
        my ($name, $run, $keys, $result, $why) = @$_;
        my $t0 = time;
        my ($rc, $out, $json) = one($run, $keys);
        is($rc, $result eq 'success' ? 0 : 1, "$name: exit code") or diag($out);
        is_task($json, $result, $why, $name);
        cmp_ok(time - $t0, '<', 5, "$name: in time");
    }
};

subtest 'argv of one program' => sub {
    project();
    write_file('not-executable', "#!/bin/sh\necho hi\n");
    write_file('p.yaml', "tasks:\n  t:\n    run: [./not-executable]\n  u:\n    run: [no-such-program-here]\n");
    my ($rc, $out) = dag('run', 'p.yaml', '--progress', 'plain');
    is($rc, 1, 'exit code');
    my $run = runs_json('last');
    like(task_of($run, 't')->{reason}, qr/cannot execute .*not-executable.*Permission denied/, 'not executable');
    like(task_of($run, 'u')->{reason}, qr/command not found: no-such-program-here/, 'not found');
};

subtest 'what it leaves behind is swept' => sub {
    for my $how ('sleep 31.25 &', 'setsid sleep 31.25 &', '(setsid sleep 31.25 &) &') {
        my ($rc, $out, $json) = one("$how\nsleep 0.1\nexit 0", 'grace: 500ms');
        is($rc, 0, "$how: the attempt ends with its main process") or diag($out);
        is(`pgrep -f '^sleep 31.25'`, '', "$how: nothing is left");
    }
    my ($rc, $out) = one("sleep 32.5 &\nexit 0", 'leave_children: true');
    is($rc, 0, 'leave_children');
    like(`pgrep -f '^sleep 32.5'`, qr/\d/, 'leave_children: the child lives on');
    system('pkill', '-f', '^sleep 32.5');
};

subtest 'a directory as output' => sub {
    my $make = 'mkdir tree && echo x > tree/x';
    my ($rc, $out) = one("$make\ntest \$DAG_ATTEMPT = 3", "outputs: [tree]\nretries: 2\nretry_delay: 1ms");
    is($rc, 0, 'what an attempt leaves that fails, the next one clears away') or diag($out);
    ($rc, $out) = one("$make\ntest \$DAG_ATTEMPT = 2 || kill -9 \$PPID", "outputs: [tree]\nretries: 1\nretry_delay: 1ms");
    is($rc, 0, 'and what one leaves that is lost') or diag($out);
    ($rc, $out) = one("$make\ntest -e ok", 'outputs: [tree]');
    is($rc, 1, 'so does') or diag($out);
    write_file('ok', '');
    ($rc, $out) = dag('run', 'p.yaml', '--progress', 'plain');
    is($rc, 0, 'the next run') or diag($out);
    project();
    mkdir 'tree';
    write_file('tree/mine', 'x');
    write_file('p.yaml', "tasks:\n  t: {run: '$make', outputs: [tree], retries: 1, retry_delay: 1ms}\n");
    for my $try (1 .. 3) {
        ($rc, $out) = dag('run', 'p.yaml', '--progress', 'plain');
        is($rc, 1, "but what somebody else has put there is refused, time $try") or diag($out);
        like($out, qr/is a directory that no run of/, 'with its reason');
        is(read_file('tree/mine'), 'x', 'and stays');
    }
};

subtest 'a task may not see what is not its own' => sub {
    local $ENV{DAG_FOO} = 'x';
    my ($rc, $out) = one('ls /proc/self/fd > fds; env > envs; cat > stdin; umask > umask', '');
    is($rc, 0, 'exit code') or diag($out);
    is(join(',', grep { $_ > 2 } map { chomp; $_ } slurp_lines('fds')), '3', 'descriptors 0-2 and that of ls');
    my $env = read_file('envs');
    unlike($env, qr/^DAG_FOO=/m, 'no DAG_* of the owner');
    like($env, qr/^\Q$_\E=/m, $_)
        for qw(DAG_RUN_ID DAG_NAME DAG_TASK DAG_ATTEMPT DAG_ATTEMPT_ID DAG_OUTPUT DAG_EVENTS TRACEPARENT DAG_LOGICAL_DATE);
    is(read_file('stdin'), '', 'stdin is empty');
};

subtest 'secrets' => sub {
    local $ENV{THE_TOKEN} = 'hunter2hunter2';
    project();
    write_file('p.yaml', <<'YAML');
tasks:
  t:
    env: {TOKEN: '${env:THE_TOKEN}'}
    run: |
      echo "token $TOKEN"; printf %s "$TOKEN" | base64
      echo "t=$TOKEN" >> "$DAG_OUTPUT"
      env | grep THE_TOKEN || true
  u:
    run: env > u.env
YAML
    my ($rc, $out) = dag('run', 'p.yaml', '--progress', 'plain');
    is($rc, 0, 'exit code') or diag($out);
    my $log = read_file(attempt_dir('t', 1) . '/log');
    like($log, qr/token \*\*\*/, 'masked in the log');
    # The file that the task itself writes stays as it wrote it; who reads it masks.
    is(`grep -rls --exclude=outputs hunter2hunter2 .dag`, '', 'nowhere else in the state directory');
    like(`$ENV{DAG_BUILD}/bin/dag runs --json last`, qr/"value": "\*\*\*"/, 'masked as an output');
    unlike(read_file('u.env'), qr/hunter2/, 'a task that does not name it does not get it');
    delete $ENV{THE_TOKEN};
    ($rc, $out) = dag('run', 'p.yaml', '--progress', 'plain');
    isnt($rc, 0, 'a missing secret is an error');
    like($out, qr/THE_TOKEN/, 'that names it');
};

subtest 'a log over its limit' => sub {
    my ($rc, $out, $run) = one('echo first; yes 0123456789012345678901234567890 | head -c 70000000; echo last', '');
    is($rc, 0, '70 MB do not hurt the task') or diag($out);
    my $log = attempt_dir('t', 1) . '/log';
    my $size = (-s $log) + (-s "$log.tail");
    cmp_ok($size, '<=', (64 << 20) + 4096, 'at most 64 MiB are kept');
    cmp_ok($size, '>=', 64 << 20, 'and not less');
    my @lines = split /\n/, `$ENV{DAG_BUILD}/bin/dag logs last t 2>&1 | grep -a -v '^[0-9]*\$'`;
    is($lines[0], 'first', 'dag logs shows the beginning');
    is($lines[-1], 'last', 'the end');
    like("@lines", qr/\b28\d{5}\b|not kept|left out|missing/, 'and that something is missing between') or diag("@lines[0 .. 3]");
};

subtest 'SIGSTOP of the owner' => sub {
    project();
    write_file('p.yaml', "tasks:\n  a:\n    run: sleep 0.5; echo done > a.done\n  b:\n    needs: [a]\n    run: echo b > b.done\n");
    my $pid = start_dag('o', 'run', 'p.yaml', '--progress', 'plain');
    ok(wait_until(5, sub { attempt_dir('a', 1) && -e attempt_dir('a', 1) . '/started' }), 'a runs');
    kill 'STOP', $pid;
    ok(wait_until(5, sub { -e 'a.done' }), 'the attempt goes on');
    my $t0 = time;
    my ($rc, $out) = dag('cancel', 'last');
    cmp_ok(time - $t0, '<', 4, 'cancel answers soon');
    like($out, qr/stopped/, 'and says that the owner is stopped');
    like($out, qr/\b$pid\b/, 'with its pid');
    isnt($rc, 0, 'non-zero');
    ok(!-e 'b.done', 'nothing more was started');
    kill 'CONT', $pid;
    is(wait_dag($pid), 1, 'once it goes on it takes the cancel') or diag(read_file('o'));
    is(runs_json('last')->{result}, 'cancelled', 'cancelled');
};

subtest 'cancel from another process' => sub {
    project();
    write_file('p.yaml', "tasks:\n  a:\n    run: sleep 30\n  b:\n    needs: [a]\n    run: echo b > b.done\n");
    my $pid = start_dag('o', 'run', 'p.yaml', '--progress', 'plain');
    ok(wait_until(5, sub { attempt_dir('a', 1) && -e attempt_dir('a', 1) . '/started' }), 'a runs');
    my ($rc, $out) = dag('cancel', 'last');
    is($rc, 0, 'cancel') or diag($out);
    is(wait_dag($pid), 1, 'the owner ends') or diag(read_file('o'));
    my $run = runs_json('last');
    is($run->{result}, 'cancelled', 'the run is cancelled');
    is(task_of($run, 'a')->{result}, 'cancelled', 'a too');
    is(task_of($run, 'b')->{result}, 'cancelled', 'and b');
};

subtest 'HUP leaves attempts running' => sub {
    project();
    write_file('p.yaml', "tasks:\n  a:\n    run: sleep 1; echo done > a.done\n  b:\n    needs: [a]\n    run: echo b > b.done\n");
    my $pid = start_dag('o', 'run', 'p.yaml', '--progress', 'plain');
    ok(wait_until(5, sub { attempt_dir('a', 1) && -e attempt_dir('a', 1) . '/started' }), 'a runs');
    kill 'HUP', $pid;
    is(wait_dag($pid), 129, 'exit 129');
    my ($rc, $out) = dag('resume', '--progress', 'plain');
    is($rc, 0, 'resumed') or diag($out);
    ok(-e 'a.done' && -e 'b.done', 'a went on, b followed');
};

subtest '.dag deleted while running' => sub {
    project();
    write_file('p.yaml', "tasks:\n  a:\n    run: sleep 2\n  b:\n    run: sleep 0.6\n  c:\n    needs: [b]\n    run: echo c > c.done\n");
    my $pid = start_dag('o', 'run', 'p.yaml', '--progress', 'plain', '-j', '2');
    ok(wait_until(5, sub { attempt_dir('b', 1) && -e attempt_dir('b', 1) . '/started' }), 'b runs');
    system('rm -rf .dag');
    is(wait_dag($pid), 3, 'exit 3') or diag(read_file('o'));
    like(read_file('o'), qr/\.dag/, 'names the directory');
    ok(!-e 'c.done', 'nothing more was started');
};

subtest 'the database is newer, damaged, locked' => sub {
    project();
    write_file('p.yaml', "tasks:\n  a:\n    run: 'true'\n");
    my ($rc, $out) = dag('run', 'p.yaml', '--progress', 'plain');
    is($rc, 0, 'a first run') or diag($out);
    my $v = `sqlite3 .dag/dag.db 'pragma user_version' 2>/dev/null`;
    SKIP: {
        skip 'the sqlite3 shell is not installed', 3 unless $v =~ /\d/;
        system("sqlite3 .dag/dag.db 'pragma user_version = 9999'");
        ($rc, $out) = dag('run', 'p.yaml', '--progress', 'plain');
        is($rc, 3, 'newer: exit 3');
        like($out, qr/newer/, 'newer: says so');
        system("sqlite3 .dag/dag.db 'pragma user_version = $v'");
        ($rc, $out) = dag('run', 'p.yaml', '--progress', 'plain');
        is($rc, 0, 'and back') or diag($out);
    }
    open my $f, '+<', '.dag/dag.db' or die;
    print $f 'this is not a database ' x 50;
    close $f;
    unlink '.dag/dag.db-wal', '.dag/dag.db-shm';
    ($rc, $out) = dag('run', 'p.yaml', '--progress', 'plain');
    is($rc, 3, 'damaged: exit 3');
    like($out, qr/dag\.db/, 'damaged: names it');
};

subtest 'another program locks the database' => sub {
    plan skip_all => 'needs python3 to hold a lock' if system('python3 -c 1 2>/dev/null') != 0;
    project();
    write_file('p.yaml', "tasks:\n  a:\n    run: echo a >> a.log; until test -e locked; do sleep 0.05; done\n  b:\n    needs: [a]\n    run: echo b >> b.log\n");
    my $pid = start_dag('o', 'run', 'p.yaml', '--progress', 'plain');
    ok(wait_until(5, sub { -e 'a.log' }), 'a runs');
    system('python3', '-c', <<'PY');
import sqlite3, time
c = sqlite3.connect('.dag/dag.db', isolation_level=None)
c.execute('begin immediate')
open('locked', 'w').close()
time.sleep(7)
c.execute('rollback')
PY
    is(wait_dag($pid), 0, 'the run ends well all the same') or diag(read_file('o'));
    like(read_file('o'), qr/trying again/, 'it says what it waits for');
    is(scalar(slurp_lines('b.log')), 1, 'b ran once');
};

subtest 'no permission' => sub {
    plan skip_all => 'needs root to become another user' if $> != 0;
    my $dir = project();
    chmod 0755, $dir;
    write_file('p.yaml', "tasks:\n  a:\n    run: 'true'\n");
    my $pid = open(my $said, '-|') // die;
    if ($pid == 0) {
        $( = $) = '65534 65534';
        ($<, $>) = (65534, 65534);
        exec 'sh', '-c', "$ENV{DAG_BUILD}/bin/dag run p.yaml 2>&1";
    }
    my $out = join '', <$said>;
    close $said;
    is($? >> 8, 3, 'a directory that cannot be written: exit 3') or diag($out);
    like($out, qr/\Q$dir\E.*Permission denied/, 'that is named');
    ok(!-e '.dag', 'nothing was made');
};

nothing_left();
done_testing();
