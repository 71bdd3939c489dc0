#!/usr/bin/perl
# What an attempt that did not end well leaves behind: a file is read by nobody, whoever asks for
# it, until it was made anew; a directory does not stand in the way of the next try.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Crash;
use Test::More;
use Time::HiRes qw(sleep time);

my @plain = ('--progress', 'plain');

sub half_file {
    project();
    write_file('h.yaml', <<'YAML');
tasks:
  b: {run: 'printf half > b.out; test -e mended && printf whole > b.out', outputs: [b.out]}
  c: {run: 'cat b.out > c.out', inputs: [b.out]}
YAML
    my ($rc, $out) = dag('run', 'h.yaml', @plain);
    is($rc, 1, 'b fails, half done') or diag($out);
    is(read_file('b.out'), 'half', 'half lies there');
}

my $refused = qr/`b\.out` may be half written: task b of run \S+ ended failed; 'dag retry/;

subtest 'a run that does not select who makes it' => sub {
    half_file();
    my ($rc, $out) = dag('run', 'h.yaml', '--select', 'c', @plain);
    is($rc, 1, 'is refused');
    like($out, $refused, 'with who did it and the way out');
    ok(!-e 'c.out', 'c has not read it');
    write_file('mended', '');
    my ($run) = $out =~ /'dag retry (\S+)'/;
    ($rc, $out) = dag('retry', $run, @plain);
    is($rc, 0, 'the way out works') or diag($out);
    is(read_file('c.out'), 'whole', 'c reads the whole file');
    ($rc, $out) = dag('run', 'h.yaml', '--select', 'c', @plain);
    is($rc, 0, 'and may be selected alone') or diag($out);
};

subtest 'another DAG' => sub {
    for my $input ('b.out', '"*.out"', '"b.*"') {
        half_file();
        write_file('r.yaml', "tasks: {r: {run: 'cat b.out > r.out', inputs: [$input]}}\n");
        my ($rc, $out) = dag('run', 'r.yaml', @plain);
        is($rc, 1, "is refused: $input");
        like($out, $refused, 'with the way out');
        ok(!-e 'r.out', 'it has not read it');
    }
    write_file('q.yaml', "tasks: {q: {run: 'cp x.txt q.out', inputs: ['*.txt']}}\n");
    write_file('x.txt', 'x');
    my ($rc, $out) = dag('run', 'q.yaml', @plain);
    is($rc, 0, 'other files are not meant') or diag($out);
};

subtest 'made whole by hand' => sub {
    half_file();
    sleep 0.02;
    write_file('b.out', 'by hand');
    my ($rc, $out) = dag('run', 'h.yaml', '--select', 'c', @plain);
    is($rc, 0, 'it may be read') or diag($out);
    is(read_file('c.out'), 'by hand', 'and is');
};

subtest 'a directory, or what is in it' => sub {
    project();
    write_file('h.yaml', <<'YAML');
tasks:
  b: {run: 'mkdir d; printf half > d/x; exit 1', outputs: [d]}
YAML
    is((dag('run', 'h.yaml', @plain))[0], 1, 'b fails');
    for my $input ('d', 'd/x', '"d/*"', '.') {
        write_file('r.yaml', "tasks: {r: {run: 'cat d/x > r.out', inputs: [$input]}}\n");
        my ($rc, $out) = dag('run', 'r.yaml', @plain);
        is($rc, 1, "is refused: $input");
        like($out, qr/`d` may be half written/, 'by its name');
    }
    remove_tree('d');
    mkdir 'd' or die;
    write_file('d/x', 'other');
    my ($rc, $out) = dag('run', 'r.yaml', @plain);
    is($rc, 0, 'replaced by hand, it may be read') or diag($out);
};

subtest 'an allowed failure, and a task that asks for failures' => sub {
    project();
    write_file('h.yaml', <<'YAML');
tasks:
  b: {run: 'printf half > b.out; exit 1', outputs: [b.out], allow_failure: true}
  c: {run: 'cat b.out > c.out', inputs: [b.out]}
  look: {run: 'cat b.out > look.out', inputs: [b.out], trigger: all_done}
YAML
    my ($rc, $out) = dag('run', 'h.yaml', @plain);
    is($rc, 1, 'c is refused') or diag($out);
    ok(!-e 'c.out', 'it has not read half');
    is(read_file('look.out'), 'half', 'who asks for it may look at it');
};

# --- directories

subtest 'a directory as output is tried again' => sub {
    project();
    write_file('d.yaml', <<'YAML');
tasks:
  a:
    outputs: [out]
    retries: 2
    retry_delay: 50ms
    run: mkdir -p out; echo $DAG_ATTEMPT > out/$DAG_ATTEMPT; test $DAG_ATTEMPT -ge 3
YAML
    my ($rc, $out) = dag('run', 'd.yaml', @plain);
    is($rc, 0, 'until it ends well') or diag($out);
    is(join(' ', map { s,.*/,,r } glob('out/*')), '3', 'what the others left was removed');
    ($rc, $out) = dag('run', 'd.yaml', @plain);
    is($rc, 0, 'and by the next run') or diag($out);
};

subtest 'a directory left by a killed task and by a cancelled one' => sub {
    project();
    write_file('d.yaml', <<'YAML');
tasks:
  a: {outputs: [out], run: 'mkdir -p out; echo x > out/x; test -e mended || sleep 60'}
YAML
    my $pid = start_dag('o', 'run', 'd.yaml', @plain);
    ok(wait_until(10, sub { -e 'out/x' }), 'a runs');
    kill 'INT', $pid;
    wait_dag($pid);
    $pid = start_dag('o', 'run', 'd.yaml', @plain);
    ok(wait_until(10, sub { (() = glob('.dag/runs/*/a.-1.1/started')) == 2 && -e 'out/x' }), 'again');
    my $shim = shim_pid(attempt_dir('a', 1)) or die;
    kill 'KILL', $shim;
    is(wait_dag($pid), 1, 'it is lost');
    write_file('mended', '');
    my ($rc, $out) = dag('retry', 'last', @plain);
    is($rc, 0, 'and is tried again') or diag($out);
};

subtest 'a directory of somebody else' => sub {
    project();
    mkdir 'out' or die;
    write_file('out/mine', 'precious');
    write_file('d.yaml', "tasks: {a: {outputs: [out], retries: 1, retry_delay: 50ms, run: 'true'}}\n");
    for (1 .. 2) {
        my ($rc, $out) = dag('run', 'd.yaml', @plain);
        is($rc, 1, 'is not removed');
        like($out, qr/`out` is a directory that no run of `a` has made/, 'with a word');
    }
    is(read_file('out/mine'), 'precious', 'nor touched');
};

sub remove_tree { system('rm', '-rf', @_) == 0 or die }

done_testing();
