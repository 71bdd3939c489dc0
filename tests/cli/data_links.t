#!/usr/bin/perl
# Inputs and outputs of tasks that are tracked: what is not there, and links into the cache.
use strict;
use warnings;
use Cwd qw(abs_path);
use Digest::MD5 qw(md5_hex);
use File::Basename qw(dirname);
use File::Path qw(make_path remove_tree);
use File::Temp qw(tempdir);
use lib dirname(__FILE__);
use Cli;
use Test::More;

my $base = -w '/dev/shm' ? '/dev/shm' : undef;
my $top = abs_path(tempdir('dag-links-XXXXXX', defined $base ? (DIR => $base) : (TMPDIR => 1), CLEANUP => 1));
my $r = "$top/r";
$ENV{HOME} = "$top/home";
$ENV{XDG_CONFIG_HOME} = "$top/home/.config";
$ENV{XDG_CONFIG_DIRS} = "$top/etc";
make_path("$top/home");

sub object { my ($text) = @_; my $hex = md5_hex($text); return "$r/.dag/cache/files/md5/" . substr($hex, 0, 2) . '/' . substr($hex, 2) }
sub pipe_of { my ($name, $keys) = @_; spew("$r/$name.yaml", "tasks:\n  t: {$keys}\n") }

# Every object is what its name says.
sub cache_is_whole {
	my ($name) = @_;
	my @wrong = grep { /\/(..)\/([0-9a-f]{30})(?:\.dir)?\z/ && md5_hex(slurp($_)) ne "$1$2" } glob("$r/.dag/cache/files/md5/*/*");
	is("@wrong", '', $name);
}

# A repository whose files are links of that type.
sub repository {
	my ($type) = @_;
	system('chmod', '-R', 'u+w', $r) if -d $r;
	remove_tree($r);
	make_path("$r/.dag");
	spew("$r/$_->[0]", $_->[1]) for ['one', "one\n"], ['d/a.csv', "a\n"], ['d/s/b.csv', "b\n"], ['mine', "mine\n"];
	ok_dag(0, "cache.type $type", $r, 'config', 'cache.type', $type);
	ok_dag(0, 'add', $r, 'add', '-q', 'one', 'd');
	is(-l "$r/one" ? 'symlink' : (stat "$r/one")[3] > 1 ? 'hardlink' : 'copy', $type, '... makes such links');
}

for my $type ('copy', 'hardlink', 'symlink') {
	repository($type);
	my %tracked = (one => "one\n", 'd/a.csv' => "a\n");

	# An output is removed before the attempt, so nobody writes into the cache.
	pipe_of('anew', 'outputs: one, run: echo new > one');
	ok_dag(0, "an output is made anew", $r, 'run', 'anew.yaml');
	is(slurp("$r/one"), "new\n", '... it is');
	cache_is_whole('... and no object was written');
	like(slurp("$r/one.dvc"), qr/@{[md5_hex("one\n")]}/, '... its pointer stays as it was');
	like(dag_in($r, 'status')->{out}, qr/modified:\s+one/, '... and status tells the change');

	# One that stays in place becomes a file of its own.
	ok_dag(0, 'checkout', $r, 'checkout', '-q', '-f', 'one');
	pipe_of('append', 'outputs: [one, d], persist: true, run: echo more >> one; echo more >> d/s/b.csv; echo c > d/c.csv');
	ok_dag(0, 'outputs are changed in place', $r, 'run', 'append.yaml');
	is(slurp("$r/one") . slurp("$r/d/s/b.csv"), "one\nmore\nb\nmore\n", '... they are');
	cache_is_whole('... and no object was written');
	is(-l "$r/one" ? 'symlink' : (stat "$r/one")[3] > 1 ? 'hardlink' : 'copy', $type, '... and are linked from the cache again');
	is(sprintf('%04o', (lstat "$r/one")[2] & 0222), '0200', '... a copy can be written') if $type eq 'copy';
	is(scalar(() = glob("$r/.dag-*.tmp $r/d/.dag-*.tmp $r/d/s/.*.tmp")), 0, '... and nothing is left beside them');

	# Also one that somebody has made writable, which makes the object so.
	ok_dag(0, 'checkout', $r, 'checkout', '-q', '-f', 'one');
	chmod(0644, "$r/one") or die $!;
	pipe_of('one', 'outputs: one, persist: true, run: echo more >> one');
	ok_dag(0, 'a link that was made writable', $r, 'run', 'one.yaml');
	is(slurp("$r/one"), "one\nmore\n", '... is changed');
	cache_is_whole('... and no object was written');

	# A whole directory that is tracked is removed if the cache has it, else it stays.
	unlink "$r/d/s/b.csv", "$r/d/c.csv";
	spew("$r/d/s/b.csv", "b\nby hand\n");
	spew("$r/d/c.csv", "by hand\n");
	pipe_of('dir', 'outputs: d, run: mkdir d; echo new > d/a.csv');
	my $p = ok_dag(1, 'a directory with work that is nowhere else', $r, 'run', 'dir.yaml');
	like($p->{out}, qr/its output `d` is tracked \(d\.dvc\) and is not removed, as the cache does not have `d\/(?:c\.csv|s\/b\.csv)` and more: 'dag add d' keeps it/, '... is refused by name');
	is(slurp("$r/d/s/b.csv"), "b\nby hand\n", '... and stays');
	ok_dag(0, 'checkout', $r, 'checkout', '-q', '-f', 'd');
	is(slurp("$r/d/s/b.csv"), "b\n", '... is right again');
	ok_dag(0, 'one that the cache has', $r, 'run', 'dir.yaml');
	is(join(' ', map { s/^\Q$r\E\///r } glob("$r/d/*")), 'd/a.csv', '... is made anew');
	cache_is_whole('... and no object was written');
	ok_dag(0, '... what was there comes back', $r, 'checkout', '-q', '-f', 'd');
	is(slurp("$r/d/s/b.csv"), "b\n", '... whole');
}

# Links of the user's own are left alone.
symlink('mine', "$r/latest") or die $!;
link("$r/mine", "$r/also") or die $!;
pipe_of('own', 'outputs: [latest, also], persist: true, run: echo more >> latest');
ok_dag(0, "a user's own links", $r, 'run', 'own.yaml');
is(readlink("$r/latest"), 'mine', '... are links still');
is(slurp("$r/also"), "mine\nmore\n", '... and written through');

# Of a link whose object is gone there is nothing to change in place.
ok_dag(0, 'checkout', $r, 'checkout', '-q', '-f', 'one');
rename(object("one\n"), "$top/one.away") or die $!;
like(ok_dag(1, 'a link that leads nowhere', $r, 'run', 'append.yaml')->{out},
	qr/its output `one` leads to an object that the cache does not have: 'dag pull one' brings it/, '... is named with the way out');
# ... nor to read.
pipe_of('reads', 'inputs: one, run: cat one');
like(ok_dag(1, 'as an input', $r, 'run', 'reads.yaml')->{out},
	qr/its input `one` is tracked \(one\.dvc\), but not here: 'dag pull one' brings it, or a task of type pull that comes before this one/, '... too');
rename("$top/one.away", object("one\n")) or die $!;
ok_dag(0, 'with its object', $r, 'run', 'reads.yaml');

# What is tracked and not there.
remove_tree("$r/d");
for (['d', 'd', 'd'], ['d/a.csv', 'd/a.csv', 'd'], ['d/s', 'd/s', 'd']) {
	my ($input, $pull) = @$_;
	pipe_of('reads', "inputs: $input, run: 'true'");
	like(ok_dag(1, "the input $input is not there", $r, 'run', 'reads.yaml')->{out},
		qr/its input `\Q$input\E` is tracked \(d\.dvc\), but not here: 'dag pull \Q$pull\E' brings it, or a task of type pull /, '... is tracked');
}
for ('d/*.csv', '*/s/b.csv', '**/a.csv') {
	pipe_of('reads', "inputs: '$_', run: 'true'");
	like(ok_dag(1, "nothing matches $_", $r, 'run', 'reads.yaml')->{out},
		qr/no file matches the input `\Q$_\E`, as `d`, which is tracked \(d\.dvc\), is not here: 'dag pull d' brings it/, '... for what is tracked is not there');
}
pipe_of('reads', "inputs: e/a.csv, run: 'true'");
like(ok_dag(1, 'what nobody tracks', $r, 'run', 'reads.yaml')->{out}, qr/its input `e\/a\.csv` does not exist$/m, '... does not exist');
# Pointers that cannot be read do not hide what is wrong.
spew("$r/broken.dvc", "outs: [");
pipe_of('reads', "inputs: d/a.csv, run: 'true'");
like(ok_dag(1, 'with a broken pointer', $r, 'run', 'reads.yaml')->{out}, qr/its input `d\/a\.csv` does not exist$/m, '... it does not exist');

done_testing();
