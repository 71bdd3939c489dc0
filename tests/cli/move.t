#!/usr/bin/perl
# dag move: data, pointer and .gitignore together.
use strict;
use warnings;
use File::Basename qw(dirname);
use lib dirname(__FILE__);
use Cli;
use Digest::MD5 qw(md5_hex);
use Test::More;

my $dir = project('a' => "a1\n", 'b' => "b1\n", 'd/x' => "x1\n", 'c' => "c1\n", 's/keep' => '');
system('git', 'init', '-q', $dir) == 0 or die 'git';
spew("$dir/.gitignore", "x\n");
ok_dag(0, 'add', $dir, 'add', '-q', 'a', 'b', 'c', 'd');
sub pointer { my ($text, $path) = @_; return "outs:\n- md5: " . md5_hex($text) . "\n  size: " . length($text) . "\n  hash: md5\n  path: $path\n" }

is(ok_dag(0, 'another name', $dir, 'move', 'a', 'z')->{out}, "a is z now\nto track this with git:  git add z.dvc a.dvc .gitignore\n", 'is told');
is(slurp("$dir/z"), "a1\n", 'the data');
ok(!-e "$dir/$_", "$_ is gone") for 'a', 'a.dvc';
is(slurp("$dir/z.dvc"), pointer("a1\n", 'z'), 'the pointer');
is(slurp("$dir/.gitignore"), "x\n/b\n/c\n/d\n/z\n", '.gitignore');
ok_dag(0, 'into a directory', $dir, 'move', '-q', 'b', 's');
is(slurp("$dir/s/b.dvc"), pointer("b1\n", 'b'), '... its pointer, the same text');
is(slurp("$dir/s/b"), "b1\n", '... the data');
is(slurp("$dir/s/.gitignore"), "/b\n", '... ignored there');
ok(!-e "$dir/b.dvc", '... and not here');
ok_dag(0, 'from where we are', "$dir/s", 'move', '-q', '../d', 'e');
is(slurp("$dir/s/e/x"), "x1\n", '... a directory');
like(slurp("$dir/s/e.dvc"), qr/nfiles: 1\n  hash: md5\n  path: e\n\z/, '... and its pointer');
ok_dag(0, 'back', "$dir/s", 'move', '-q', 'e', '..');
ok(-e "$dir/e/x" && -e "$dir/e.dvc", '... up');
ok_dag(0, 'all is right', $dir, 'status', '-q');
ok_dag(0, 'checkout', $dir, 'checkout');
ok(-e "$dir/$_", "... leaves $_") for 'z', 's/b', 'e/x';

# What has changed is kept as it is.
spew("$dir/z", "a2, in no cache\n");
ok_dag(0, 'changed data', $dir, 'move', '-q', 'z', 'y');
is(slurp("$dir/y"), "a2, in no cache\n", '... is moved');
is(slurp("$dir/y.dvc"), pointer("a1\n", 'y'), '... what was recorded, too');
unlink "$dir/y";
like(ok_dag(0, 'data that is not here', $dir, 'move', 'y', 'z')->{out}, qr/^y is z now; the data is not here$/m, '... is told');
ok_dag(0, 'and comes', $dir, 'checkout', 'z');
is(slurp("$dir/z"), "a1\n", '... under its new name');

# What is refused, and nothing done.
spew("$dir/free", "free\n");
spew("$dir/other.dvc", "outs:\n- path: o\n");
my @no = (
	['an untracked path', 2, qr/'free' is not tracked/, 'free', 'x'],
	['a wrong name', 2, qr/did you mean 's\/b'/, 's/bb', 'x'],
	['a pointer', 2, qr/'z.dvc' is a pointer: name the data, 'z'/, 'z.dvc', 'x'],
	['a part', 2, qr/'e\/x' lies in 'e'/, 'e/x', 'x'],
	['a name that is taken', 2, qr/'free' is there already/, 'z', 'free'],
	['a name that is tracked', 2, qr/'c' is there already/, 'z', 'c'],
	['a pointer in the way', 2, qr/'other.dvc' is there already/, 'z', 'other'],
	['its own name', 2, qr/'z' has that name/, 'z', 'z'],
	['into itself', 2, qr/lies in 'e', which is tracked/, 'e', 'e/sub'],
	['outside', 2, qr/outside/, 'z', '../z'],
	['into .dag', 2, qr/lies in '.dag'/, 'z', '.dag/z'],
	['a directory that is not there', undef, qr/cannot move to 'nn'/, 'z', 'nn/z'],
);
for (@no) {
	my ($name, $rc, $want, @words) = @$_;
	my $p = dag_in($dir, 'move', @words);
	ok($p->{rc} != 0 && (!defined $rc || $p->{rc} == $rc), $name) or diag("$p->{rc} $p->{err}");
	like($p->{err}, $want, '... says why');
}
ok_dag(0, 'it is as it was', $dir, 'status', '-q', 'z', 'c', 's/b', 'e');
is(slurp("$dir/free"), "free\n", '... nothing was overwritten');

# A pointer of another name stays; comments stay.
spew("$dir/p.dvc", "# mine\nouts:\n- path: s/q   # q\n  md5: @{[md5_hex(qq(q\n))]}\n  hash: md5\n");
spew("$dir/s/q", "q\n");
ok_dag(0, 'of another name', $dir, 'move', '-q', 's/q', 'r');
is(slurp("$dir/p.dvc"), "# mine\nouts:\n- path: r     # q\n  md5: @{[md5_hex(qq(q\n))]}\n  hash: md5\n", '... has its comments');
is(slurp("$dir/r"), "q\n", '... the data is there');

# Interrupted when the new pointer was written: the same command goes on.
spew("$dir/w.dvc", pointer("c1\n", 'w'));
ok_dag(0, 'begun before', $dir, 'move', '-q', 'c', 'w');
is(slurp("$dir/w"), "c1\n", '... the data has moved');
ok(!-e "$dir/c.dvc" && !-e "$dir/c", '... the old pointer is gone');
spew("$dir/c.dvc", pointer("c1\n", 'c'));
ok_dag(0, 'begun, and the data moved', $dir, 'move', '-q', 'c', 'w');
ok(!-e "$dir/c.dvc" && -e "$dir/w", '... goes on as well');

# An import: its source is seen from where the pointer lies, and the hash of what the file says is
# what DVC computes.
spew("$dir/f", "1\n");
spew("$dir/f.dvc", "md5: 43d981cae44a8a80a41784c7d97ebd0c\nfrozen: true\ndeps:\n- md5: b026324c6904b2a9cb4b88d6d61c81d1\n  size: 2\n  hash: md5\n  path: ../ext/f\n"
	. "outs:\n- md5: b026324c6904b2a9cb4b88d6d61c81d1\n  size: 2\n  hash: md5\n  path: f\n");
mkdir "$dir/n n";
ok_dag(0, 'an import', $dir, 'move', '-q', 'f', 'n n/f#');
is(slurp("$dir/n n/f#.dvc"), "md5: 24957c41c74b80494bfa53b72268e0fc\nfrozen: true\ndeps:\n- md5: b026324c6904b2a9cb4b88d6d61c81d1\n  size: 2\n  hash: md5\n  path: ../../ext/f\n"
	. "outs:\n- md5: b026324c6904b2a9cb4b88d6d61c81d1\n  size: 2\n  hash: md5\n  path: f#\n", '... names its source and itself');
is(slurp("$dir/n n/.gitignore"), "/f\\#\n", '... is ignored');
done_testing();
