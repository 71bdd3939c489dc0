#!/usr/bin/perl
# Fifty times kill -9 (or HUP, or Ctrl-Z and kill -9) of dag at a random moment of a run, each
# followed by resume: every task runs exactly once, in order, and every run ends as an
# undisturbed one does.  DAG_KILLS and DAG_SEED choose how often and where.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Crash;
use Test::More;
use Time::HiRes qw(sleep time);

my $want = $ENV{DAG_KILLS} || 50;
my $seed = $ENV{DAG_SEED} || time;
srand $seed;
diag "DAG_SEED=$seed";

# Thirteen tasks: a chain of stages with a fan in the middle, outputs passed on, one that fails
# the first time it really runs (an attempt that was never started has a number too), one that
# is skipped, one that only runs after a failure.
sub dag_file {
    my $text = "params:\n  publish: false\ntasks:\n";
    my $task = sub {
        my ($name, $needs, $extra) = @_;
        my $up = join ' ', map { "$_.out" } @$needs;
        $text .= "  $name:\n";
        $text .= "    needs: [" . join(', ', @$needs) . "]\n" if @$needs;
        $text .= "    run: |\n      echo start \$DAG_ATTEMPT >> $name.log\n";
        $text .= "      for f in $up; do grep -q whole \$f || echo torn >> $name.log; done\n"
            if @$needs && $name ne 'after_failure';
        $text .= "      printf half > $name.out\n      sleep 0.0" . (2 + int rand 7) . "\n";
        $text .= "      printf whole > $name.out\n      echo n=$name >> \"\$DAG_OUTPUT\"\n";
        $text .= "    outputs: [$name.out]\n" . ($extra // '');
    };
    $task->('fetch', []);
    $task->("part$_", ['fetch']) for 1 .. 6;
    $task->('join', [map { "part$_" } 1 .. 6], "    env: {N: '{{ outputs.part3.n }}'}\n");
    $task->('report', ['join']);
    $text .= "  flaky:\n    needs: [join]\n    retries: 2\n    retry_delay: 20ms\n"
        . "    run: |\n      echo start \$DAG_ATTEMPT >> flaky.log\n      test \$(wc -l < flaky.log) -ge 2\n";
    $text .= "  publish:\n    needs: [report]\n    when: params.publish\n    run: echo start >> publish.log\n";
    $text .= "  broken:\n    needs: [fetch]\n    allow_failure: true\n    run: echo start >> broken.log; exit 3\n";
    $text .= "  after_failure:\n    needs: [broken]\n    trigger: one_failed\n    run: echo start >> after_failure.log\n";
    return $text;
}

my %expect = (success => 11, skipped => 1, failed => 1);

sub check_run {
    my ($id, $kills) = @_;
    my $run = runs_json($id);
    my @wrong;
    push @wrong, "result $run->{result}" if $run->{result} ne 'success';
    my %n;
    $n{ $_->{result} // '' }++ for @{ $run->{tasks} };
    for (keys %expect) {
        push @wrong, "$_ tasks: " . ($n{$_} // 0) if ($n{$_} // 0) != $expect{$_};
    }
    for my $t (@{ $run->{tasks} }) {
        my @starts = grep { /^start/ } slurp_lines("$t->{task}.log");
        my $should = $t->{task} eq 'publish' ? 0 : $t->{task} eq 'flaky' ? 2 : 1;
        push @wrong, "$t->{task} started " . @starts . " times" if @starts != $should;
        push @wrong, "$t->{task} read a half file" if grep { /torn/ } slurp_lines("$t->{task}.log");
    }
    is("@wrong", '', "run $id is right after $kills kills") or diag(`tail -n 50 *.out.txt`);
}

my ($kills, $runs) = (0, 0);
while ($kills < $want) {
    project();
    write_file('k.yaml', dag_file());
    my $pid = start_dag('0.out.txt', 'run', 'k.yaml', '-j', '3', '--progress', 'plain');
    my ($mine, $rc) = (0, undef);
    while (1) {
        my $end = time + 0.005 + rand 0.25;
        my $done = 0;
        while (time < $end) {
            if (waitpid($pid, POSIX::WNOHANG()) == $pid) { $done = 1; $rc = $? >> 8; last }
            sleep 0.003;
        }
        last if $done;
        last if $kills >= $want && !defined($rc = wait_dag($pid)) || defined $rc;
        # Now and then it is told to let go, or is stopped for a while first.
        my $how = int rand 6;
        if ($how == 0) {
            kill 'HUP', $pid;
        } else {
            if ($how == 1) { kill 'TSTP', $pid; sleep 0.05; kill 'CONT', $pid if rand() < 0.5 }
            kill 'KILL', $pid;
        }
        waitpid $pid, 0;
        $kills++;
        $mine++;
        my $id = (runs_json('last') || {})->{run};
        $pid = $id ? start_dag("$mine.out.txt", 'resume', '--progress', 'plain')
                   : start_dag("$mine.out.txt", 'run', 'k.yaml', '-j', '3', '--progress', 'plain');
    }
    $rc //= wait_dag($pid);
    $runs++;
    is($rc, 0, "run $runs ends well") or diag(`tail -n 5 *.out.txt`);
    check_run('last', $mine);
    last if $runs > 200;
}
cmp_ok($kills, '>=', $want, "$kills kills in $runs runs");
done_testing();
