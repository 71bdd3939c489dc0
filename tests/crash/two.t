#!/usr/bin/perl
# Two owners in one project: each keeps its own environment, signals hit one run alone, a
# path is used by one attempt at a time, and a run has one owner whoever asks for it.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Crash;
use Rounds;
use Test::More;
use Time::HiRes qw(sleep time);

sub running { my ($id, $task) = @_; return glob(".dag/runs/$id/$task.-1.1/started") ? 1 : 0 }

# The id of the run whose output stands in a file, once it has begun.
sub run_id {
    my ($file) = @_;
    return wait_until(10, sub { (read_file($file) // '') =~ /run ([0-9a-f-]{36}) began/ ? $1 : undef });
}

subtest 'environments and signals' => sub {
    project();
    write_file('p.yaml', "tasks:\n  a:\n    run: echo \$WHO >> who; until test -e go.\$WHO; do sleep 0.05; done; echo \$WHO > done.\$WHO\n");
    my (%pid, %id);
    for my $who ('one', 'two') {
        local $ENV{WHO} = $who;
        $pid{$who} = start_dag("$who.out", 'run', 'p.yaml', '--progress', 'plain');
        $id{$who} = run_id("$who.out");
        ok(wait_until(10, sub { running($id{$who}, 'a') }), "$who runs");
    }
    is(join(',', sort(slurp_lines('who'))), 'one,two', 'each has its own environment');
    kill 'INT', $pid{one};
    is(wait_dag($pid{one}), 130, 'INT ends the first');
    is(runs_json($id{one})->{result}, 'cancelled', 'which is cancelled');
    is(runs_json($id{two})->{state}, 'running', 'the second goes on');
    write_file('go.two', '');
    is(wait_dag($pid{two}), 0, 'to its end');
    ok(-e 'done.two' && !-e 'done.one', 'one task ended, one was stopped');
};

subtest 'one path, one attempt at a time' => sub {
    project();
    write_file('p.yaml', <<'YAML');
tasks:
  w:
    outputs: [shared.out]
    run: |
      exec 9>w.lock
      flock -n 9 || echo two at once >> bad
      sleep 0.3
      echo $DAG_RUN_ID > shared.out
YAML
    my @pid = map { start_dag("$_.out", 'run', 'p.yaml', '--progress', 'plain') } 1 .. 4;
    is(wait_dag($pid[$_ - 1]), 0, "run $_ ends well") or diag(read_file("$_.out")) for 1 .. 4;
    ok(!-e 'bad', 'never two at once');
    like(join('', map { read_file("$_.out") } 1 .. 4), qr/shared\.out` is in use by task w/, 'who waits says for what');
};

subtest 'one owner' => sub {
    project();
    write_file('p.yaml', "tasks:\n  a:\n    run: echo start >> a.log; sleep 1.5\n  b:\n    needs: [a]\n    run: echo b >> b.log\n");
    my $pid = start_dag('o', 'run', 'p.yaml', '--progress', 'plain');
    my $id = run_id('o');
    ok(wait_until(10, sub { running($id, 'a') }), 'it runs');
    my ($rc, $out) = dag('resume', $id);
    isnt($rc, 0, 'a living run cannot be resumed') or diag($out);
    like($out, qr/\b$pid\b/, 'its owner is named');
    kill 'KILL', $pid;
    wait_dag($pid);
    my @pids = map { start_dag("r$_", 'resume', $id, '--progress', 'plain') } 1 .. 3;
    my @rcs = map { wait_dag($_) } @pids;
    is(scalar(grep { $_ == 0 } @rcs), 1, 'of three who resume at once one gets it') or diag("@rcs");
    is(scalar(slurp_lines('a.log')), 1, 'a ran once');
    is(scalar(slurp_lines('b.log')), 1, 'b ran once');
    is(runs_json($id)->{result}, 'success', 'the run is a success');
};

subtest 'a stale owner' => sub {
    project();
    write_file('p.yaml', "tasks:\n  a:\n    run: sleep 1\n  b:\n    needs: [a]\n    run: echo b >> b.log\n");
    my $pid = start_dag('o', 'run', 'p.yaml', '--progress', 'plain');
    my $id = run_id('o');
    ok(wait_until(10, sub { running($id, 'a') }), 'it runs');
    kill 'STOP', $pid;
    unlink ".dag/runs/$id/owner" or die; # somebody deletes the lock's file
    my ($rc, $out) = dag('resume', $id, '--progress', 'plain');
    is($rc, 0, 'another takes the run over and ends it') or diag($out);
    kill 'CONT', $pid;
    is(wait_dag($pid), 3, 'who was stopped sees it and leaves') or diag(read_file('o'));
    is(scalar(slurp_lines('b.log')), 1, 'b ran once');
};

nothing_left();
done_testing();
