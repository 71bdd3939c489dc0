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

# Whole or not at all: others read it meanwhile.
sub replace { my ($file, $text) = @_;
	spew("$file.new", $text);
	rename("$file.new", $file) or die "$file: $!" }

sub lock_with { my ($pid, $kind, $path) = @_;
	my $info = "{\"pid\": $pid, \"cmd\": \"dvc repro\"}";
	$info = "[$info]" if $kind eq 'read';
	replace("$dir/.dvc/tmp/rwlock", "{\"$kind\": {\"$path\": $info}}") }

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

# While a task runs its outputs are written and what it needs is read, with DVC and without; until then it waits.
my $plain = project('in' => "1\n");
for my $r ($dir, $plain) {
	spew("$r/in", "1\n");
	spew("$r/p.yaml", "tasks: {t: {run: 'echo half > o; until test -e go; do sleep 0.02; done; echo whole > o', inputs: [in], outputs: [o]}}\n");
	my $file = $r eq $dir ? "$r/.dvc/tmp/rwlock" : "$r/.dag/rwlock";
	lock_with($$, 'write', "$r/in") if $r eq $dir;
	my $run = start($r, 'run', 'p.yaml', '--progress', 'none');
	if ($r eq $dir) {
		select undef, undef, undef, 4.5;
		ok(!-e "$r/o", 'it waits for what it needs');
		replace($file, '{}');
	}
	for (1 .. 500) { last if -e "$r/o"; select undef, undef, undef, 0.02 }
	is(slurp("$r/o"), "half\n", 'it runs');
	like(ok_dag(3, 'add of its output', $r, 'add', 'o')->{err}, qr{'\Q$r\E/o' is in use by process \d+ \(dag run, t\)}, '... is told');
	like(ok_dag(3, 'add of what it needs', $r, 'add', 'in')->{err}, qr{'\Q$r\E/in' is in use}, '... too');
	spew("$r/go", '');
	is(finish($run)->{rc}, 0, '... and ends');
	is(() = $run->{err} =~ m{^dag: t: it waits as '\Q$r\E/in' is in use by process $$ \(dvc repro\)$}mg, $r eq $dir ? 1 : 0, '... and has told once whom it waited for')
		or diag($run->{err});
	unlike(slurp($file), qr/dag run/, '... with nothing locked');
	ok_dag(0, 'then it may be added', $r, 'add', '-q', 'o');
	ok_dag(0, '... and taken out', $r, 'remove', '-q', 'o.dvc') if -e "$r/o.dvc";
}

# ... also where who started it is gone, and where somebody else has taken it over.
for my $r ($dir, $plain) {
	unlink("$r/go", "$r/o", "$r/o.dvc");
	spew("$r/in", "2\n");
	my $run = start($r, 'run', 'p.yaml', '--progress', 'none');
	wait_for('half', sub { (slurp("$r/o") // '') eq "half\n" });
	kill 'KILL', $run->{pid};
	finish($run);
	for my $who ('of a task without owner', 'of one that was taken over') {
		like(ok_dag(3, "add of an output $who", $r, 'add', 'o')->{err}, qr{'\Q$r\E/o' is in use by task `t` of run }, '... is told');
		like(ok_dag(3, 'add of what it needs', $r, 'add', 'in')->{err}, qr{'\Q$r\E/in' is in use by task `t`}, '... too');
		$run = start($r, 'resume', 'last', '--progress', 'none') if $who =~ /without/;
		select undef, undef, undef, 0.5 if $who =~ /without/;
	}
	ok(!-e "$r/o.dvc", '... and nothing is recorded');
	ok_dag(0, 'another path', $r, 'add', '-q', 'p.yaml');
	ok_dag(0, '... which is taken out', $r, 'remove', '-q', 'p.yaml.dvc');
	spew("$r/go", '');
	is(finish($run)->{rc}, 0, '... and it ends') or diag("$run->{out}$run->{err}");
	ok_dag(0, 'then it may be added', $r, 'add', '-q', 'o');
	is(slurp("$r/o"), "whole\n", '... whole');
}
done_testing();
