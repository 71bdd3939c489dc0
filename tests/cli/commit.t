#!/usr/bin/perl
# dag commit: what has changed is recorded, when that was meant.
use strict;
use warnings;
use File::Basename qw(dirname);
use lib dirname(__FILE__);
use Cli;
use Digest::MD5 qw(md5_hex);
use Test::More;

my $dir = project('a' => "a1\n", 'b' => "b1\n", 'd/x' => "x1\n", 'd/y' => "y1\n");
system('git', 'init', '-q', $dir) == 0 or die 'git';
sub object { my ($text) = @_; my $h = md5_hex($text); return "$dir/.dag/cache/files/md5/" . substr($h, 0, 2) . '/' . substr($h, 2) }
ok_dag(0, 'add', $dir, 'add', '-q', 'a', 'b', 'd');
is(ok_dag(0, 'nothing to do', $dir, 'commit')->{out}, "nothing has changed\n", '... says so');

spew("$dir/a", "a2\n");
spew("$dir/d/x", "x2\n");
my $pointer = slurp("$dir/a.dvc");
my $p = ok_dag(1, 'without a terminal', $dir, 'commit');
is($p->{err}, "dag: error: these have changed, and nobody can be asked whether that is to be recorded (--force records it):\n  a\n  d\n",
	'... it is refused, with what has changed');
is(slurp("$dir/a.dvc"), $pointer, '... and nothing recorded');
ok(!-e object("a2\n"), '... not even in the cache');
is(ok_dag(0, 'by force', $dir, 'commit', '-f', 'a')->{out}, "a  3 B\nto track this with git:  git add a.dvc\n", 'one of them');
is(slurp("$dir/a.dvc"), "outs:\n- md5: " . md5_hex("a2\n") . "\n  size: 3\n  hash: md5\n  path: a\n", '... is recorded');
ok(-e object("a2\n"), '... and in the cache');
ok(!-e object("x2\n"), '... the other is not');

# A part of a directory.
spew("$dir/d/y", "y2\n");
ok_dag(0, 'a part', $dir, 'commit', '-f', 'd/x');
ok(-e object("x2\n") && !-e object("y2\n"), '... of the directory');
like(ok_dag(0, 'the rest', $dir, 'status')->{out}, qr/modified:           d$/m, '... is to be recorded still');
ok_dag(0, 'all', $dir, 'commit', '-f');
ok_dag(0, 'now', $dir, 'status', '-q');

# What is recorded but not in the cache needs no force.
spew("$dir/later", "later\n");
ok_dag(0, 'add --no-commit', $dir, 'add', '-q', '--no-commit', 'later');
is(ok_dag(0, 'commit', $dir, 'commit')->{out}, "later  6 B, unchanged\n", 'into the cache');
ok(-e object("later\n"), '... it is');

# What is not there is named; the rest is recorded.
unlink "$dir/b";
spew("$dir/a", "a3\n");
$p = ok_dag(1, 'one is gone', $dir, 'commit', '-f');
is($p->{err}, "dag: error: 'b' does not exist\n", '... is named');
is($p->{out}, "a  3 B\nto track this with git:  git add a.dvc\n", '... and the other recorded');
like(slurp("$dir/b.dvc"), qr/@{[md5_hex("b1\n")]}/, '... its pointer is as it was');
ok_dag(0, 'brought back', $dir, 'checkout', 'b');

# An executable.
chmod 0755, "$dir/a";
ok_dag(0, 'executable now', $dir, 'commit', '-f', 'a');
like(slurp("$dir/a.dvc"), qr/isexec: true/, '... is recorded');
unlink "$dir/a";
ok_dag(0, 'made anew', $dir, 'checkout', 'a');
ok(-x "$dir/a", '... executable again');

# Comments and order of a pointer that somebody has written stay.
spew("$dir/b.dvc", "# mine\nouts:\n  - path: b   # the file\n    md5: " . md5_hex("b1\n") . "\n    hash: md5\nmeta: {k: v}\n");
spew("$dir/b", "b2\n");
ok_dag(0, 'by hand', $dir, 'commit', '-f', 'b');
like(slurp("$dir/b.dvc"), qr/\A# mine\nouts:\n.*path: b .*# the file\n.*md5: @{[md5_hex("b2\n")]}\n.*meta: \{k: v\}\n\z/s, '... all is there');

# A pointer without a hash, two outs in one pointer, one of them not for the cache.
spew("$dir/p", "p\n");
spew("$dir/q", "q\n");
spew("$dir/two.dvc", "outs:\n- path: p\n- path: q\n  cache: false\n");
is(ok_dag(0, 'without hashes', $dir, 'status')->{out}, "two.dvc:\n\tchanged outs:\n\t\tmodified:           p\n\t\tmodified:           q\n", '... they have changed');
ok_dag(0, 'both', $dir, 'commit', '-f', 'two.dvc');
is(slurp("$dir/two.dvc"), "outs:\n- path: p\n  md5: @{[md5_hex(qq(p\n))]}\n  size: 2\n  hash: md5\n- path: q\n  cache: false\n  md5: @{[md5_hex(qq(q\n))]}\n  size: 2\n  hash: md5\n",
	'are recorded in one file') or diag(slurp("$dir/two.dvc"));
ok(-e object("p\n") && !-e object("q\n"), '... one of them in the cache');
ok_dag(0, 'all is right', $dir, 'status', '-q');

# Outputs of stages.
spew("$dir/dvc.yaml", "stages:\n  make:\n    cmd: make\n    outs:\n    - made\n    - plain:\n        cache: false\n");
spew("$dir/made", "m1\n");
spew("$dir/plain", "n1\n");
# A stage is recorded whole, as if it had just run: what it depends on, what it is, what it makes.
sub entry { my ($made, $plain) = @_; return "schema: '2.0'\nstages:\n  make:\n    cmd: make\n    outs:\n    - path: made\n      hash: md5\n      md5: @{[md5_hex($made)]}\n      size: 3\n"
	. "    - path: plain\n      hash: md5\n      md5: @{[md5_hex($plain)]}\n      size: 3\n" }
is((split /to track/, ok_dag(0, 'one that never ran', $dir, 'commit', '-f', 'made')->{out})[0], "stage 'make'\n", '... is told');
is(slurp("$dir/dvc.lock"), entry("m1\n", "n1\n"), '... and recorded in dvc.lock');
ok(-e object("m1\n"), '... and in the cache');
ok(!-e object("n1\n"), '... but not what git is to have');
like(slurp("$dir/.gitignore"), qr/^\/made$/m, '... which ignores the one');
unlike(slurp("$dir/.gitignore"), qr/plain/, '... and not the other');
is(ok_dag(0, 'nothing new', $dir, 'commit', 'made')->{out}, "nothing has changed\n", '... is said');
spew("$dir/plain", "n3\n");
my $asked = ok_dag(1, 'without a terminal', $dir, 'commit', 'made');
like($asked->{err}, qr/these have changed.*\n\s*stage 'make' of dvc\.yaml$/s, '... what has changed is named');
is(slurp("$dir/dvc.lock"), entry("m1\n", "n1\n"), '... and not recorded');
ok_dag(0, 'by its name', $dir, 'commit', '-f', 'make');
is(slurp("$dir/dvc.lock"), entry("m1\n", "n3\n"), '... and recorded');
spew("$dir/dvc.yaml", slurp("$dir/dvc.yaml") =~ s/cmd: make/cmd: make all/r);
ok_dag(0, 'another command', $dir, 'commit', '-f');
like(slurp("$dir/dvc.lock"), qr/cmd: make all/, '... is recorded');
unlink "$dir/made";
like(ok_dag(1, 'an output that is not there', $dir, 'commit', '-f', 'made', 'plain')->{err}, qr/'made' does not exist/, '... is named');
spew("$dir/made", "m1\n");

# Asking, on a terminal.
spew("$dir/a", "a4\n");
for (['n', "a3\n", 1], ['y', "a4\n", 0]) {
	my ($key, $text, $rc) = @$_;
	my $q = pty($dir, ['--expect', 'record them? [y/N] ', '--send', "$key\\n"], 'commit', 'a');
	is($q->{rc}, $rc, "answered with $key") or diag($q->{out});
	like($q->{out}, qr/these have changed:\s+a\s/, '... what has changed was shown');
	like(slurp("$dir/a.dvc"), qr/@{[md5_hex($text)]}/, '... and ' . ($rc ? 'not ' : '') . 'recorded');
}
# A stage without outputs, and all stages that foreach makes of one.
{
	my $r = "$dir/stages";
	mkdir $r;
	system('git', 'init', '-q', $r);
	spew("$r/in", "1\n");
	spew("$r/dvc.yaml", "stages:\n  bare: {cmd: cat in, deps: [in]}\n  many:\n    foreach: [a, b]\n    do: {cmd: x, deps: [in], outs: ['o\${item}']}\n");
	spew("$r/o$_", $_) for 'a', 'b';
	ok_dag(0, 'a stage without outputs', $r, 'commit', '-f', 'bare');
	is(join(' ', slurp("$r/dvc.lock") =~ /^  (\S+):$/mg), 'bare', '... is recorded alone');
	ok_dag(0, 'the name before the @', $r, 'commit', '-f', 'many');
	is(join(' ', slurp("$r/dvc.lock") =~ /^  (\S+):$/mg), 'bare many@a many@b', '... means all of them');
	spew("$r/in", "2\n");
	like(ok_dag(0, 'status of it', $r, 'status', 'bare')->{out}, qr/\Abare:\n\tchanged deps:\n\t\tmodified: +in\n\z/, '... tells what changed');
}

done_testing();
