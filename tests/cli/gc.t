#!/usr/bin/perl
# dag gc: what it refuses, what goes and what stays, and what it says of it.
use strict;
use warnings;
use File::Basename qw(dirname);
use lib dirname(__FILE__);
use Cli;
use JSON::PP;
use Test::More;

my $dir = project('a.yaml' => "tasks: {a: {run: echo hi}}\n", 'b.yaml' => "tasks: {b: {run: exit 1}}\n",
	'slow.yaml' => "tasks: {s: {run: sleep 60}}\n");

# Clear refusals.
usage($dir, 'say what is to go: dag gc --runs --keep 30d for old runs, dag gc --workspace for data that nothing names', 'gc');
usage($dir, 'say what is to go: dag gc --runs --keep 30d for old runs, dag gc --workspace for data that nothing names', 'gc', '--keep', '30d');
usage($dir, 'say what is to be kept: --keep 30d, or --keep 1000 for so many runs of each DAG', 'gc', '--runs');
usage($dir, "'$_' is neither an age (30d, 12h) nor a number of runs", 'gc', '--runs', '--keep', $_)
	for 'lots', '-1', '', '30 days', '99999999999999999999';
like(ok_dag(2, 'nothing has been run', $dir, 'gc', '--runs', '--keep', '1')->{err}, qr/nothing has been run/, '... is said');

for (1 .. 4) {
	ok_dag(0, 'a run of a', $dir, 'run', 'a');
	ok_dag(1, 'a run of b', $dir, 'run', 'b');
}
like(ok_dag(2, 'a DAG without runs', $dir, 'gc', '--runs', '--keep', '1', '--dag', 'c')->{err},
	qr/DAG 'c' has no runs/, '... is said');
sub dirs { scalar(() = glob("$dir/.dag/runs/*")) }
is(dirs(), 8, 'eight runs');
my $p = ok_dag(0, 'dry', $dir, 'gc', '--runs', '--keep', '3', '--dry-run');
like($p->{out}, qr/^a: 1 run, .* KiB, ended .*\nb: 1 run, .*\nwould delete 2 runs; .* KiB on the disk\n\z/, '... says what would go');
is(dirs(), 8, '... and deletes nothing');
like(ok_dag(0, 'all are young', $dir, 'gc', '--runs', '--keep', '1h')->{out}, qr/^nothing to delete$/, 'none is old');
ok_dag(0, 'one DAG', $dir, 'gc', '--runs', '--keep', '3', '--dag', 'b');
is(dirs(), 7, '... only that one');
my $j = decode_json(ok_dag(0, 'as JSON', $dir, 'gc', '--runs', '--keep', '2', '--json')->{out});
is("$j->{runs} $j->{busy} $j->{orphans}", '3 0 0', '... says what went');
is(join(' ', map { "$_->{dag}:$_->{runs}" } @{$j->{dags}}), 'a:2 b:1', '... by DAG');
is(dirs(), 4, '... it did');
my $runs = () = ok_dag(0, 'the history', $dir, 'runs', '--json')->{out} =~ /\n/g;
is($runs, 4, '... has the others');

# One that runs and one that was interrupted stay, whatever is asked.
my $live = start($dir, 'run', 'slow');
wait_for('it runs', sub { glob("$dir/.dag/runs/*/s.-1.1/started") });
like(ok_dag(0, 'while one runs', $dir, 'gc', '--runs', '--keep', '0s', '--last-too')->{out}, qr/deleted 4 runs/, 'all others go');
is(dirs(), 1, '... not that one');
kill 'KILL', $live->{pid};
finish($live);
$p = ok_dag(0, 'while one is interrupted', $dir, 'gc', '--runs', '--keep', '0', '--last-too');
like($p->{err}, qr/run \w+ of slow was interrupted: dag resume/, '... it is named');
is(dirs(), 1, '... and stays');
ok_dag(0, 'cancelled', $dir, 'cancel', 'last');
ok_dag(0, 'the last of its DAG', $dir, 'gc', '--runs', '--keep', '0s');
is(dirs(), 1, '... stays');
ok_dag(0, 'unless told', $dir, 'gc', '--runs', '--keep', '0s', '--last-too');
is(dirs(), 0, '... then it goes');
like(ok_dag(0, 'an empty history', $dir, 'runs')->{out}, qr/^RUN .*TASKS\n\z/, 'is no error');
ok_dag(0, 'and goes on', $dir, 'run', 'a');

# What no row knows.
mkdir "$dir/.dag/runs/018cba80-0001-7001-8000-000000000001";
like(ok_dag(0, 'an orphan', $dir, 'gc', '--runs', '--keep', '9')->{out}, qr/^1 directory of runs that are not in the database/, 'goes');
ok(!-e "$dir/.dag/runs/018cba80-0001-7001-8000-000000000001", '... it did');
ok_dag(0, 'sound', $dir, 'doctor', '--full');
done_testing();
