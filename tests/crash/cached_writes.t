#!/usr/bin/perl
# Runs with caching, of a DAG file and of a dvc.yaml, killed before each call of the C library that
# changes what is on the disk: a write to the database, an object, an output, the lock, .gitignore.
# What is to be so then is that of cached.t.
#
# DAG_WRITES: for each of the two so many calls, drawn from all of all scenes (20); 0: all of them;
# DAG_SEED.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin, "$FindBin::Bin/../fault";
use Cached;
use Crash;
use Failing;
use List::Util qw(shuffle);
use Rounds;
use Test::More;

my $most = $ENV{DAG_WRITES} // 20;
my $seed = $ENV{DAG_SEED} // time ^ $$;
srand $seed;
diag "DAG_SEED=$seed";
my $preload = preload("$ENV{DAG_BUILD}/bin/dag");

sub killed_before {
    my ($kind, $scene, $n) = @_;
    copy("$top/$scene", $here);
    unlink "$top/log";
    my ($rc, $out);
    {
        local @ENV{qw(LD_PRELOAD FAILING FAILING_LOG)} = ($preload, "change:$n:kill", "$top/log");
        ($rc, $out) = play(@run);
    }
    my @wrong = map { "after it: $_" } after_kill_wrong($scene);
    push @wrong, "it ended as $rc: $out" if $rc != 137 && $rc != 0;
    push @wrong, end_wrong($scene);
    is(join("\n", @wrong), '', "$kind, $scene, killed before change $n ($rc)");
    return $rc == 137;
}

for my $kind (qw(native stages)) {
    begin($kind);
    make_scenes();
    my @all;
    for my $scene (@scenes) {
        unlink "$top/log";
        undisturbed($scene, LD_PRELOAD => $preload, FAILING_LOG => "$top/log");
        my %n = counts(read_file("$top/log"));
        cmp_ok($n{change} // 0, '>', 20, "$kind, $scene: " . ($n{change} // 0) . ' changes of the disk are seen');
        push @all, map { [$scene, $_] } 1 .. $n{change} // 0;
    }
    my @chosen = $most ? (shuffle @all)[0 .. $most - 1] : @all;
    my $died = grep { killed_before($kind, @$_) } @chosen;
    cmp_ok($died, '>', @chosen / 2, "$kind: $died of " . @chosen . ' died, of ' . @all . ' changes');
}
chdir '/';
nothing_left();
done_testing();
