#!/usr/bin/perl
# dag add --out and --to-remote: data that lies elsewhere is tracked, its source forgotten.
use strict;
use warnings;
use File::Basename qw(dirname);
use lib dirname(__FILE__);
use Cli;
use Digest::MD5 qw(md5_hex);
use Test::More;
use Web;

my $dir = project('s/keep' => '', 'mine' => "mine\n", 'big' => "big\n");
my $ext = project('f' => "one\n", 'd/a' => "a\n", 'd/sub/b' => "b\n");
my $url = web(project('a.txt' => "hello\n"));
system('git', 'init', '-q', $dir) == 0 or die 'git';
ok_dag(0, 'a remote', $dir, 'remote', 'add', '-q', '-d', 'store', "$ext/store");
sub pointer { my ($text, $path) = @_; return "outs:\n- md5: " . md5_hex($text) . "\n  size: " . length($text) . "\n  hash: md5\n  path: $path\n" }
sub object { my $md5 = md5_hex($_[0]); return "files/md5/" . substr($md5, 0, 2) . '/' . substr($md5, 2) }

is(ok_dag(0, '--out', $dir, 'add', "$ext/f", '-o', 'o1')->{out}, "o1  4 B\nto track this with git:  git add o1.dvc .gitignore\n", 'is told');
is(slurp("$dir/o1"), "one\n", '... copied');
is(slurp("$dir/o1.dvc"), pointer("one\n", 'o1'), '... and tracked, as if it had been here');
is(slurp("$dir/.gitignore"), "/o1\n", '... ignored');
ok_dag(0, 'into a directory', $dir, 'add', '-q', "$ext/d", '-o', 's');
is(slurp("$dir/s/d/sub/b"), "b\n", '... a directory');
ok_dag(0, 'of a web server', $dir, 'add', '-q', "$url/a.txt", '-o', 'w');
is(slurp("$dir/w.dvc"), pointer("hello\n", 'w'), '... its file');
ok_dag(0, 'of the project', $dir, 'add', '-q', 'mine', '-o', 'copy');
is(slurp("$dir/copy"), "mine\n", '... a copy');
ok(!-e "$dir/mine.dvc", '... and only that');
ok_dag(0, 'all is right', $dir, 'status', '-q');

ok_dag(0, '--to-remote', $dir, 'add', '-q', '--to-remote', "$ext/f", '-o', 'far');
ok(!-e "$dir/far", '... not here');
is(slurp("$ext/store/" . object("one\n")), "one\n", '... but there');
is(slurp("$dir/far.dvc"), pointer("one\n", 'far'), '... and in its pointer');
ok_dag(0, 'what lies here', $dir, 'add', '-q', '--to-remote', 'big');
is(slurp("$dir/big"), "big\n", '... stays');
is(slurp("$ext/store/" . object("big\n")), "big\n", '... and is on the remote');
ok(!-e "$dir/.dag/cache/" . object("big\n"), '... not in the cache');
is(slurp("$dir/big.dvc"), pointer("big\n", 'big'), '... tracked where it lies');
ok_dag(0, 'again', $dir, 'add', '-q', '--to-remote', 'big');

spew("$dir/free", "free\n");
my @no = (
	['two', qr/--out is for one PATH, not for 2/, "$ext/f", "$ext/d", '-o', 'n'],
	['--remote alone', qr/goes with it only/, '-r', 'store', "$ext/f"],
	['--no-commit', qr/does not go with --no-commit/, '--no-commit', "$ext/f", '-o', 'n'],
	['--glob', qr/does not go with --glob/, '--glob', '--to-remote', 'b*'],
	['what is there', qr/'free' is there already: --force/, "$ext/f", '-o', 'free'],
	['what is not', qr/'\Q$ext\E\/nope' does not exist/, "$ext/nope", '-o', 'n'],
	['outside', qr/outside of the project/, "$ext/f", '-o', "$ext/n"],
	['no such remote', qr/nope/, '--to-remote', '-r', 'nope', "$ext/f"],
	['its own place', qr/are one/, '-f', 'free', '-o', 'free'],
);
my $before = `cd $dir && find . -name .dag -prune -o -type f -printf '%p %s\n' | sort`;
for my $c (@no) {
	my ($what, $re, @args) = @$c;
	my $r = finish(start($dir, 'add', @args));
	is($r->{rc}, 2, "$what: exit 2");
	like($r->{err}, $re, "$what: is said");
}
is(`cd $dir && find . -name .dag -prune -o -type f -printf '%p %s\n' | sort`, $before, 'nothing of that has done anything');
ok_dag(0, '--force', $dir, 'add', '-q', '-f', "$ext/f", '-o', 'free');
is(slurp("$dir/free"), "one\n", '... replaces');
done_testing();
