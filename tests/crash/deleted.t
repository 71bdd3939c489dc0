#!/usr/bin/perl
# Files of an attempt that somebody deletes, by hand or by its own command: an attempt that has
# begun is never taken for one that never ran, and never runs beside its successor.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Crash;
use Test::More;
use Time::HiRes qw(sleep time);

my @plain = ('--progress', 'plain');

# b says when it runs, and TWO if another b does.
my $b = <<'SH';
      exec 9>lock
      flock -n 9 || echo TWO >> two
      echo "$DAG_ATTEMPT" >> began
      sleep 2
      echo "$DAG_ATTEMPT" >> ended
SH

sub b_file {
    my ($keys) = @_;
    project();
    write_file('p.yaml', "tasks:\n  b:\n    retry_delay: 100ms\n$keys    run: |\n$b");
}

sub remove { system('rm', '-rf', @_) == 0 or die }

subtest 'a task deletes its own directory' => sub {
    project();
    write_file('p.yaml', "tasks: {a: {run: 'echo x >> ran; rm -rf \"\$(dirname \"\$DAG_OUTPUT\")\"'}}\n");
    my $from = time;
    my ($rc, $out) = dag('run', 'p.yaml', @plain);
    is($rc, 1, 'the run fails') or diag($out);
    cmp_ok(time - $from, '<', 10, 'soon');
    is(join('', slurp_lines('ran')), 'x', 'it ran once');
    my $a = task_of(runs_json('last'), 'a');
    is($a->{result}, 'lost', 'nobody knows how it ended');
    like($a->{reason}, qr/nobody knows how/, 'and why');
};

subtest 'the lock is deleted while it runs' => sub {
    b_file('');
    my $pid = start_dag('o', 'run', 'p.yaml', @plain);
    ok(wait_until(10, sub { -e 'began' }), 'b runs');
    unlink attempt_dir('b', 1) . '/alive' or die;
    is(wait_dag($pid), 0, 'its record counts') or diag(read_file('o'));
    is(join(' ', slurp_lines('began')), '1', 'it ran once');
};

subtest 'the lock is deleted, and the owner killed' => sub {
    b_file('');
    my $pid = start_dag('o', 'run', 'p.yaml', @plain);
    ok(wait_until(10, sub { -e 'began' && attempt_of_b()->{pid} }), 'b runs');
    unlink attempt_dir('b', 1) . '/alive' or die;
    kill 'KILL', $pid;
    wait_dag($pid);
    my ($rc, $out) = dag('resume', @plain);
    is($rc, 0, 'it is adopted') or diag($out);
    is(join(' ', slurp_lines('began')), '1', 'it ran once');
    is(join(' ', slurp_lines('ended')), '1', 'to its end');
    my $run = runs_json('last');
    is(task_of($run, 'b')->{ended_at}, $run->{attempts}[0]{ended_at}, 'which is when it ended');
};

for my $retries (0, 1) {
    subtest "the directory is deleted, the owner killed, retries: $retries" => sub {
        b_file("    retries: $retries\n");
        my $pid = start_dag('o', 'run', 'p.yaml', @plain);
        ok(wait_until(10, sub { -e 'began' && attempt_of_b()->{pid} }), 'b runs');
        my $dir = attempt_dir('b', 1);
        kill 'KILL', $pid;
        wait_dag($pid);
        remove($dir);
        my ($rc, $out) = dag('resume', @plain);
        is($rc, $retries ? 0 : 1, $retries ? 'the next try ends well' : 'it is lost') or diag($out);
        ok(!-e 'two', 'never two at a time');
        is(join(' ', slurp_lines('began')), $retries ? '1 2' : '1', 'as often as allowed');
        is(join(' ', slurp_lines('ended')), $retries ? '2' : '', 'the first was ended before');
        is(runs_json('last')->{attempts}[0]{result}, 'lost', 'attempt 1 is lost');
    };
}

sub attempt_of_b { return (runs_json('last')->{attempts} // [])->[0] // {} }

done_testing();
