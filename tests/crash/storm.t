#!/usr/bin/perl
# Several owners in one project, and everything that can happen to them at once: owners and
# shims are killed, stopped, told to let go, interrupted; runs are cancelled, resumed and
# retried by others.  Then all is brought to its end.  Nothing may run twice at a time, no half
# file may be read, every run must end, and nothing may be left.  DAG_STORM (seconds) and
# DAG_SEED choose how long and which.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Crash;
use Rounds;
use POSIX qw(:sys_wait_h);
use Test::More;
use Time::HiRes qw(sleep time);

my $secs = $ENV{DAG_STORM} || 8;
my $seed = $ENV{DAG_SEED} || time;
srand $seed;
diag "DAG_SEED=$seed";

my $home = project();
# Each task holds a lock for its output while it runs: two at a time are noticed.
my $text = "tasks:\n";
my $task = sub {
    my ($name, $needs, $extra) = @_;
    $text .= "  $name:\n    outputs: [$name.out]\n";
    $text .= "    inputs: [" . join(', ', map { "$_.out" } @$needs) . "]\n" if @$needs;
    $text .= "    retries: 2\n    retry_delay: 10ms\n    grace: 200ms\n" . ($extra // '');
    $text .= "    run: |\n      exec 9>$name.lock\n      flock -n 9 || echo two $name \$DAG_RUN_ID >> bad\n";
    $text .= "      grep -q whole $_.out || echo torn $_ by $name >> bad\n" for @$needs;
    $text .= "      printf half > $name.out\n      sleep 0.0" . int(rand 9) . "\n      printf whole > $name.out\n";
};
$task->('a', []);
$task->("b$_", ['a']) for 1 .. 4;
$task->('c', [map { "b$_" } 1 .. 4]);
$task->('d', ['c'], "    leave_children: false\n");
write_file('s.yaml', $text);

my (%dag, $n, @odd);    # pid => what

sub begin {
    my @args = @_;
    $n++;
    push @args, '--progress', 'plain' if $args[0] ne 'cancel';
    my $pid = start_dag("out.$n", @args);
    $dag{$pid} = "$n: @args";
}

sub reap {
    while ((my $pid = waitpid(-1, WNOHANG)) > 0) {
        my ($sig, $rc) = ($? & 127, $? >> 8);
        my $what = delete $dag{$pid} // next;
        my ($num) = $what =~ /^(\d+)/;
        my $out = read_file("out.$num") // '';
        # A signal ends it before it works and while it closes.  3: somebody else owns the run;
        # 2: it is interrupted, so there is nothing to retry yet.
        push @odd, "$what: exit $rc, signal $sig: $out"
            if !grep { $sig == $_ } 0, 1, 2, 9
            or !grep { $rc == $_ } 0, 1, 3, 129, 130, $what =~ /retry/ ? 2 : ()
            or $out =~ /Sanitizer|Assertion|runtime error/;
    }
}

sub any { my @k = @_; return $k[rand @k] }

# What is to be done to the last run finds one.
begin('run', 's.yaml', '-j', 1);
wait_until(20, sub { reap(); @{ all_runs() } });

my %did;
my $end = time + $secs;
while (time < $end) {
    my @owners = keys %dag;
    my $what = any(qw(run run resume kill kill shim int hup stop cancel retry));
    $what = 'run' if !@owners;
    $what = 'kill' if @owners > 6;
    $did{$what}++;
    if ($what eq 'run') { begin('run', 's.yaml', '-j', 1 + int rand 3) }
    elsif ($what eq 'resume') { begin('resume') }
    elsif ($what eq 'retry') { begin('retry', 'last') }
    elsif ($what eq 'cancel') { begin('cancel', 'last') }
    elsif ($what eq 'kill') { kill 'KILL', any(@owners) }
    elsif ($what eq 'hup') { kill 'HUP', any(@owners) }
    elsif ($what eq 'int') { kill 'INT', any(@owners) }
    elsif ($what eq 'stop') { my $p = any(@owners); kill 'STOP', $p; sleep 0.1; kill 'CONT', $p }
    elsif ($what eq 'shim') {
        my @live = grep { -e "$_/shim" && !-e "$_/exit" } glob('.dag/runs/*/*.-1.*');
        my $pid = @live ? shim_pid(any(@live)) : undef;
        # Only if it is one: numbers are used again.
        kill 'KILL', $pid if $pid && (read_file("/proc/$pid/comm") // '') =~ /^dag-shim/;
    }
    sleep rand 0.15;
    reap();
}
diag join ', ', map { "$_ $did{$_}" } sort keys %did;
# Now everything comes to its end.
ok(wait_until(60, sub { reap(); !keys %dag }), 'all owners end by themselves')
    or diag(join "\n", values %dag);
sub all_runs {
    my @ids = map { JSON::PP::decode_json($_)->{run} } `$ENV{DAG_BUILD}/bin/dag runs --json -n 1000 2>/dev/null`;
    return [map { runs_json($_) } @ids];
}

for (1 .. 20) {
    last if !grep { $_->{state} ne 'done' } @{ all_runs() };
    dag('resume', '--progress', 'plain');
}
my $runs = all_runs();
cmp_ok(scalar @$runs, '>', 3, scalar(@$runs) . ' runs');
is(join("\n", map { "$_->{run} is $_->{status}" } grep { $_->{state} ne 'done' } @$runs), '', 'every run has ended');
is(read_file('bad') // '', '', 'never two at a time, no half file read');
is(join("\n", @odd), '', 'no owner ended in a strange way');
my $open = '';
for my $r (@$runs) {
    $open .= "$r->{run} $_->{task} " for grep { $_->{state} ne 'done' } @{ $r->{attempts} };
}
is($open, '', 'every attempt has ended');
is(`pgrep -f '^dag-shim $home'`, '', 'no shim is left');
is(`sqlite3 .dag/dag.db 'select count(*) from path_lock' 2>/dev/null` || "0\n", "0\n", 'no path is locked');
my ($rc, $out) = dag('run', 's.yaml', '--progress', 'plain');
is($rc, 0, 'and the next run is like any other') or diag($out);
nothing_left();
done_testing();
