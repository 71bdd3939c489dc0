#!/usr/bin/perl
# A world that goes wrong is reproduced by its number, and cut down to what it takes to go wrong.
use strict;
use warnings;
use Test::More;

my $sim = "$ENV{DAG_BUILD}/tests/sim";

sub run {
	my $out = `$sim @_ 2>&1`;
	return ($out, $? >> 8);
}

# Number of a planted defect, and the seed that finds it.
sub found {
	my ($name) = @_;
	my ($out) = run("--mutants --seeds 1 10000 --tasks 200");
	my ($n, $seed) = $out =~ /^\s*(\d+) \Q$name\E\s+(\d+)/m or die "no $name in:\n$out";
	return ($n, $seed);
}

my ($out, $rc) = run('--shrink 1');
is($rc, 0, 'a world in which nothing goes wrong is not cut down');
like($out, qr/nothing is wrong with seed 1/, '... and that is said');

my ($n, $seed) = found('RETRY_CLOCK');
my ($told, $told_rc) = run("--mutant $n --tell $seed");
is($told_rc, 1, 'a world goes wrong with a planted defect');
is((run("--mutant $n --tell $seed"))[0], $told, '... the same way again by its number');
is((run("--tell $seed"))[1], 0, '... and without the defect it does not');

($out, $rc) = run("--mutant $n --shrink $seed");
is($rc, 1, 'it is cut down');
my ($tasks, $runs) = $out =~ /^world of seed $seed: (\d+) tasks, (\d+) runs/m;
cmp_ok(($tasks // 99) + ($runs // 99), '<=', 4, '... to a task or two, of a run or two');
my ($faults) = $out =~ /faults to (\d+);/;
cmp_ok($faults // 99, '<=', 4, '... and the faults that it takes');
like($out, qr/FAULT: clock set/, '... the history has the clock that was set');
like($out, qr/WRONG: .* waits \d+ us for its next try/, '... and ends with what is wrong');
cmp_ok(scalar(split /\n/, $out), '<', 60, '... within a page');
is((run("--mutant $n --shrink $seed"))[0], $out, '... the same way again');
done_testing();
