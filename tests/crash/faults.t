#!/usr/bin/perl
# A process dies at each of the points of base/fault.h: before and after every commit, between
# any two effects on the way to a task's program and back, while a run changes hands.  Whoever
# comes next must bring the run to the end that it has undisturbed, with a history that is
# possible.  Then two die, one after the other: at a random point, and at another on the way
# back.  DAG_FAULTS: how many passes of each point are tried in each scenario (unset: 2, the
# first and another, and less of what other scenarios have tried); DAG_SEED chooses; DAG_ONLY is
# a pattern of scenarios for who looks into one.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Crash;
use Rounds;
use Test::More;
use Time::HiRes qw(sleep time);

my $most = $ENV{DAG_FAULTS} || 2;
my $pairs = $ENV{DAG_FAULTS} ? 1200 : 20;
my $seed = $ENV{DAG_SEED} || int time;
srand $seed;
diag "DAG_SEED=$seed";

my @plain = ('--progress', 'plain');
my $began = time;

my @names = (read_file("$ENV{DAG_SOURCE}/base/fault.h") // '') =~ /^\tX\(\w+, "([a-z-]+)"\)/mg;
cmp_ok(scalar @names, '>', 40, scalar(@names) . ' points are known');

# ---- the scenarios ----

my $life = <<'YAML';
defaults: {retries: 6, retry_delay: 5ms}
tasks:
  a:
    run: |
      echo start $DAG_ATTEMPT >> a.log
      printf half > a.out
      echo n=41 >> "$DAG_OUTPUT"
      printf whole > a.out
    outputs: [a.out]
  b:
    inputs: [a.out]
    env: {N: '{{ outputs.a.n }}'}
    outputs: [b.out, tree]
    run: |
      echo start $DAG_ATTEMPT >> b.log
      grep -q whole a.out || echo torn >> bad
      test "$N" = 41 || echo value >> bad
      mkdir tree && echo x > tree/x
      printf whole > b.out
  flaky:
    run: echo start $DAG_ATTEMPT >> flaky.log; test $(wc -l < flaky.log) -ge 2
  lost:
    run: echo start $DAG_ATTEMPT >> lost.log; test $(wc -l < lost.log) -ge 2 || { kill -9 $PPID; sleep 1; }
  pause: {type: wait, for: 30ms}
  never: {when: false, needs: [a], run: echo never >> bad}
  broken: {needs: [a], retry_on: [lost], allow_failure: true, run: echo start $DAG_ATTEMPT >> broken.log; exit 3}
  rescue: {needs: [broken], trigger: one_failed, run: echo start $DAG_ATTEMPT >> rescue.log}
  last:
    needs: [b, flaky, lost, pause]
    run: echo start $DAG_ATTEMPT >> last.log; grep -q whole b.out || echo torn >> bad
YAML

# Start it; killed at the wrong moment there may be no run yet.
sub run_it { return one('run', 'p.yaml', '-j', 3, @plain) }

# One command to its end; where its process died the phase is noted.
my ($died, $point, $nth, $second) = (0, '', 0, '');
my $count = "/tmp/dag-fault-$$";

sub fired { return $nth > 0 && (-s $count // 0) >= $nth }

sub one {
    my ($rc, $out) = dag(@_);
    saw($rc);
    return ($rc, $out);
}

sub saw {
    my ($rc) = @_;
    return if $rc != 137;
    my $seen = snapshot();
    $died++;
    $ENV{DAG_FAULT} = $second if fired();
    if ($point =~ /^(begin|commit-before)$/) { $landed{'before commit'}++ }
    else { land($seen, runs_json('last')) }
}

# Bring the latest run to its end, as its user would.
sub to_the_end {
    for (1 .. 10) {
        my $run = runs_json('last');
        if (!$run) { run_it(); next }
        return $run if $run->{state} eq 'done';
        one('resume', @plain);
    }
    return runs_json('last');
}

my $busy = <<'YAML';
defaults: {retries: 6, retry_delay: 5ms, grace: 2s}
tasks:
  work:
    outputs: [work.out]
    run: |
      echo start $DAG_ATTEMPT >> work.log
      n=0; until test -e go || test $n -ge 200; do n=$((n + 1)); sleep 0.02; done
      printf whole > work.out
  after:
    inputs: [work.out]
    run: echo start $DAG_ATTEMPT >> after.log; grep -q whole work.out || echo torn >> bad
YAML

# Start the busy run and wait until its task works; the owner's pid.
sub busy_run {
    for (1 .. 5) {
        my $pid = start_dag('busy.out', @_ ? @_ : ('run', 'p.yaml', @plain));
        my $gone = 0;
        wait_until(10, sub {
            $gone = 1 if waitpid($pid, POSIX::WNOHANG()) == $pid;
            $gone || -e 'work.log';
        });
        return $pid if !$gone;
        saw($? & 127 ? 128 + ($? & 127) : $? >> 8);
        my $run = runs_json('last');
        @_ = $run && $run->{state} ne 'done' ? ('resume', @plain) : ('run', 'p.yaml', @plain);
    }
    return undef;
}

sub reap_owner {
    my ($pid) = @_;
    saw(wait_dag($pid)) if defined $pid;
}

my %scenario = (
    'a run' => {file => $life, go => sub {
        mkdir 'tree'; rmdir 'tree';
        write_file('a.out', 'old');
        run_it();
        return to_the_end();
    }},
    'taken over' => {file => $busy, go => sub {
        my $pid = busy_run();
        kill 'KILL', $pid if defined $pid;
        reap_owner($pid);
        write_file('go', '');
        return to_the_end();
    }},
    'cancelled' => {file => $busy, more => ['cancelled'], go => sub {
        my $pid = busy_run();
        my $run;
        for (1 .. 5) {
            one('cancel', 'last');
            $run = runs_json('last');
            last if $run && $run->{state} eq 'done';
        }
        reap_owner($pid);
        return $run;
    }},
    'cancelled, without an owner' => {file => $busy, more => ['cancelled'], go => sub {
        my $pid = busy_run();
        kill 'HUP', $pid if defined $pid;
        reap_owner($pid);
        my $run;
        for (1 .. 5) {
            one('cancel', 'last');
            $run = runs_json('last');
            last if $run && $run->{state} eq 'done';
        }
        return $run;
    }},
    'interrupted' => {file => $busy, more => ['cancelled'], go => sub {
        my $pid = busy_run();
        kill 'INT', $pid if defined $pid;
        reap_owner($pid);
        # A cancel that was not recorded is no cancel; its user sees that and says it again.
        for (1 .. 5) {
            my $run = runs_json('last');
            return $run if $run->{state} eq 'done';
            one('cancel', 'last');
        }
        return runs_json('last');
    }},
    'retried' => {more => ['cancelled'],
        file => "tasks:\n  a: {retries: 0, run: echo start \$DAG_ATTEMPT >> a.log; test -e mended}\n"
            . "  b: {needs: [a], outputs: [b.out], run: echo start \$DAG_ATTEMPT >> b.log; echo x > b.out}\n",
        go => sub {
            run_it();
            to_the_end();
            write_file('mended', '');
            for (1 .. 6) {
                my $run = to_the_end();
                return $run if $run->{result} eq 'success';
                one('retry', 'last', @plain);
            }
            return runs_json('last');
        }},
    'old runs are deleted' => {file => "tasks:\n  a: {run: echo start \$DAG_ATTEMPT > a.log}\n", go => sub {
        local $ENV{DAG_CLOCK} = Cwd::getcwd() . '/clock';
        my $gone;
        {
            local $ENV{DAG_FAULT} = '';
            for (1 .. 4) { run_it(); $gone //= runs_json('last')->{run} }
            # What died between a directory's making and its row, an hour ago.
            unlink glob(".dag/runs/$gone/*/shim");
            sql("pragma foreign_keys = on; delete from run where id = '$gone'");
        }
        for (1 .. 5) {
            last if (one('gc', '--runs', '--keep', '1', '--last-too'))[0] == 0;
        }
        # What is left of a killed one goes once it cannot be somebody's beginning.
        write_file('clock', '3600');
        for (1 .. 5) {
            last if (one('gc', '--runs', '--keep', '1', '--last-too'))[0] == 0;
        }
        return runs_json('last');
    }, wrong => sub {
        my @dirs = glob '.dag/runs/*-*';
        my $rows = sql('select count(*) from run');
        return @dirs == 1 && $rows eq '1' ? () : "$rows runs are left in " . @dirs . ' directories';
    }},
    'found again' => {
        file => "tasks:\n  a: {outputs: [a.out], run: echo start \$DAG_ATTEMPT >> a.log; echo a > a.out}\n"
            . "  b: {inputs: [a.out], outputs: [b.out], run: echo start \$DAG_ATTEMPT >> b.log; echo b > b.out}\n",
        go => sub {
            my $first;
            {
                local $ENV{DAG_FAULT} = '';
                run_it();
                $first = runs_json('last')->{run};
                unlink qw(b.out p.dag.lock a.log b.log);
            }
            for (1 .. 8) {
                my $run = runs_json('last');
                if ($run->{run} eq $first) { run_it() }
                elsif ($run->{state} ne 'done') { one('resume', @plain) }
                else { last }
            }
            return runs_json('last');
        },
        wrong => sub {
            # What somebody who died has left to be written is written by the next run.
            local $ENV{DAG_FAULT} = '';
            dag('run', 'p.yaml', @plain);
            my $lock = read_file('p.dag.lock') // '';
            return grep { defined } ((read_file('b.out') // '') eq "b\n" ? undef : 'b.out did not come back'),
                ($lock =~ /\A.*^  a:.*^  b:/ms ? undef : "the lock file says '$lock'"),
                (-e 'a.log' || -e 'b.log' ? 'something ran again' : undef);
        }},
    'settled by another' => {file => $busy, go => sub {
        my $pid = busy_run();
        my $id = runs_json('last')->{run};
        kill 'KILL', $pid if defined $pid;
        reap_owner($pid);
        write_file('go', '');
        wait_until(5, sub { read_file('work.out') });
        sleep 0.1;
        write_file('q.yaml', "tasks:\n  q: {run: 'true', retries: 3, retry_delay: 1ms}\n");
        one('run', 'q.yaml', @plain);
        for (1 .. 10) {
            one('resume', @plain);
            my $run = runs_json($id);
            return $run if $run && $run->{state} eq 'done' && dag('resume', @plain) && 1;
        }
        return runs_json($id);
    }},
);

# ---- rounds ----

my (%passes, %want, %passed, %hit, %tried);

sub play {
    my ($s, $setting) = @_;
    project();
    write_file('p.yaml', $s->{file});
    $died = 0;
    local $ENV{DAG_FAULT} = $setting;
    return $s->{go}->();
}

# What is wrong after a round of the scenario.
sub wrong {
    my ($name, $got) = @_;
    my $home = Cwd::getcwd();
    my @w;
    if (!$got || ($got->{state} // '') ne 'done') {
        push @w, 'the run has not ended';
    } else {
        push @w, 'it ends as ' . results_of($got) . ", not as $want{$name}" if results_of($got) ne $want{$name};
        push @w, wrong_history($got, @{ $scenario{$name}{more} || [] });
    }
    push @w, $scenario{$name}{wrong}->() if $scenario{$name}{wrong};
    push @w, 'bad: ' . read_file('bad') if -e 'bad';
    push @w, '.gitignore is not whole' if (read_file('.dag/.gitignore') // '') ne "*\n";
    push @w, map { "$_ is left" } processes_of("PWD=$home", $home);
    return @w;
}

sub report {
    my ($name, $what, @w) = @_;
    return if !@w;
    fail("$name, $what");
    diag(join("\n", @w), "\n", `tail -n 30 dag.out busy.out 2>/dev/null`);
}

# Which passes of n are tried.
sub some {
    my ($n, $most) = @_;
    return 1 .. $n if $n <= $most;
    my %s = $most > 0 ? (1 => 1) : ();
    $s{2 + int rand($n - 1)} = 1 while keys %s < $most;
    return sort { $a <=> $b } keys %s;
}

my $only = $ENV{DAG_ONLY} // '';
my @order = sort { ($b eq 'a run') <=> ($a eq 'a run') || $a cmp $b } keys %scenario;
@order = grep { /(?:$only)/ } @order; # an empty pattern alone would be the last one that matched
for my $name (@order) {
    my $s = $scenario{$name};
    unlink $count;
    $nth = 0;
    my $run = play($s, "trace:0:$count");
    $want{$name} = results_of($run);
    report($name, 'undisturbed', wrong($name, $run));
    like($want{$name}, qr/^run=(?:success|cancelled) /, "$name: undisturbed: $want{$name}");
    $passes{$name}{$_}++ for slurp_lines($count);
    my $t0 = time;
    my $rounds = 0;
    for my $p (@names) {
        my $n = $passes{$name}{$p} // 0;
        $passed{$p} += $n;
        # Without DAG_FAULTS what others have tried is not tried again, unless it is about rows.
        my $m = $ENV{DAG_FAULTS} || ($tried{$p} // 0) < 4 || $p =~ /^(?:commit|take|command|gc)-/ ? $most : 0;
        for my $n (some($n, $m)) {
            unlink $count;
            ($point, $nth) = ($p, $n);
            my $got = play($s, "$p:$n:$count");
            my $fired = fired();
            $rounds++;
            $tried{$p}++;
            $hit{$p}++ if $fired;
            if ($fired && $p =~ /^shim-/) {
                $landed{ $p =~ /begin|unnamed|named|ready|child/ ? 'spawn to started'
                        : $p =~ /marked|spawned/ ? 'running' : 'exit to commit' }++;
            }
            my @w = wrong($name, $got);
            push @w, 'nobody died' if $fired && !$died && $p !~ /^shim-/;
            report($name, "$p:$n", @w);
        }
    }
    pass(sprintf '%s: %d rounds in %.1f s', $name, $rounds, time - $t0);
}

my ($t0, $both) = (time, 0);
my @back = sort keys %{ $passes{'taken over'} || {} };
@back = @names if !@back;
for my $round (1 .. $pairs) {
    my $name = $order[rand @order];
    my @here = sort keys %{ $passes{$name} };
    $point = $here[rand @here];
    unlink $count, "$count.2";
    $nth = 1 + int rand $passes{$name}{$point};
    my $other = $back[rand @back];
    my $m = 1 + int rand 3;
    $second = "$other:$m:$count.2";
    my $got = play($scenario{$name}, "$point:$nth:$count");
    $both++ if (-s "$count.2" // 0) >= $m;
    report($name, "$point:$nth, then $second", wrong($name, $got));
}
pass(sprintf '%d times two points, in %d of them both died, in %.1f s', $pairs, $both, time - $t0);
unlink $count, "$count.2";
chdir '/';

diag sprintf '%-18s %7s %6s %6s', 'point', 'passed', 'tried', 'died';
diag sprintf '%-18s %7d %6d %6d', $_, $passed{$_} // 0, $tried{$_} // 0, $hit{$_} // 0 for @names;
show_phases('fault points');
if ($only eq '') {
    # What is brought back is tried by itself, with the rest of caching: cached.t.
    my %elsewhere = map { $_ => 1 } qw(looked-ahead decided restored result-kept lock-made lock-written);
    is(join(' ', grep { !$hit{$_} && !$elsewhere{$_} } @names), '', 'somebody died at every point');
    cmp_ok($landed{$_}, '>=', 10, "at least ten: $_") for @phases;
}
nothing_left();
diag sprintf '%.0f s', time - $began;
done_testing();
