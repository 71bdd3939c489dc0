#!/usr/bin/perl
# Paths that DVC keeps for a stage that it runs, without the lock of the repository: nobody writes
# them, and who has them is told.
use strict;
use warnings;
use File::Basename qw(dirname);
use lib dirname(__FILE__);
use Cli;
use Test::More;

my $dir = project('a' => "a1\n", 'd/x' => "x1\n", 'free' => "f1\n");
mkdir "$dir/.dvc";
spew("$dir/.dvc/config", '');
ok_dag(0, 'add', $dir, 'add', '-q', 'a', 'd', 'free');

sub lock_with { my ($pid, $kind, $path) = @_;
	my $info = "{\"pid\": $pid, \"cmd\": \"dvc repro\"}";
	$info = "[$info]" if $kind eq 'read';
	spew("$dir/.dvc/tmp/rwlock", "{\"$kind\": {\"$path\": $info}}") }

for my $kind ('write', 'read') {
	lock_with($$, $kind, "$dir/d");
	spew("$dir/d/x", "x2\n");
	my @verbs = (['add', 'd'], ['add', 'd/x'], ['commit', '-f', 'd'], ['checkout', '-f', 'd'], ['move', 'd', 'e'],
		['remove', '--outs', '-f', 'd']);
	for my $verb (@verbs) {
		like(ok_dag(3, "$kind: @$verb", $dir, @$verb)->{err}, qr{'\Q$dir\E/d(?:/x)?' is in use by process $$ \(dvc repro\)}, '... is told');
		ok(-e "$dir/d.dvc" && slurp("$dir/d/x") eq "x2\n", '... and nothing is done');
	}
	ok_dag(0, 'what is only looked at', $dir, 'status');
	ok_dag(0, 'another path', $dir, 'commit', '-f', 'free');
}
my $pid = fork // die 'fork';
exit 0 if $pid == 0;
waitpid($pid, 0);
lock_with($pid, 'write', "$dir/d");
ok_dag(0, 'somebody dead', $dir, 'commit', '-f', 'd');
done_testing();
