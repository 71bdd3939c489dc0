#!/usr/bin/perl
# What happens in terminals and directories while a run is under way: Ctrl-Z and fg, a window
# that is closed, two virtual environments, a deep directory, a full disk, everything deleted.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Crash;
use Rounds;
use Cwd ();
use Test::More;
use Time::HiRes qw(sleep time);

my @plain = ('--progress', 'plain');
my $dag = "$ENV{DAG_BUILD}/bin/dag";

sub started { my ($task, $n) = @_; my $d = attempt_dir($task, $n // 1); return $d && -e "$d/started" }

# A shell with job control on a terminal of its own; ptyrun's pid.
sub shell {
    my ($out, @steps) = @_;
    my $pid = fork // die;
    if ($pid == 0) {
        open STDIN, '<', '/dev/null';
        open STDOUT, '>', $out;
        open STDERR, '>&', \*STDOUT;
        $ENV{PS1} = 'ready> ';
        exec "$ENV{DAG_BUILD}/tests/ptyrun", '--expect', 'ready>', @steps, '--', 'bash', '--norc', '--noprofile', '-i';
    }
    return $pid;
}

sub rc { waitpid $_[0], 0; return $? >> 8 }

my $chain = "tasks:\n" . join '', map {
    "  t$_: {" . ($_ > 1 ? 'needs: [t' . ($_ - 1) . '], ' : '') . "run: echo start \$DAG_ATTEMPT >> t$_.log; sleep 0.15}\n"
} 1 .. 8;

subtest 'SIGSTOP and SIGCONT at any moment' => sub {
    project();
    write_file('p.yaml', $chain);
    my $pid = start_dag('o', 'run', 'p.yaml', @plain);
    my $n = 0;
    while (waitpid($pid, POSIX::WNOHANG()) == 0 && $n < 60) {
        kill 'STOP', $pid;
        sleep rand 0.06;
        kill 'CONT', $pid;
        sleep rand 0.03;
        $n++;
    }
    is($? >> 8, 0, "stopped $n times it ends well") or diag(read_file('o'));
    is(join("\n", wrong_history(runs_json('last'))), '', 'and the history is right');
};

subtest 'Ctrl-Z, and fg' => sub {
    project();
    write_file('p.yaml', $chain);
    write_file('q.yaml', "tasks:\n  q: {run: echo q > q.out}\n");
    my $pid = shell('o', '--send', "$dag run p.yaml\\n", '--expect', 't1', '--sleep', 300, '--send', '\\x1a',
        '--expect', 'Stopped', '--send', "$dag run q.yaml && echo whi''le\\n", '--expect', 'while',
        '--send', "fg\\n", '--expect', 'tasks:', '--expect', 'ready>', '--send', "exit\\n");
    is(rc($pid), 0, 'stopped, another one run meanwhile, and gone on with') or diag(read_file('o'));
    ok(-e 'q.out', 'the other one ran');
    my $run = runs_json('p');
    is($run->{result}, 'success', 'the run is a success');
    is(join("\n", wrong_history($run)), '', 'and the history is right');
};

subtest 'the terminal is closed' => sub {
    project();
    write_file('p.yaml', "tasks:\n  a: {run: 'echo start \$DAG_ATTEMPT >> a.log; tty > tty || true; sleep 1; echo a > a.out'}\n"
        . "  b: {needs: [a], run: echo start \$DAG_ATTEMPT >> b.log}\n");
    my $pid = shell('o', '--send', "$dag run p.yaml\\n", '--expect', 'running', '--sleep', 300, '--hangup');
    isnt(rc($pid), 124, 'the window is closed') or diag(read_file('o'));
    ok(!-e 'b.log', 'nothing more is started');
    ok(wait_until(5, sub { -e 'a.out' }), 'the task goes on');
    like(read_file('tty'), qr/not a tty/, 'which had no terminal');
    my ($rc, $out) = dag('resume', @plain);
    is($rc, 0, 'and the run is resumed') or diag($out);
    is(join("\n", wrong_history(runs_json('last'))), '', 'and the history is right');
};

subtest 'two virtual environments in two terminals' => sub {
    my $home = project();
    write_file('p.yaml', "tasks:\n  a: {run: 'python > a.\$WHO; until test -e go; do sleep 0.05; done'}\n"
        . "  b: {needs: [a], run: 'python > b.\$WHO; echo \$VIRTUAL_ENV >> b.\$WHO'}\n");
    for my $v ('one', 'two') {
        mkdir $v;
        mkdir "$v/bin";
        write_file("$v/bin/python", "#!/bin/sh\necho python of $v\n");
        chmod 0755, "$v/bin/python";
        write_file("$v/bin/activate", "VIRTUAL_ENV=$home/$v; PATH=\$VIRTUAL_ENV/bin:\$PATH; WHO=$v; export VIRTUAL_ENV PATH WHO\n");
    }
    my @pid = map {
        shell("o.$_", '--send', ". $_/bin/activate\\n", '--send', "$dag run p.yaml\\n",
            '--expect', 'tasks:', '--expect', 'ready>', '--send', "exit\\n")
    } 'one', 'two';
    ok(wait_until(15, sub { -s 'a.one' && -s 'a.two' }), 'both run');
    write_file('go', '');
    is(rc($pid[$_]), 0, 'each ends well') or diag(read_file(("o.one", "o.two")[$_])) for 0, 1;
    for my $v ('one', 'two') {
        is(read_file("a.$v"), "python of $v\n", "$v: the first task has its own environment");
        is(read_file("b.$v"), "python of $v\n$home/$v\n", "$v: and so has the second, begun later");
    }
};

subtest 'a path of 200 bytes' => sub {
    my $home = project();
    my $deep = $home . '/' . 'd' x 60 . '/' . 'e' x 60 . '/';
    $deep .= 'f' x (200 - length $deep);
    is(length $deep, 200, 'so long is it');
    system('mkdir', '-p', $deep);
    chdir $deep or die;
    my $name = 'n' x 128; # the longest
    write_file('p.yaml', "tasks:\n  $name:\n    run: echo start \$DAG_ATTEMPT >> $name.log; touch up; sleep 0.5; echo k=v >> \"\$DAG_OUTPUT\"; echo {\\\"event\\\":\\\"x\\\"} >> \"\$DAG_EVENTS\"; echo x > out\n"
        . "    outputs: [out]\n  b: {needs: [$name], env: {K: '{{ outputs.$name.k }}'}, run: 'echo start \$DAG_ATTEMPT >> b.log; test \$K = v'}\n");
    my $pid = start_dag('o', 'run', 'p.yaml', @plain);
    ok(wait_until(10, sub { -e 'up' }), 'it runs');
    kill 'KILL', $pid;
    wait_dag($pid);
    my ($rc, $out) = dag('resume', @plain);
    is($rc, 0, 'and is taken over') or diag($out);
    is(join("\n", wrong_history(runs_json('last'))), '', 'and the history is right');
    is((dag('logs', 'last', $name))[0], 0, 'its log is found');
    is(join("\n", processes_of('none=', $deep)), '', 'nothing is left');
    chdir '/';
};

# Within a small file system that is full once the task runs.
sub full_disk {
    my ($go) = @_;
    plan skip_all => 'needs root to mount a small file system' if $> != 0;
    my $dir = project();
    mkdir 'small';
    plan skip_all => 'cannot mount a tmpfs here' if system('mount -t tmpfs -o size=3m tmpfs small 2>/dev/null') != 0;
    chdir 'small';
    write_file('p.yaml', "tasks:\n  a: {run: 'touch $dir/up; exec sleep 44.125', grace: 1s}\n  b: {needs: [a], run: touch $dir/b}\n");
    my $pid = start_dag("$dir/o", 'run', 'p.yaml', @plain);
    ok(wait_until(10, sub { -e "$dir/up" && started('a') }), 'a runs');
    sleep 0.3;
    system('dd if=/dev/zero of=fill bs=4k 2>/dev/null; dd if=/dev/zero of=fill2 bs=512 2>/dev/null');
    $go->($pid, $dir);
    ok(!-e "$dir/b", 'nothing was started');
    chdir $dir;
    is(system('umount small'), 0, 'nobody holds the file system');
}

# dag with its output outside of the full one.
sub dag_at {
    my ($dir, @args) = @_;
    my $rc = wait_dag(start_dag("$dir/out", @args));
    return ($rc, read_file("$dir/out") // '');
}

sub runs_at { my $t = `$dag runs --json last 2>/dev/null`; return eval { JSON::PP::decode_json($t) } || {} }

subtest 'the disk is full: Ctrl-C' => sub {
    full_disk(sub {
        my ($pid, $dir) = @_;
        my $shim = shim_pid(attempt_dir('a', 1));
        kill 'INT', $pid;
        ok(wait_until(5, sub { !alive($shim) }), 'the task is stopped at once');
        # The log of the database exists ahead of its use: mostly there is room in it.
        wait_until(5, sub { !alive($pid) || (read_file("$dir/o") // '') =~ /trying again/ });
        unlink 'fill', 'fill2';
        is(wait_dag($pid), 130, 'and all is written, at the latest when there is room') or diag(read_file("$dir/o"));
        is(runs_at()->{result}, 'cancelled', 'cancelled');
    });
};

subtest 'the disk is full: dag cancel' => sub {
    full_disk(sub {
        my ($pid, $dir) = @_;
        my ($rc, $out) = dag_at($dir, 'cancel', 'last');
        SKIP: {
            skip 'the log of the database had room left', 2 if $rc == 0;
            is($rc, 3, 'the request cannot be written') or diag($out);
            like($out, qr/no space|no room/i, 'which is said');
        }
        unlink 'fill', 'fill2';
        ($rc, $out) = dag_at($dir, 'cancel', 'last');
        is($rc, 0, 'with room it is done') or diag($out);
        is(wait_dag($pid), 1, 'the owner ends') or diag(read_file("$dir/o"));
        is(runs_at()->{result}, 'cancelled', 'cancelled');
    });
};

subtest 'everything is deleted' => sub {
    # The attempts' directories, under a living owner.
    project();
    write_file('p.yaml', "tasks:\n" . join '', map { "  t$_: {run: 'echo start \$DAG_ATTEMPT >> t$_.log; sleep 0.6', retries: 1, retry_delay: 10ms}\n" } 1 .. 6);
    my $pid = start_dag('o', 'run', 'p.yaml', '-j', 3, @plain);
    ok(wait_until(10, sub { -e 't1.log' && -e 't2.log' && -e 't3.log' }), 'three tasks run');
    sleep 0.2;
    system('rm -rf .dag/runs');
    my $rc = wait_dag($pid);
    ok($rc == 0 || $rc == 1 || $rc == 3, "dag ends ($rc)") or diag(read_file('o'));
    unlike(read_file('o'), qr/Sanitizer|runtime error/, 'and is sound');
    my ($r, $out) = dag('resume', @plain);
    my $run = runs_json('last');
    is($run->{state}, 'done', 'the run has ended') or diag($out);
    is(join("\n", processes_of("PWD=" . Cwd::getcwd(), Cwd::getcwd())), '', 'nothing is left');
    # What tasks have made, by hundreds, while others make more.
    project();
    write_file('p.yaml', "tasks:\n"
        . "  make: {run: 'mkdir many; for i in \$(seq 400); do echo \$i > many/\$i; done', outputs: [many]}\n"
        . "  look: {inputs: [many], run: 'touch up; until test -e go; do sleep 0.02; done', outputs: [look.out]}\n"
        . "  use: {inputs: [many], needs: [look], allow_failure: true, run: echo use}\n");
    $pid = start_dag('o', 'run', 'p.yaml', @plain);
    ok(wait_until(10, sub { -e 'up' }), 'a task works');
    system('rm -rf many');
    write_file('go', '');
    is(wait_dag($pid), 1, 'it did not make its output: the run fails') or diag(read_file('o'));
    like(task_of(runs_json('last'), 'look')->{reason}, qr/did not make its output/, 'and says so');
    # Old runs, by gc, while a run goes on.
    project();
    write_file('q.yaml', "tasks:\n  q: {run: 'true'}\n");
    dag('run', 'q.yaml', @plain) for 1 .. 12;
    write_file('p.yaml', $chain);
    $pid = start_dag('o', 'run', 'p.yaml', @plain);
    ok(wait_until(10, sub { -e 't2.log' }), 'a run goes on');
    ($r, $out) = dag('gc', '--runs', '--keep', '1', '--last-too');
    is($r, 0, 'others are deleted') or diag($out);
    is(wait_dag($pid), 0, 'it is not hurt') or diag(read_file('o'));
    is(join("\n", wrong_history(runs_json('p'))), '', 'and its history is right');
};

# What a process has open: names without numbers of their own.
sub open_files {
    my ($pid) = @_;
    my %n;
    for my $fd (glob "/proc/$pid/fd/*") {
        my $to = readlink($fd) // next;
        $to =~ s/\d+/N/g if $to =~ /^(?:pipe|socket|anon_inode)/;
        $n{$to}++;
    }
    return join "\n", map { "$n{$_} $_" } sort keys %n;
}

subtest 'what an owner has open does not grow' => sub {
    project();
    # A pause, a hundred tasks that fail in all ways, are lost or stopped, a pause.
    my $text = "defaults: {retries: 1, retry_delay: 1ms, allow_failure: true, grace: 100ms}\ntasks:\n"
        . "  first: {run: until test -e go1; do sleep 0.02; done}\n";
    my @how = ('exit 1', 'kill -9 $$', 'kill -9 $PPID; sleep 1', 'echo bad >> "$DAG_OUTPUT"', 'sleep 9 & exit 1',
        'echo {} >> "$DAG_EVENTS"; exit 2', 'head -c 100000 /dev/zero; exit 3', 'sleep 9');
    my @all;
    for my $i (1 .. 80) {
        my $how = $how[$i % @how];
        $text .= "  t$i:\n    needs: [first]\n    run: |\n      $how\n"
            . ($how eq 'sleep 9' ? "    timeout: 30ms\n" : '')
            . ($i % 3 ? '' : "    outputs: [o$i]\n") . ($i % 20 ? '' : "    workdir: absent\n") . ($i % 21 ? '' : "    inputs: [absent]\n");
        push @all, "t$i";
    }
    $text .= "  last:\n    needs: [" . join(', ', @all) . "]\n    trigger: all_done\n    run: until test -e go2; do sleep 0.02; done\n";
    write_file('p.yaml', $text);
    my $pid = start_dag('o', 'run', 'p.yaml', '-j', 4, @plain);
    ok(wait_until(10, sub { started('first') }), 'it begins');
    sleep 0.5;
    my $before = open_files($pid);
    write_file('go1', '');
    ok(wait_until(100, sub { started('last') }), 'eighty tasks have failed') or diag(read_file('o'));
    sleep 0.5;
    my $after = open_files($pid);
    s{/(?:first|last)\.}{/TASK.}g for $before, $after;
    # What is asked of the cache is kept open, once for each worker thread at most.
    my ($roots) = $after =~ m{^(\d+) \Q@{[Cwd::getcwd()]}\E$}m;
    cmp_ok($roots // 0, '<=', 1 + 4, 'repositories are opened for the worker threads');
    s{^\d+ (\S+/index\.db\S*\n)}{}mg, s{^\d+( \Q@{[Cwd::getcwd()]}\E)$}{N$1}mg for $before, $after;
    is($after, $before, 'the same is open as at the beginning');
    write_file('go2', '');
    is(wait_dag($pid), 0, 'it ends') or diag(read_file('o'));
    my %n;
    $n{ $_->{result} }++ for @{ runs_json('last')->{attempts} };
    cmp_ok($n{lost} // 0, '>=', 10, join ', ', map { "$_ $n{$_}" } sort keys %n);
};

nothing_left();
chdir '/';
done_testing();
