#!/usr/bin/perl
# What the owner does around its engine: signals while something is under way, shims that give
# up, few descriptors, owners that die while a run is being cancelled.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Crash;
use Rounds;
use Test::More;
use Time::HiRes qw(sleep time);

my @plain = ('--progress', 'plain');

sub started { my ($task, $n) = @_; my $d = attempt_dir($task, $n // 1); return $d && -e "$d/started" }

subtest 'outputs are there when a task is tried again' => sub {
    project();
    write_file('p.yaml', <<'YAML');
tasks:
  a: {run: 'echo n=41 >> "$DAG_OUTPUT"; echo m=x >> "$DAG_OUTPUT"'}
  b:
    needs: [a]
    when: outputs.a.n == "41"
    env: {N: '{{ outputs.a.n }}'}
    run: test -e mended; echo "$N" > b.out
  c:
    needs: [b]
    run: cp b.out c.out
YAML
    my ($rc, $out) = dag('run', 'p.yaml', @plain);
    is($rc, 1, 'b fails') or diag($out);
    write_file('mended', '');
    ($rc, $out) = dag('retry', 'last', @plain);
    is($rc, 0, 'and is tried again with the output of a') or diag($out);
    is(read_file('c.out'), "41\n", 'whose value it gets');
    is(task_of(runs_json('last'), 'a')->{attempt}, 1, 'a was not run again');
};

subtest 'killed while it was being cancelled' => sub {
    project();
    write_file('p.yaml', <<'YAML');
tasks:
  a: {run: "trap 'sleep 1; exit 0' TERM; echo up > up; sleep 30 & wait; wait", grace: 20s}
  b: {run: echo b > b.out, needs: [a], trigger: always}
  c: {run: echo c > c.out, needs: [a]}
YAML
    my $pid = start_dag('o', 'run', 'p.yaml', '-j', '1', @plain);
    ok(wait_until(10, sub { -e 'up' }), 'a runs');
    kill 'INT', $pid;
    ok(wait_until(5, sub { (task_of(runs_json('last'), 'c')->{result} // '') eq 'cancelled' }),
        'the cancel is durable');
    kill 'KILL', $pid;
    wait_dag($pid);
    my ($rc, $out) = dag('resume', @plain);
    is($rc, 1, 'resume ends it') or diag($out);
    my $run = runs_json('last');
    is($run->{result}, 'cancelled', 'it ends cancelled');
    is(task_of($run, 'a')->{result}, 'cancelled', 'its task too');
    ok(!-e 'c.out', 'nothing was started');
};

subtest 'few descriptors' => sub {
    project();
    write_file('p.yaml', "tasks:\n" . join '',
        map { "  t$_: {run: 'echo $_ >> log; sleep 0.1; exit 1', allow_failure: true, retries: 1, retry_delay: 1ms}\n" } 1 .. 60);
    my $pid = fork // die;
    if ($pid == 0) {
        open STDOUT, '>', 'o';
        open STDERR, '>&', \*STDOUT;
        exec 'sh', '-c', "ulimit -n 48; exec $ENV{DAG_BUILD}/tests/ptyrun -- $ENV{DAG_BUILD}/bin/dag run p.yaml -j 4";
    }
    # The live table looks into the directory of each attempt that is under way.
    is(wait_dag($pid), 0, 'a run of failing tasks ends') or diag(read_file('o'));
    is(scalar(slurp_lines('log')), 120, 'each was started twice');
    unlike(read_file('o'), qr/again in a second|too many open/i, 'and nothing ran out');
};

subtest 'HUP starts nothing more' => sub {
    project();
    write_file('p.yaml', "tasks:\n" . join '', map { "  t$_: {run: echo $_ >> log; sleep 0.05}\n" } 1 .. 60);
    my $pid = start_dag('o', 'run', 'p.yaml', '-j', '1', @plain);
    ok(wait_until(10, sub { my @l = slurp_lines('log'); @l > 3 }), 'it works');
    my $n = () = slurp_lines('log');
    kill 'HUP', $pid;
    is(wait_dag($pid), 129, 'exit 129');
    sleep 0.2;
    cmp_ok(scalar(slurp_lines('log')), '<=', $n + 2, 'at most what was on its way');
    my ($rc, $out) = dag('resume', '-j', '4', @plain);
    is($rc, 0, 'resumed') or diag($out);
    is(join(' ', sort { $a <=> $b } slurp_lines('log')), join(' ', 1 .. 60), 'every task ran once');
};

subtest 'HUP while a dead task is cleared away' => sub {
    project();
    write_file('p.yaml', "tasks:\n  a:\n    run: |\n      setsid sh -c \"trap '' TERM; echo up > up; sleep 33.125; sleep 33.125\" &\n      wait\n");
    my $pid = start_dag('o', 'run', 'p.yaml', @plain);
    ok(wait_until(10, sub { -e 'up' }), 'a runs');
    kill 'KILL', shim_pid(attempt_dir('a', 1));
    sleep 0.15;
    kill 'HUP', $pid;
    my $t0 = time;
    is(wait_dag($pid), 129, 'exit 129') or diag(read_file('o'));
    cmp_ok(time - $t0, '<', 2, 'at once');
    unlike(read_file('o'), qr/Sanitizer/, 'and clean');
    my ($rc, $out) = dag('resume', @plain);
    is($rc, 1, 'lost') or diag($out);
    is(task_of(runs_json('last'), 'a')->{result}, 'lost', 'whoever resumes it records that');
    is(`pgrep -f '^sleep 33.125'`, '', 'and nothing is left');
};

subtest 'the second Ctrl-C kills' => sub {
    project();
    write_file('p.yaml', "tasks:\n  a: {run: \"trap '' TERM; echo up > up; while :; do sleep 1; done\", grace: 1h}\n");
    my $pid = start_dag('o', 'run', 'p.yaml', @plain);
    ok(wait_until(10, sub { -e 'up' }), 'a runs');
    kill 'INT', $pid;
    sleep 0.5;
    ok(alive($pid), 'the first waits for the grace');
    kill 'INT', $pid;
    my $t0 = time;
    is(wait_dag($pid), 130, 'exit 130') or diag(read_file('o'));
    cmp_ok(time - $t0, '<', 2, 'at once');
    is(runs_json('last')->{result}, 'cancelled', 'cancelled');
};

subtest 'a stopped shim is killed too' => sub {
    for my $how ('INT', 'cancel') {
        project();
        write_file('p.yaml', "tasks:\n  a: {run: \"trap '' TERM; echo up > up; while :; do sleep 1; done\", grace: 1h}\n");
        my $pid = start_dag('o', 'run', 'p.yaml', @plain);
        ok(wait_until(10, sub { -e 'up' }), "$how: a runs");
        my $shim = shim_pid(attempt_dir('a', 1));
        kill 'STOP', $shim;
        my ($rc, $out) = (0, '');
        my $t0 = time;
        if ($how eq 'INT') {
            kill 'INT', $pid;
            sleep 0.3;
            kill 'INT', $pid;
        } else {
            ($rc, $out) = dag('cancel', '--kill', 'last');
            is($rc, 0, 'cancel --kill') or diag($out);
        }
        is(wait_dag($pid), $how eq 'INT' ? 130 : 1, "$how: it ends") or diag(read_file('o'));
        cmp_ok(time - $t0, '<', 4, "$how: soon");
        is(runs_json('last')->{result}, 'cancelled', "$how: cancelled");
        kill 'KILL', $shim if alive($shim);
    }
};

subtest 'Ctrl-C before anything runs' => sub {
    project();
    write_file('p.yaml', "tasks:\n  a: {type: wait, for: 1h}\n  b: {run: echo b > b.out, needs: [a]}\n");
    my $pid = start_dag('o', 'run', 'p.yaml', @plain);
    ok(wait_until(10, sub { (task_of(runs_json('last') || {}, 'a') // {})->{state} // '' eq 'running' }), 'a waits');
    kill 'TERM', $pid;
    is(wait_dag($pid), 143, 'exit 143') or diag(read_file('o'));
    is(runs_json('last')->{result}, 'cancelled', 'cancelled');
};

subtest 'killed between the row of an attempt and its start' => sub {
    project();
    write_file('p.yaml', "tasks:\n  a: {run: echo a >> a.out}\n");
    {
        local $ENV{DAG_FAULT} = 'start:1';
        my ($rc, $out) = dag('run', 'p.yaml', @plain);
        is($rc, 137, 'killed') or diag($out);
    }
    ok(!defined attempt_dir('a', 1), 'it has no directory');
    my ($rc, $out) = dag('resume', @plain);
    is($rc, 0, 'resumed: it never ran, and no retry is needed') or diag($out);
    is(join(' ', slurp_lines('a.out')), 'a', 'it ran once');
};

subtest 'a wait whose owner is killed' => sub {
    project();
    write_file('p.yaml', "tasks:\n  a: {type: wait, for: 2s}\n  b: {run: echo b > b.out, needs: [a]}\n");
    my $pid = start_dag('o', 'run', 'p.yaml', @plain);
    ok(wait_until(10, sub { (task_of(runs_json('last') || {}, 'a') // {})->{state} // '' eq 'running' }), 'a waits');
    ok(wait_until(2, sub { (runs_json('last')->{attempts}[0]{state} // '') eq 'running' }), 'so does its attempt')
        or diag(explain(task_of(runs_json('last'), 'a')));
    kill 'KILL', $pid;
    wait_dag($pid);
    is(runs_json('last')->{attempts}[0]{state}, 'running', 'they still agree');
    my ($rc, $out) = dag('resume', @plain);
    is($rc, 0, 'resumed') or diag($out);
    is(task_of(runs_json('last'), 'a')->{attempt}, 1, 'one attempt');
};

subtest 'Ctrl-Z leaves the database free' => sub {
    project();
    write_file('p.yaml', "tasks:\n" . join '', map { "  t$_: {run: echo $_ >> log}\n" } 1 .. 200);
    write_file('q.yaml', "tasks:\n  a: {run: 'true'}\n");
    my $pid = start_dag('o', 'run', 'p.yaml', '-j', '2', @plain);
    for my $round (1 .. 5) {
        ok(wait_until(10, sub { my @l = slurp_lines('log'); @l > 5 * $round }), "round $round: it works");
        kill 'TSTP', $pid;
        ok(wait_until(2, sub { (read_file("/proc/$pid/stat") // '') =~ /\) T/ }), 'it stops');
        my $t0 = time;
        my ($rc, $out) = dag('run', 'q.yaml', @plain);
        is($rc, 0, 'another one works meanwhile') or diag($out);
        cmp_ok(time - $t0, '<', 1.9, 'and does not wait');
        kill 'CONT', $pid;
    }
    is(wait_dag($pid), 0, 'it goes on') or diag(read_file('o'));
    is(scalar(slurp_lines('log')), 200, 'every task ran once');
};

subtest '.dag deleted while nothing happens' => sub {
    project();
    write_file('p.yaml', "tasks:\n  a: {run: 'echo up > up; exec sleep 35.125'}\n");
    my $pid = start_dag('o', 'run', 'p.yaml', @plain);
    ok(wait_until(10, sub { -e 'up' }), 'a runs');
    sleep 0.3;
    system('rm -rf .dag');
    my $t0 = time;
    is(wait_dag($pid), 3, 'exit 3') or diag(read_file('o'));
    cmp_ok(time - $t0, '<', 3, 'soon, and not at the next commit');
    ok(wait_until(3, sub { `pgrep -f '^sleep 35.125'` eq '' }), 'a was stopped');
};

subtest 'whoever waits for an owner that dies is told so' => sub {
    project();
    write_file('p.yaml', "tasks:\n  a: {run: 'echo up > up; exec sleep 36.125'}\n");
    my $pid;
    {
        local $ENV{DAG_FAULT} = 'gone:1'; # when it sees that the stopped task has ended
        $pid = start_dag('o', 'run', 'p.yaml', @plain);
        ok(wait_until(10, sub { -e 'up' }), 'a runs');
    }
    my $t0 = time;
    my ($rc, $out) = dag('cancel', 'last');
    cmp_ok(time - $t0, '<', 8, 'soon');
    is($rc, 3, 'exit 3') or diag($out);
    like($out, qr/went away before the run had ended: dag resume/, 'with what to do');
    is(wait_dag($pid), 137, 'it was killed');
    ($rc, $out) = dag('resume', @plain);
    is($rc, 1, 'which goes on cancelling') or diag($out);
    is(runs_json('last')->{result}, 'cancelled', 'cancelled');
};

# A dag-shim of ours in front of the real one.
sub shim {
    my ($text) = @_;
    mkdir 'libexec';
    write_file('libexec/dag-shim', "#!/bin/sh\n$text\nexec $ENV{DAG_BUILD}/libexec/dag/dag-shim \"\$@\"\n");
    chmod 0755, 'libexec/dag-shim';
    my $dir = abs_dir('libexec');
    return $dir;
}

sub abs_dir { return Cwd::abs_path($_[0]) }

subtest 'shims that give up' => sub {
    my $home = project();
    write_file('p.yaml', "tasks:\n  a: {run: echo a >> a.log}\n");
    local $ENV{DAG_LIBEXEC} = shim("if test ! -e $home/twice; then /bin/echo x >> $home/tries; test -e $home/once && /bin/echo > $home/twice; /bin/echo > $home/once; exit 3; fi");
    my ($rc, $out) = dag('run', 'p.yaml', @plain);
    is($rc, 0, 'it cannot write its files twice, then it can') or diag($out);
    is(scalar(slurp_lines('a.log')), 1, 'the task ran once');
    my $t = task_of(runs_json('last'), 'a');
    is($t->{attempt}, 3, 'as attempt 3');
    is($t->{tries}, 1, 'which is the first that counts');

    project();
    write_file('p.yaml', "tasks:\n  a: {run: echo a >> a.log, retries: 3, retry_delay: 1ms}\n");
    $ENV{DAG_LIBEXEC} = shim('exit 2');
    ($rc, $out) = dag('run', 'p.yaml', @plain);
    is($rc, 1, 'one that does not understand us') or diag($out);
    like(task_of(runs_json('last'), 'a')->{reason}, qr/dag-shim does not fit/, 'fails the task and says why');
    is(task_of(runs_json('last'), 'a')->{attempt}, 1, 'at once');
};

subtest 'secrets are asked for before a run is resumed' => sub {
    local $ENV{THE_TOKEN} = 'hunter2hunter2';
    project();
    write_file('p.yaml', "tasks:\n  a: {run: 'echo up > up; sleep 0.5'}\n  b: {needs: [a], env: {T: '\${env:THE_TOKEN}'}, run: 'test -n \"\$T\"'}\n");
    my $pid = start_dag('o', 'run', 'p.yaml', @plain);
    ok(wait_until(10, sub { -e 'up' }), 'a runs');
    kill 'KILL', $pid;
    wait_dag($pid);
    my $token = delete $ENV{THE_TOKEN};
    my ($rc, $out) = dag('resume', @plain);
    is($rc, 2, 'not there: exit 2') or diag($out);
    like($out, qr/THE_TOKEN/, 'it is named');
    is(runs_json('last')->{state}, 'running', 'the run waits');
    $ENV{THE_TOKEN} = $token;
    ($rc, $out) = dag('resume', @plain);
    is($rc, 0, 'and can be resumed with it') or diag($out);
};

subtest 'whoever waits for a path goes on when it is free' => sub {
    project();
    write_file('p.yaml', "tasks:\n  a: {run: 'echo up > up; sleep 1; echo x > o', outputs: [o], cache: false}\n");
    my $first = start_dag('o1', 'run', 'p.yaml', @plain);
    ok(wait_until(10, sub { -e 'up' }), 'the first runs');
    my $t0 = time;
    my @more = map { start_dag("m$_", 'run', 'p.yaml', @plain) } 1, 2;
    is(wait_dag($_), 0, 'all end well') for $first, @more;
    cmp_ok(time - $t0, '>', 2.5, 'one after the other');
    cmp_ok(time - $t0, '<', 9, 'and soon');
};

nothing_left();
done_testing();
