#!/usr/bin/perl
# dag doctor: what it looks at, and what it says when something is bad.
use strict;
use warnings;
use File::Basename qw(dirname);
use lib dirname(__FILE__);
use Cli;
use JSON::PP;
use Test::More;

my $dir = project('a.yaml' => "tasks: {a: {run: 'true'}}\n");
rmdir "$dir/.dag";
my $p = ok_dag(0, 'a fresh directory', $dir, 'doctor');
like($p->{out}, qr/^$_ +(?:ok|warning) /m, $_) for 'dag', 'libraries', 'dag-shim', 'pidfd', 'openat2',
	'open files', 'processors', 'files', 'database';
ok(!-e "$dir/.dag", 'nothing is made');
unlike($p->{out}, qr/ bad /, 'nothing is bad');

ok_dag(0, 'a run', $dir, 'run', 'a');
my $j = decode_json(ok_dag(0, 'as JSON', $dir, 'doctor', '--json', '--full')->{out});
is((grep { $_->{grade} eq 'bad' } @$j), 0, 'all is well');
my %f = map { $_->{what} => $_ } @$j;
like($f{database}{text}, qr/is sound \(checked whole\)/, 'the database was looked at');
like($f{runs}{text}, qr/none is interrupted/, 'and the runs');

SKIP: {
	skip 'only test builds look elsewhere', 2 unless -e build() . '/tests/ptyrun';
	local $ENV{DAG_LIBEXEC} = "$dir/nowhere";
	$p = dag_in($dir, 'doctor');
	skip 'this build does not', 2 if $p->{out} =~ /^dag-shim +ok/m;
	is($p->{rc}, 3, 'without its helper: status 3');
	like($p->{out}, qr/^dag-shim +bad .*nowhere/m, '... and where it was sought');
}

# A damaged database is told, not used.
open(my $db, '+<', "$dir/.dag/dag.db") or die;
seek($db, 0, 0);
print $db 'This is no database.' x 10;
close($db);
unlink "$dir/.dag/dag.db-wal", "$dir/.dag/dag.db-shm";
$p = dag_in($dir, 'doctor');
is($p->{rc}, 3, 'a damaged database is status 3');
like($p->{out}, qr/^database +bad /m, '... and is named');
is((dag($dir, $_))[0], 3, "dag $_ refuses it") for 'runs', 'list';
done_testing();
