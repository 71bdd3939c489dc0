#!/usr/bin/perl
# kill -9 at random moments of a run: of dag (or HUP, or Ctrl-Z first), of a shim, of both, of
# the task; resume follows where dag is gone.  Every attempt starts at most once, another comes
# only after one that was lost or killed, no more are lost than shims were killed, and every run
# ends as an undisturbed one does.  DAG_KILLS and DAG_SEED choose how often and where.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Crash;
use Rounds;
use POSIX qw(:sys_wait_h);
use Test::More;
use Time::HiRes qw(sleep time);

my $want = $ENV{DAG_KILLS} || 60;
my $seed = $ENV{DAG_SEED} || int time;
srand $seed;
diag "DAG_SEED=$seed";

# Thirteen tasks: a chain of stages with a fan in the middle, outputs passed on, one that fails
# the first time it really runs (an attempt that was never started has a number too), one that
# is skipped, one that only runs after a failure.
sub dag_file {
    my $text = "params:\n  publish: false\ndefaults: {retries: 50, retry_delay: 1ms}\ntasks:\n";
    my $quick = rand() < 0.5;
    my $task = sub {
        my ($name, $needs, $extra) = @_;
        my $up = join ' ', map { "$_.out" } @$needs;
        $text .= "  $name:\n";
        $text .= "    needs: [" . join(', ', @$needs) . "]\n" if @$needs;
        $text .= "    run: |\n      echo start \$DAG_ATTEMPT >> $name.log\n";
        $text .= "      for f in $up; do grep -q whole \$f || echo torn >> $name.log; done\n" if @$needs;
        $text .= "      printf half > $name.out\n";
        $text .= "      sleep 0.0" . (2 + int rand 7) . "\n" if !$quick;
        $text .= "      printf whole > $name.out\n      echo n=$name >> \"\$DAG_OUTPUT\"\n";
        $text .= "    outputs: [$name.out]\n" . ($extra // '');
    };
    $task->('fetch', []);
    $task->("part$_", ['fetch']) for 1 .. 6;
    $task->('join', [map { "part$_" } 1 .. 6], "    env: {N: '{{ outputs.part3.n }}'}\n");
    $task->('report', ['join']);
    $text .= "  flaky:\n    needs: [join]\n"
        . "    run: |\n      echo start \$DAG_ATTEMPT >> flaky.log\n      test \$(wc -l < flaky.log) -ge 2\n";
    $text .= "  publish:\n    needs: [report]\n    when: params.publish\n    run: echo start 1 >> publish.log\n";
    $text .= "  broken:\n    needs: [fetch]\n    allow_failure: true\n    retry_on: [lost, signal]\n"
        . "    run: echo start \$DAG_ATTEMPT >> broken.log; exit 3\n";
    $text .= "  after_failure:\n    needs: [broken]\n    trigger: one_failed\n    run: echo start \$DAG_ATTEMPT >> after_failure.log\n";
    return $text;
}

my $right = 'run=success fetch=success ' . join(' ', map { "part$_=success" } 1 .. 6)
    . ' join=success report=success flaky=success publish=skipped broken=failed after_failure=success';

my (%killed, %mine);

sub check_run {
    my ($run) = @_;
    my @wrong = wrong_history($run);
    push @wrong, results_of($run) if results_of($run) ne $right;
    push @wrong, 'publish ran' if -e 'publish.log';
    for my $t (@{ $run->{tasks} }) {
        push @wrong, "$t->{task} read a half file" if grep { /torn/ } slurp_lines("$t->{task}.log");
    }
    my $lost = grep { ($_->{result} // '') eq 'lost' } @{ $run->{attempts} };
    my $hit = grep { ($_->{cause} // '') eq 'signal' } @{ $run->{attempts} };
    my $shims = ($mine{shim} // 0) + ($mine{both} // 0);
    push @wrong, "$lost attempts are lost, though only $shims shims were killed" if $lost > $shims;
    push @wrong, "$hit attempts ended by a signal, of which " . ($mine{task} // 0) . ' was ours'
        if $hit > ($mine{task} // 0);
    is(join("\n", @wrong), '', "run $run->{run} is right after " . join(', ', map { "$_ $mine{$_}" } sort keys %mine))
        or diag(`tail -n 50 *.out.txt`);
}

# Attempts that have a shim and no record, and who they are.
sub living {
    my @live;
    for my $dir (glob '.dag/runs/*/*.-1.*') {
        next if -e "$dir/exit" || !-e "$dir/shim";
        my $pid = shim_pid($dir) // next;
        # Only if it is one: numbers are used again.
        next if (read_file("/proc/$pid/comm") // '') !~ /^dag-shim/;
        my ($child) = split ' ', read_file("/proc/$pid/task/$pid/children") // '';
        push @live, {dir => $dir, pid => $pid, child => $child};
    }
    return @live;
}

# Wait a random while, or for the instant at which some attempt enters a phase.  False: dag has
# ended.
sub some_moment {
    my ($pid) = @_;
    my $phase = rand() < 0.5 ? $phases[1 + int rand 4] : undef;
    my $end = time + 0.005 + rand 0.25;
    my %before = %{ snapshot() };
    while (time < $end) {
        return 0 if waitpid($pid, WNOHANG) == $pid;
        if (defined $phase) {
            my $now = snapshot();
            last if grep { $now->{$_} eq $phase && ($before{$_} // '') ne $phase } keys %$now;
        } else {
            sleep 0.003;
        }
    }
    return 1;
}

my ($kills, $runs) = (0, 0);

# Some phases are over in a moment: it may take more kills until each of them was hit.
sub goes_on {
    return 1 if $kills < $want;
    return $want >= 60 && $kills < 5 * $want && grep { !$landed{$_} } @phases;
}

while (goes_on() && $runs < 20 * $want) {
    project();
    write_file('k.yaml', dag_file());
    %mine = ();
    my ($n, $rc) = (0, undef);
    my $pid = start_dag('0.out.txt', 'run', 'k.yaml', '-j', '3', '--progress', 'plain');
    while (goes_on()) {
        if (!some_moment($pid)) { $rc = $? & 127 ? 128 + ($? & 127) : $? >> 8; last }
        my $who = (qw(owner owner both shim shim task task task hup stop))[rand 10];
        my @live = $who =~ /shim|task|both/ ? living() : ();
        my $a = $live[rand @live];
        $who = 'owner' if !$a && $who eq 'both';
        next if ($who eq 'shim' && !$a) || ($who eq 'task' && !($a && $a->{child}));
        if ($who eq 'task' || $who eq 'shim') {
            kill 'KILL', $who eq 'task' ? $a->{child} : $a->{pid};
            $landed{ -e "$a->{dir}/exit" ? 'exit to commit' : -e "$a->{dir}/started" ? 'running' : 'spawn to started' }++;
        } else {
            kill 'KILL', $a->{pid} if $who eq 'both';
            if ($who eq 'stop') { kill 'TSTP', $pid; sleep 0.05; kill 'CONT', $pid if rand() < 0.5 }
            kill $who eq 'hup' ? 'HUP' : 'KILL', $pid;
        }
        $kills++;
        $killed{$who}++;
        $mine{$who}++;
        next if $who eq 'task' || $who eq 'shim';
        my $seen = snapshot();
        waitpid $pid, 0;
        my $run = runs_json('last');
        land($seen, $run);
        $n++;
        $pid = $run ? start_dag("$n.out.txt", 'resume', '--progress', 'plain')
            : start_dag("$n.out.txt", 'run', 'k.yaml', '-j', '3', '--progress', 'plain');
    }
    $rc //= wait_dag($pid);
    $runs++;
    is($rc, 0, "run $runs ends well") or diag(`tail -n 5 *.out.txt`);
    check_run(runs_json('last'));
}
cmp_ok($kills, '>=', $want, "$kills kills in $runs runs: " . join(', ', map { "$_ $killed{$_}" } sort keys %killed));
show_phases('random kills');
my $few = 0;
$few += $landed{$_} == 0 for @phases;
is($few, 0, 'every phase was hit') if $want >= 60;
nothing_left();
done_testing();
