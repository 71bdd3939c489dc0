#!/usr/bin/perl
# The machine changes under a run: numbers of processes are given out again, it is booted anew,
# its clock is set.  Pids and boots in namespaces of their own; the clock by dag's door, never
# the machine's.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Crash;
use Cwd ();
use Rounds;
use Test::More;
use Time::HiRes qw(sleep time);

my @plain = ('--progress', 'plain');
my $me = Cwd::abs_path($0);
my $inner = shift // '';

sub started { my ($task, $n) = @_; my $d = attempt_dir($task, $n // 1); return $d && -e "$d/started" }

# Run this file again, as ${name}, within new namespaces.
sub within {
    my ($name, @flags) = @_;
    my $out = `unshare @flags true 2>&1`;
    plan skip_all => "needs root and namespaces: $out" if $? != 0;
    # The shell is the first process there, who waits for those that have lost their parent.
    $out = `unshare @flags sh -c '$^X $me $name; exit \$?' 2>&1`;
    is($? >> 8, 0, 'all of it') or diag($out);
    my $n = () = $out =~ /^ok /mg;
    cmp_ok($n, '>', 3, "$n checks");
}

# ---- numbers of processes ----

# A number is not given out again while any process has it as its session: here the task has no
# children that outlive the shim.  A process that has the number ${pid}, in a session of its own; it writes down every signal
# that it gets.  Its pid, or undef.
sub impostor {
    my ($pid, $log) = @_;
    for (1 .. 20) {
        open my $f, '>', '/proc/sys/kernel/ns_last_pid' or return undef;
        print $f $pid - 1;
        close $f or return undef;
        my $child = fork // die;
        if ($child == 0) {
            POSIX::_exit(1) if $$ != $pid;
            POSIX::setsid();
            $0 = 'dag-shim somebody else';
            for my $sig (qw(TERM QUIT INT HUP CONT USR1)) {
                $SIG{$sig} = sub { open my $l, '>>', $log; print $l "$sig\n" };
            }
            write_file("$log.ready", '');
            sleep 1 while 1;
        }
        return $child if $child == $pid && wait_until(5, sub { -e "$log.ready" });
        waitpid $child, 0;
    }
    return undef;
}

sub is_untouched {
    my ($pid, $log, $when) = @_;
    ok(alive($pid), "$when: who has the number now lives");
    is(read_file($log) // '', '', "$when: and got no signal");
}

sub reuse {
    my $task = "tasks:\n  a: {run: \"echo start \$DAG_ATTEMPT >> a.log; test \$DAG_ATTEMPT = 2 || exec sleep 41.125\", retries: %d, retry_delay: 1ms}\n";
    # Owner and shim are dead, and the shim's number is somebody else's.
    project();
    write_file('p.yaml', sprintf $task, 1);
    my $owner = start_dag('o', 'run', 'p.yaml', @plain);
    ok(wait_until(10, sub { started('a') && shim_pid(attempt_dir('a', 1)) }), 'a runs');
    my $shim = shim_pid(attempt_dir('a', 1));
    kill 'KILL', $owner, $shim;
    wait_dag($owner);
    ok(wait_until(5, sub { !-e "/proc/$shim" }), 'its shim is gone');
    my $other = impostor($shim, 'signals');
    is($other, $shim, 'and its number is taken');
    my ($rc, $out) = dag('resume', @plain);
    is($rc, 0, 'resume ends the run') or diag($out);
    my $run = runs_json('last');
    is(join(' ', map { $_->{result} } @{ $run->{attempts} }), 'lost success', 'the attempt is lost and tried again');
    is_untouched($other, 'signals', 'resumed');
    is(join("\n", wrong_history($run)), '', 'the history is right');
    # The same, and the run is cancelled by who does not own it.
    kill 'KILL', $other;
    waitpid $other, 0;
    project();
    write_file('p.yaml', sprintf $task, 0);
    $owner = start_dag('o', 'run', 'p.yaml', @plain);
    ok(wait_until(10, sub { started('a') }), 'a runs');
    $shim = shim_pid(attempt_dir('a', 1));
    kill 'KILL', $owner, $shim;
    wait_dag($owner);
    wait_until(5, sub { !-e "/proc/$shim" });
    $other = impostor($shim, 'signals');
    is($other, $shim, 'the number is taken');
    my $t0 = time;
    ($rc, $out) = dag('cancel', 'last');
    is($rc, 0, 'cancelled') or diag($out);
    cmp_ok(time - $t0, '<', 5, 'without waiting for who has the number');
    is_untouched($other, 'signals', 'cancelled');
    # The number is the dead owner's: it does not own the run.
    kill 'KILL', $other;
    waitpid $other, 0;
    project();
    write_file('p.yaml', "tasks:\n  a: {run: 'echo up > up; until test -e go; do sleep 0.05; done'}\n");
    $owner = start_dag('o', 'run', 'p.yaml', @plain);
    ok(wait_until(10, sub { -e 'up' }), 'a runs');
    kill 'KILL', $owner;
    wait_dag($owner);
    $other = impostor($owner, 'signals');
    is($other, $owner, "the owner's number is taken");
    write_file('go', '');
    ($rc, $out) = dag('resume', @plain);
    is($rc, 0, 'the run can be resumed') or diag($out);
    is_untouched($other, 'signals', 'resumed');
    # A shim dies under a living owner, which is then told to stop its task.
    kill 'KILL', $other;
    waitpid $other, 0;
    project();
    write_file('p.yaml', sprintf $task, 1);
    $owner = start_dag('o', 'run', 'p.yaml', @plain);
    ok(wait_until(10, sub { started('a') }), 'a runs');
    $shim = shim_pid(attempt_dir('a', 1));
    kill 'STOP', $owner;
    kill 'KILL', $shim;
    ok(wait_until(5, sub { (read_file("/proc/$shim/stat") // '') =~ /\) Z/ }), 'a zombie of a stopped owner keeps its number');
    kill 'CONT', $owner;
    is(wait_dag($owner), 0, 'which goes on, and tries again');
    kill 'KILL', $other;
}

# ---- another boot ----

sub boot {
    my $n = 0;
    my $reboot = sub {
        $n++;
        write_file('/tmp/dag-boot', sprintf "%08d-0000-4000-8000-000000000000\n", $n);
        return system('mount', '--bind', '/tmp/dag-boot', '/proc/sys/kernel/random/boot_id') == 0;
    };
    for my $case (['running', undef], ['not spawned yet', 'alive-locked:1'], ['prepared', 'start:1'],
        ['ended, with a record that is not committed', 'gone:1']) {
        my ($what, $fault) = @$case;
        for my $retries (0, 1) {
            project();
            write_file('p.yaml', "tasks:\n  a:\n    run: |\n      echo start \$DAG_ATTEMPT >> a.log\n"
                . "      mkdir tree; echo x > a.out\n"
                . ($fault ? '' : "      test \$DAG_ATTEMPT = 2 || exec sleep 42.125\n")
                . "    outputs: [a.out, tree]\n    retries: $retries\n    retry_delay: 1ms\n"
                . "  b: {needs: [a], run: echo start \$DAG_ATTEMPT >> b.log}\n");
            local $ENV{DAG_FAULT} = $fault // '';
            my $owner = start_dag('o', 'run', 'p.yaml', @plain);
            if (!$fault) {
                ok(wait_until(10, sub { -e 'a.out' }), "$what: a runs");
                kill 'KILL', $owner, shim_pid(attempt_dir('a', 1));
            }
            is(wait_dag($owner), 137, "$what: dag dies");
            $ENV{DAG_FAULT} = '';
            sleep 0.2;
            ok($reboot->(), 'the machine is booted');
            # What the dead attempt had made survived or did not.
            if ($retries && -e 'tree') { rmdir 'tree' }
            my ($rc, $out) = dag('resume', @plain);
            is($rc, $retries ? 0 : 1, "$what: resumed, with $retries retries") or diag($out);
            my $run = runs_json('last');
            is(join(' ', map { $_->{result} } grep { $_->{task} eq 'a' } @{ $run->{attempts} }),
                $retries ? 'lost success' : 'lost', "$what: its attempt is lost") or diag($out);
            like(($run->{attempts}[0]{reason} // ''), qr/machine was restarted/, "$what: and says why");
            is(-e 'b.log' ? 1 : 0, $retries, "$what: what follows ran if it may");
            is(join("\n", wrong_history($run)), '', "$what: the history is right");
        }
    }
    # Somebody else's boot: a run that has its owner is not touched by it.
    project();
    write_file('p.yaml', "tasks:\n  a: {run: 'echo up > up; sleep 1'}\n");
    my $owner = start_dag('o', 'run', 'p.yaml', @plain);
    ok(wait_until(10, sub { -e 'up' }), 'a runs');
    is(wait_dag($owner), 0, 'to its end');
}

# ---- the wall clock is set ----

# Set it by so many seconds, for every dag that is told of it.
sub set_clock { $ENV{DAG_CLOCK} = Cwd::getcwd() . '/clock'; write_file('clock.new', $_[0]); rename 'clock.new', 'clock' }

sub when { my @s = stat $_[0]; return @s ? (Time::HiRes::stat($_[0]))[9] : undef }

# Durations of what has ended are told by the wall; but none is negative.
sub durations_fit {
    my ($run, $name) = @_;
    my @odd = grep { defined && $_ < 0 }
        map { $_->{duration_s} } $run, @{ $run->{tasks} }, @{ $run->{attempts} };
    is("@odd", '', "$name: durations are possible");
}

# Start a run; half a second later its clock is set by ${step}, with ${kill} while dag is dead.
sub step_during {
    my ($step, $kill) = @_;
    my $pid = start_dag('o', 'run', 'p.yaml', @plain);
    wait_until(10, sub { -e 'up' });
    my $t0 = when('up');
    sleep 0.5;
    if ($kill) { kill 'KILL', $pid; wait_dag($pid) }
    set_clock($step);
    $pid = start_dag('o2', 'resume', @plain) if $kill;
    return ($t0, wait_dag($pid));
}

sub clock_steps {
    for my $kill (0, 1) {
        for my $step (3600, -3600) {
            my $name = ($step > 0 ? 'an hour on' : 'an hour back') . ($kill ? ', while dag was dead' : '');
            # What was stored as a wall time looks past after a step on, and may not look far
            # away after one back.
            my $least = $kill && $step > 0 ? 0.4 : 1.7; # a retry comes up to a tenth sooner
            my $most = $kill ? 5.5 : 4.5;
            project();
            set_clock(0);
            write_file('p.yaml', "tasks:\n"
                . "  r: {retries: 1, retry_delay: 2s, run: 'if test -e up; then touch again; else touch up; exit 1; fi'}\n"
                . "  w: {type: wait, for: 2s}\n  waited: {needs: [w], run: touch waited}\n");
            my ($t0, $rc) = step_during($step, $kill);
            is($rc, 0, "$name: the run ends well") or diag(read_file('o'), read_file('o2') // '');
            for my $what ('again', 'waited') {
                my $took = (when($what) // 0) - $t0;
                cmp_ok($took, '>=', $least, "$name: $what is not too soon");
                cmp_ok($took, '<', $most, "$name: $what is not too late");
            }
            durations_fit(runs_json('last'), $name);
            project();
            set_clock(0);
            write_file('p.yaml', "timeout: 2s\ntasks:\n  a: {run: 'touch up; exec sleep 43.125', grace: 1s}\n");
            ($t0, $rc) = step_during($step, $kill);
            my $took = time - $t0;
            is($rc, 1, "$name: the run's time is up");
            cmp_ok($took, '>=', $least, "$name: not too soon");
            cmp_ok($took, '<', $most, "$name: not too late");
            durations_fit(runs_json('last'), $name);
        }
    }
    # Only a wait until an instant follows the wall.
    project();
    set_clock(0);
    my $until = POSIX::strftime('%Y-%m-%dT%H:%M:%SZ', gmtime(time + 1800));
    write_file('p.yaml', "tasks:\n  u: {type: wait, until: '$until'}\n  t: {timeout: 60s, run: 'touch up; sleep 1'}\n");
    my $pid = start_dag('o', 'run', 'p.yaml', @plain);
    ok(wait_until(10, sub { -e 'up' }), 'it waits until an instant');
    sleep 0.5;
    set_clock(-3600);
    sleep 1.5;
    ok(alive($pid), 'which is farther away when the clock is set back');
    set_clock(3600);
    my $t0 = time;
    is(wait_dag($pid), 0, 'and comes when it is set on') or diag(read_file('o'));
    cmp_ok(time - $t0, '<', 3, 'at once');
    durations_fit(runs_json('last'), 'until');
    delete $ENV{DAG_CLOCK};
}

if ($inner ne '') {
    $inner eq 'reuse' ? reuse() : boot();
    nothing_left();
    chdir '/';
    done_testing();
    exit;
}

subtest 'numbers of processes are used again' => sub { within('reuse', qw(--pid --fork --mount-proc)) };
subtest 'the clock is set' => \&clock_steps;
subtest 'another boot' => sub { within('boot', qw(--mount --pid --fork --mount-proc)) };
nothing_left();
done_testing();
