#!/usr/bin/perl
# The graph that no other runner gets right when it is killed: a -> b -> c, where b writes
# "half" at once and "whole" at its end.  Whatever is killed, b never runs twice at a time and
# c never reads "half".
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Crash;
use Rounds;
use Test::More;
use Time::HiRes qw(sleep time);

my $secs = $ENV{DAG_HALF_SECONDS} || 2.5;

sub setup {
    my ($retries) = @_;
    project();
    write_file('p.yaml', <<"YAML");
tasks:
  a:
    run: echo a >> a.log; echo made > a.out
    outputs: [a.out]
  b:
    run: |
      exec 9>b.lock
      flock -n 9 || echo two at once >> b.log
      echo start >> b.log
      cat a.out > /dev/null
      printf half > b.out
      sleep $secs
      printf whole > b.out
      echo end >> b.log
    inputs: [a.out]
    outputs: [b.out]
    retries: @{[$retries // 0]}
    retry_delay: 10ms
  c:
    run: cat b.out >> c.log; echo >> c.log; cp b.out c.out
    inputs: [b.out]
    outputs: [c.out]
YAML
}

# Start a run and wait until b has written half.
sub into_b {
    my $pid = start_dag('first.out', 'run', 'p.yaml', '--progress', 'plain');
    my $ok = wait_until(10, sub { (read_file('b.out') // '') eq 'half' });
    ok($ok, 'b has written half') or diag(read_file('first.out'));
    return $pid;
}

sub count { my ($what, $file) = @_; return scalar grep { $_ eq $what } slurp_lines($file); }

sub check_whole {
    my ($starts, $name) = @_;
    is(count('start', 'b.log'), $starts, "$name: b was started $starts time(s)");
    is(count('two at once', 'b.log'), 0, "$name: never two b at a time");
    is(count('half', 'c.log'), 0, "$name: c never read half");
    is(read_file('c.out'), 'whole', "$name: c has read whole");
}

subtest 'killed, resumed at once' => sub {
    setup();
    my $pid = into_b();
    kill 'KILL', $pid;
    wait_dag($pid);
    my ($rc, $out) = dag('resume', '--progress', 'plain');
    is($rc, 0, 'resume succeeds') or diag($out);
    check_whole(1, 'adopted');
    is(count('a', 'a.log'), 1, 'a was not run again');
    my $run = runs_json('last');
    is($run->{result}, 'success', 'the run is a success');
};

subtest 'killed, resumed after the end of b' => sub {
    setup();
    my $pid = into_b();
    kill 'KILL', $pid;
    wait_dag($pid);
    ok(wait_until(10, sub { count('end', 'b.log') }), 'b ends without an owner');
    sleep 0.3;
    my ($rc, $out) = dag('resume', '--progress', 'plain');
    is($rc, 0, 'resume succeeds') or diag($out);
    check_whole(1, 'recorded');
};

subtest 'killed, a second run at once' => sub {
    setup();
    my $pid = into_b();
    my $first = runs_json('last')->{run};
    kill 'KILL', $pid;
    wait_dag($pid);
    my ($rc, $out) = dag('run', 'p.yaml', '--progress', 'plain');
    is($rc, 0, 'the second run succeeds') or diag($out);
    my $short = substr $first, -8;
    like($out, qr/run $short of p was interrupted: dag resume $short$/m, 'it names the interrupted run');
    # What b of the first run has made, once it had ended, is what b of the second would make.
    check_whole(1, 'second run');
    is(count('whole', 'c.log'), 1, 'c of the second run alone has run');
    ($rc, $out) = dag('resume', '--progress', 'plain');
    is($rc, 0, 'the first can still be resumed') or diag($out);
    check_whole(1, 'resumed later');
    is(runs_json($first)->{result}, 'success', 'and succeeds');
};

subtest 'the shim killed under a living dag' => sub {
    setup();
    my $pid = into_b();
    my $shim = shim_pid(attempt_dir('b', 1));
    ok($shim, 'the shim is known');
    kill 'KILL', $shim;
    my $t0 = time;
    my $lost = wait_until(3, sub {
        my $t = task_of(runs_json('last') || {}, 'b');
        $t && ($t->{result} // '') eq 'lost';
    });
    ok($lost, 'b is lost');
    cmp_ok(time - $t0, '<', 1.0, 'within a second');
    is(wait_dag($pid), 1, 'the run fails: no retries') or diag(read_file('first.out'));
    is(count('start', 'b.log'), 1, 'b was not run again');
    ok(!-e 'c.out', 'c did not run');
};

subtest 'the shim killed, retries allow another try' => sub {
    setup(1);
    my $pid = into_b();
    kill 'KILL', shim_pid(attempt_dir('b', 1));
    is(wait_dag($pid), 0, 'the run succeeds by the retry') or diag(read_file('first.out'));
    check_whole(2, 'retried');
};

subtest 'both killed' => sub {
    for my $retries (0, 1) {
        setup($retries);
        my $pid = into_b();
        my $shim = shim_pid(attempt_dir('b', 1));
        kill 'KILL', $pid;
        kill 'KILL', $shim;
        wait_dag($pid);
        my $t0 = time;
        $pid = start_dag('resume.out', 'resume', '--progress', 'plain');
        my $lost = wait_until(3, sub {
            my $run = runs_json('last') || {};
            grep { $_->{task} eq 'b' && ($_->{result} // '') eq 'lost' }
                @{$run->{attempts} || []};
        });
        ok($lost, "retries $retries: attempt 1 is lost");
        cmp_ok(time - $t0, '<', 1.0, 'within a second of the start of resume');
        is(wait_dag($pid), $retries ? 0 : 1, 'exit code') or diag(read_file('resume.out'));
        if ($retries) {
            check_whole(2, 'retried');
        } else {
            is(count('start', 'b.log'), 1, 'b was not run again');
        }
    }
};

subtest 'Ctrl-C' => sub {
    setup();
    my $pid = into_b();
    kill 'INT', $pid;
    my $t0 = time;
    is(wait_dag($pid), 130, 'exit 130') or diag(read_file('first.out'));
    cmp_ok(time - $t0, '<', 2, 'b went at the TERM');
    is(runs_json('last')->{result}, 'cancelled', 'the run is cancelled');
    my ($rc, $out) = dag('retry', 'last', '--progress', 'plain');
    is($rc, 0, 'retry goes on') or diag($out);
    check_whole(2, 'after Ctrl-C');
    is(count('a', 'a.log'), 1, 'a was not run again');
};

subtest 'another run leaves half a file behind' => sub {
    project();
    write_file('p.yaml', <<'YAML');
tasks:
  a:
    outputs: [a.out]
    cache: false
    run: |
      printf half > a.out
      case "$HOW" in (fail) exit 1;; (hang) touch hangs; sleep 30;; esac
      printf whole > a.out
  x:
    needs: [a]
    run: until test -e go; do sleep 0.05; done
  b:
    needs: [x]
    inputs: [a.out]
    run: cat a.out > b.log
YAML
    # b needs what a made, not only x.
    for my $how ('fail', 'hang', 'kill', 'mended') {
        unlink 'go', 'b.log', 'hangs', glob('*.out');
        my $first = start_dag('first.out', 'run', 'p.yaml', '--progress', 'plain');
        ok(wait_until(10, sub { (read_file('first.out') // '') =~ /x: running/ }), "$how: x runs");
        my ($id) = (read_file('first.out') // '') =~ /run ([0-9a-f-]{36}) began/;
        {
            local $ENV{HOW} = $how eq 'fail' ? 'fail' : 'hang';
            my $second = start_dag('second.out', 'run', 'p.yaml', '--progress', 'plain');
            if ($how ne 'fail') {
                ok(wait_until(10, sub { -e 'hangs' }), "$how: a of another run hangs");
                my ($other) = (read_file('second.out') // '') =~ /run ([0-9a-f-]{36}) began/;
                my ($dir) = glob(".dag/runs/$other/a.-1.1");
                kill($how eq 'kill' ? 'KILL' : 'INT', $how eq 'kill' ? shim_pid($dir) : $second);
            }
            isnt(wait_dag($second), 0, "$how: and does not end well");
        }
        if ($how eq 'mended') {
            local $ENV{HOW} = '';
            my $third = start_dag('third.out', 'run', 'p.yaml', '--progress', 'plain');
            ok(wait_until(10, sub { (read_file('third.out') // '') =~ /x: running/ }), 'a third run makes it whole');
            write_file('go', '');
            is(wait_dag($third), 0, 'and ends well');
            is(wait_dag($first), 0, 'as does the first');
            is(read_file('b.log'), 'whole', 'b reads whole');
            next;
        }
        write_file('go', '');
        is(wait_dag($first), 1, "$how: b does not read it") or diag(read_file('first.out'));
        ok(!-e 'b.log', "$how: it is not even started");
        like(task_of(runs_json($id), 'b')->{reason}, qr/a\.out` may be half written: .*dag retry $id --from a/,
            "$how: and says what to do");
        my ($rc, $out) = dag('retry', $id, '--from', 'a', '--progress', 'plain');
        is($rc, 0, "$how: which helps") or diag($out);
        is(read_file('b.log'), 'whole', "$how: b reads whole");
    }
};

nothing_left();
done_testing();
