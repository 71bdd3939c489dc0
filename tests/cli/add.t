#!/usr/bin/perl
# dag add: what is written, in DVC's words, and what is refused before anything is.
use strict;
use warnings;
use File::Basename qw(dirname);
use File::Path qw(remove_tree);
use lib dirname(__FILE__);
use Cli;
use Digest::MD5 qw(md5_hex);
use Test::More;

my $dir = project('a.txt' => "hello\n", 'd/x' => "1\n", 'd/sub/y' => "2\n", 'd/zero' => '');
system('git', 'init', '-q', $dir) == 0 or die 'git';
mkdir "$dir/d/empty";
symlink 'x', "$dir/d/link";

sub object { my ($hex) = @_; return "$dir/.dag/cache/files/md5/" . substr($hex, 0, 2) . '/' . substr($hex, 2) }

# A file and a directory, whole.
my $p = ok_dag(0, 'add a file and a directory', $dir, 'add', 'a.txt', 'd');
is($p->{out}, "a.txt  6 B\nd/  4 files, 6 B\nto track this with git:  git add a.txt.dvc .gitignore d.dvc\n", '... what it says');
is(slurp("$dir/a.txt.dvc"), "outs:\n- md5: b1946ac92492d2347c6235b4d2611184\n  size: 6\n  hash: md5\n  path: a.txt\n", 'the pointer of a file');
is(slurp("$dir/d.dvc"),
	"outs:\n- md5: 04d031fd70bed7715d579045ded75c65.dir\n  size: 6\n  nfiles: 4\n  hash: md5\n  path: d\n", 'the pointer of a directory');
is(slurp("$dir/.gitignore"), "/a.txt\n/d\n", '.gitignore');
is(slurp(object('b1946ac92492d2347c6235b4d2611184')), "hello\n", 'the object');
is(sprintf('%04o', (stat object('b1946ac92492d2347c6235b4d2611184'))[2] & 07777), '0444', '... is read-only');
is(md5_hex(slurp(object('04d031fd70bed7715d579045ded75c65.dir'))), '04d031fd70bed7715d579045ded75c65', 'the list of the directory');
ok(!-l "$dir/d/link", 'a link to a file became the file');
ok(-d "$dir/d/empty", 'a directory without files stayed');

# Again: nothing to do, and nothing is done.
my @before = stat "$dir/d.dvc";
$p = ok_dag(0, 'again', $dir, 'add', 'a.txt', 'd');
is($p->{out}, "a.txt  6 B, unchanged\nd/  4 files, 6 B, unchanged\n", '... says so');
is((stat "$dir/d.dvc")[1], $before[1], '... the pointer was not even written');
is(ok_dag(0, 'quietly', $dir, 'add', '-q', 'a.txt')->{out}, '', '-q says nothing');

# From a directory below, paths are as seen from there.
mkdir "$dir/w";
spew("$dir/w/q r", 'q');
$p = ok_dag(0, 'from below', "$dir/w", 'add', 'q r', '../d/');
is($p->{out}, "q r  1 B\n../d/  4 files, 6 B, unchanged\nto track this with git:  git add 'q r.dvc' .gitignore\n", '... as seen from there');
is(slurp("$dir/w/.gitignore"), "/q r\n", 'beside the data');
is(slurp("$dir/w/q r.dvc"), "outs:\n- md5: " . md5_hex('q') . "\n  size: 1\n  hash: md5\n  path: q r\n", 'the pointer, too');

# A part of a directory; the rest of it is not looked at.
spew("$dir/d/new", "k\n");
spew("$dir/d/x", "changed\n");
$p = ok_dag(0, 'one more file', $dir, 'add', 'd/new');
is($p->{out}, "d/new  in d/  5 files, 8 B\nto track this with git:  git add d.dvc\n", '... of the directory');
my ($list) = slurp("$dir/d.dvc") =~ /md5: (\w+)\.dir\n  size: 8\n  nfiles: 5\n/;
like(slurp(object("$list.dir")), qr/"b026324c6904b2a9cb4b88d6d61c81d1", "relpath": "x"/, 'what was changed beside it is as it was');
unlink "$dir/d/sub/y";
ok_dag(0, 'two parts, one of them gone', $dir, 'add', 'd/x', 'd/sub/y');
($list) = slurp("$dir/d.dvc") =~ /md5: (\w+)\.dir\n  nfiles: 4\n/;
my $json = slurp(object("$list.dir"));
like($json, qr/"@{[md5_hex("changed\n")]}", "relpath": "x"/, 'one is in');
unlike($json, qr/sub/, 'the other out');
$p = ok_dag(2, 'neither there nor known', $dir, 'add', 'd/nope');
like($p->{err}, qr/^dag: error: 'd\/nope' does not exist$/m, '... is named');

# An executable.
chmod 0755, "$dir/a.txt";
ok_dag(0, 'an executable', $dir, 'add', 'a.txt');
like(slurp("$dir/a.txt.dvc"), qr/  path: a.txt\n  isexec: true\n|  isexec: true\n/, 'is known to be one');

# An empty directory.
mkdir "$dir/e";
ok_dag(0, 'an empty directory', $dir, 'add', 'e');
is(slurp("$dir/e.dvc"), "outs:\n- md5: d751713988987e9331980363e24189ce.dir\n  size: 0\n  nfiles: 0\n  hash: md5\n  path: e\n", '... has a pointer');

# Names that .gitignore would take for something else.
my @odd = ('[x].txt', '#h', '!n', 'end ', '-dash', "a b'c", "\xc3\xbc");
spew("$dir/odd/$_", $_) for @odd;
ok_dag(0, 'odd names', "$dir/odd", 'add', '--', @odd);
is(slurp("$dir/odd/.gitignore"), "/\\[x\\].txt\n/\\#h\n/\\!n\n/end\\ \n/-dash\n/a b'c\n/\xc3\xbc\n", '... are quoted in .gitignore');

# What is refused, before anything is written.
spew("$dir/good", 'good');
spew("$dir/plain", 'plain');
system('git', '-C', $dir, 'add', 'plain') == 0 or die 'git';
spew("$dir/.dvcignore", "*.tmp\n");
spew("$dir/x.tmp", 'x');
spew("$dir/pointed.dvc", "outs:\n- path: other\n");
spew("$dir/pointed", 'p');
mkdir "$dir/n";
spew("$dir/n/m", 'm');
ok_dag(0, 'inside a directory', $dir, 'add', 'n/m');
system('mkfifo', "$dir/ff") == 0 or die 'mkfifo';
for ([['nope'], "'nope' does not exist"],
	[['.'], 'the whole project cannot be tracked: name files and directories in it'],
	[['/etc/passwd'], "'/etc/passwd' lies outside of the project 'DIR': --out says where to copy it to, and 'dag import-url' remembers where it is from"],
	[['d.dvc'], "'d.dvc' says what is tracked; it cannot be tracked itself"],
	[['.gitignore'], "'.gitignore' says what is ignored; it belongs into git"],
	[['.git/config'], "'.git/config' lies in '.git', which is no data"],
	[['.dag/index.db'], "'.dag/index.db' lies in '.dag', which is no data"],
	[['x.tmp'], "'x.tmp' is ignored by .dvcignore:1: *.tmp"],
	[['d', 'd/x'], "'d/x' and 'd' overlap: add the larger one"],
	[['n'], "'n' has 'n/m' in it, which is tracked by itself: to have both as one, 'dag remove n/m.dvc' and then add it again"],
	[['pointed'], "'pointed.dvc' is there already and says nothing of 'pointed'"],
	[['plain'], "git tracks 'plain': stop that first, then add it:"],
	[['ff'], qr/'ff'/],
	[['a.txt/x'], qr/'a.txt/]) {
	my ($args, $want) = @$_;
	my $q = dag_in($dir, 'add', 'good', @$args);
	my ($first) = split /\n/, $q->{err};
	$first =~ s/\Q$dir\E/DIR/g;
	is($q->{rc}, 2, "dag add @$args: refused") or diag($q->{err});
	ref $want ? like($first, $want, '... by name') : is($first, "dag: error: $want", '... and says why');
	ok(!-e "$dir/good.dvc", '... nothing was done');
}

# --no-commit: the pointer alone.
spew("$dir/later", "later\n");
ok_dag(0, 'without the cache', $dir, 'add', '--no-commit', 'later');
ok(-e "$dir/later.dvc", '... there is a pointer');
ok(!-e object(md5_hex("later\n")), '... and no object');

# Patterns.
spew("$dir/g/$_", $_) for 'a.csv', 'b.csv', 'c.txt', '.h.csv', 's/d.csv', 's/t/e.csv';
is(ok_dag(0, 'a pattern', $dir, 'add', '--glob', 'g/*.csv')->{out} =~ s/  1? ?\d+ B//gr,
	"g/a.csv\ng/b.csv\nto track this with git:  git add g/a.csv.dvc g/.gitignore g/b.csv.dvc\n", '... one level');
is(ok_dag(0, 'from below', "$dir/g", 'add', '--glob', '-q', '*')->{out}, '', '... all, with pointers left out');
ok(-e "$dir/g/c.txt.dvc" && -e "$dir/g/s.dvc" && !-e "$dir/g/a.csv.dvc.dvc" && !-e "$dir/g/.h.csv.dvc", '... those');
spew("$dir/h/$_", $_) for 'a.csv', 's/d.csv', 's/t/e.csv', 's/t/f';
ok_dag(0, 'any level', $dir, 'add', '--glob', 'h/**/*.csv');
is(join(' ', map { s{^\Q$dir\E/}{}r } sort glob("$dir/h/*.dvc $dir/h/*/*.dvc $dir/h/*/*/*.dvc")), 'h/a.csv.dvc h/s/d.csv.dvc h/s/t/e.csv.dvc', '... all of them');
is((split /\n/, ok_dag(2, 'nothing', $dir, 'add', '--glob', 'nope*')->{err})[0], "dag: error: nothing is called 'nope*'", '... is told');

# Without git there is nothing to ignore.
my $plain = project('f' => 'f');
is(ok_dag(0, 'without git', $plain, 'add', 'f')->{out}, "f  1 B\n", '... no word of it');
ok(!-e "$plain/.gitignore", '... and no .gitignore');

# Stopped by the user: what is copied by then is kept, whole.
spew("$plain/big/$_", "$_\n" x 500) for 1 .. 3000;
my $trace = "$plain/trace";
for my $try (1 .. 5) {
	unlink $trace;
	remove_tree("$plain/.dag/cache");
	local $ENV{DAG_FAULT} = "trace:0:$trace";
	my $run = start($plain, 'add', 'big');
	wait_for('300 temporaries', sub { -e $trace && (() = slurp($trace) =~ /object-temp/g) >= 300 });
	kill 'INT', $run->{pid};
	my $end = finish($run);
	next if $end->{rc} == 0;
	is($end->{rc}, 130, 'stopped');
	last;
}
ok(!-e "$plain/big.dvc", '... there is no pointer');
my @kept = glob("$plain/.dag/cache/files/md5/??/*");
cmp_ok(scalar @kept, '>=', 300, '... what was copied is in the cache');
is(scalar(grep { my $hex = s{.*/(..)/([^/]*)$}{$1$2}r; md5_hex(slurp($_)) ne $hex } @kept), 0, '... under its own name');
ok_dag(0, 'again', $plain, 'add', '-q', 'big');
done_testing();
