#!/usr/bin/perl
# Runs of tasks that do not run again where nothing has changed, killed at each fault point that
# they pass, from the decision over what is brought back and kept to the lock file.  After each
# kill the lock says only what is true, and no half output is a result; then the run is resumed,
# or begun where it was not, and all is as if nobody had died: outputs, lock, cache, and the run
# after it does nothing.
#
# DAG_CACHED_SECONDS: for points besides those of caching (4); DAG_SEED.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Cached;
use Crash;
use Digest::MD5 qw(md5_hex);
use List::Util qw(shuffle);
use Rounds;
use Test::More;
use Time::HiRes qw(time);

my $seconds = $ENV{DAG_CACHED_SECONDS} // 4;
my $seed = $ENV{DAG_SEED} // time ^ $$;
srand $seed;
diag "DAG_SEED=$seed";
begin('native');
my (%passes, %died);

# Which points a scene passes.
sub traced {
    my ($scene) = @_;
    undisturbed($scene, DAG_FAULT => "trace:0:$top/trace");
    $passes{$scene}{$_}++ for grep { !/^shim-/ } slurp_lines("$top/trace");
    unlink "$top/trace";
}

sub killed_at {
    my ($scene, $point, $n) = @_;
    copy("$top/$scene", $here);
    my ($rc, $out);
    {
        unlink "$top/count";
        local $ENV{DAG_FAULT} = "$point:$n:$top/count";
        ($rc, $out) = play(@run);
    }
    $died{$point}++ if $rc == 137;
    # Tasks go on without their owner.
    my @wrong = map { "after it: $_" } after_kill_wrong($scene);
    push @wrong, "it ended as $rc: $out" if $rc != 137 && $rc != 0;
    push @wrong, end_wrong($scene);
    is(join("\n", @wrong), '', "$scene, killed at $point:$n ($rc)");
}

make_scenes();
traced($_) for @scenes;
is(join(' ', map { $want{$_}{state} eq $want{nothing}{state} ? 1 : 0 } @scenes), '1 0 1 1 1 0', 'the same state is the same, whatever it comes from');

my @mine = qw(looked-ahead decided restored result-kept lock-made lock-written);
for my $point (@mine) {
    for my $scene (@scenes) {
        my $n = $passes{$scene}{$point} // next;
        killed_at($scene, $point, $_) for $n == 1 ? 1 : (1, 2 + int rand($n - 1));
    }
}
is(join(' ', grep { !$died{$_} } @mine), '', 'somebody died at each point of caching');

# What it reads changes after its owner has died: the lock does not say that it has read that, nor what
# was there before, as nobody knows when it was read.
copy("$top/nothing", $here);
chdir $here;
(my $slow = $native) =~ s/cat in > a\.out/cp in a.out; touch busy; until test -e go; do sleep 0.02; done/ or die;
write_file('p.yaml', $slow);
my $pid = start_dag("$top/out", @run);
wait_until(20, sub { -e 'busy' });
kill 'KILL', $pid;
wait_dag($pid);
input(7);
write_file('go', '');
is((play('resume', '--progress', 'plain'))[0], 0, 'an input changes while nobody owns the run');
my ($ins) = locked(read_file('p.dag.lock'));
is((map { $_->[1] } grep { $_->[0] eq 'in' } @$ins)[0], undef, '... the lock has nothing of it');
like(read_file('p.dag.lock'), qr/^    - path: in\n      hash: md5\n(?!      md5)/m, '... but its name');
like((play(@run))[1], qr/\ba: running/, '... and it runs again');
is(read_file('a.out'), "7\n", '... with what there is');

my $end = time + $seconds;
my @all = shuffle map { my $s = $_; map { [$s, $_] } keys %{ $passes{$s} } } @scenes;
my $rounds = 0;
for (@all) {
    last if time > $end;
    my ($scene, $point) = @$_;
    next if $point =~ /^gc-/;
    killed_at($scene, $point, 1 + int rand $passes{$scene}{$point});
    $rounds++;
}
diag "$rounds of " . @all . ' other points, ' . (grep { $_ } values %died) . ' kinds at which somebody died';
chdir '/';
nothing_left();
done_testing();
