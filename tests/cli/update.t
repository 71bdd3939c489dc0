#!/usr/bin/perl
# dag update: imported data is looked for at its source again.
use strict;
use warnings;
use File::Basename qw(dirname);
use lib dirname(__FILE__);
use Cli;
use Digest::MD5 qw(md5_hex);
use Test::More;
use Web;

my $dir = project('s/keep' => '', 'own' => "own\n");
my $ext = project('f' => "one\n", 'g' => "g\n", 'd/a' => "a\n", 'd/sub/b' => "b\n");
my $pub = project('a.txt' => "hello\n");
my $url = web($pub);
ok_dag(0, 'imports', $dir, 'import-url', '-q', @$_) for ["$ext/f"], ["$ext/g", 's/g'], ["$ext/d"], ["$url/a.txt", 'w'], ["$url/plain/a.txt", 'p'];
ok_dag(0, 'something of our own', $dir, 'add', '-q', 'own');
web_log();

is(ok_dag(0, 'nothing has changed', $dir, 'update', 'f.dvc', 'd', 'w')->{out}, "d, unchanged\nf, unchanged\nw, unchanged\n", '... is told');
is_deeply([web_log()], ['HEAD /a.txt'], '... and nothing fetched');
my $md5 = slurp("$dir/f.dvc") =~ s/\n.*//sr;
spew("$ext/f", "three\n");
is(ok_dag(0, 'a changed file', $dir, 'update', 'f')->{out}, "f  6 B\n", '... is told');
is(slurp("$dir/f"), "three\n", '... is here');
my $hash = md5_hex("three\n");
like(slurp("$dir/f.dvc"), qr/\Amd5: \w{32}\nfrozen: true\ndeps:\n- md5: $hash\n  size: 6\n  hash: md5\n  path: \Q$ext\E\/f\nouts:\n- md5: $hash\n  size: 6\n/, '... and recorded');
isnt(slurp("$dir/f.dvc") =~ s/\n.*//sr, $md5, '... with another hash of its own');
spew("$ext/d/new", "new\n");
unlink "$ext/d/a";
ok_dag(0, 'a changed directory', $dir, 'update', '-q', 'd');
ok(!-e "$dir/d/a" && slurp("$dir/d/new") eq "new\n" && slurp("$dir/d/sub/b") eq "b\n", '... is as it is there');
spew("$pub/a.txt", "world!\n");
ok_dag(0, 'another ETag', $dir, 'update', '-q', 'w', 'p');
is(slurp("$dir/$_"), "world!\n", "... $_") for 'w', 'p';
ok_dag(0, 'all is right', $dir, 'status', '-q');

# Files that are missing or changed here.
unlink "$dir/f";
is(ok_dag(0, 'a file that is missing', $dir, 'update', 'f')->{out}, "f, unchanged, made again\n", '... is made again');
is(slurp("$dir/f"), "three\n", '... as it was');
system('rm', '-rf', "$dir/.dag/cache", "$dir/d");
ok_dag(0, 'an empty cache', $dir, 'update', '-q', 'd');
is(slurp("$dir/d/new"), "new\n", '... is filled from the source');
spew("$dir/f", "my work\n");
spew("$ext/f", "four\n");
my $was = slurp("$dir/f.dvc");
my $r = finish(start($dir, 'update', 'f', 's/g'));
is($r->{rc}, 1, 'work that would be lost: exit 1');
like($r->{err}, qr/these files would be lost.*\n  f\n/, '... is named');
is(slurp("$dir/f"), "my work\n", '... and left');
is(slurp("$dir/f.dvc"), $was, '... with its pointer');
like($r->{out}, qr/s\/g, unchanged/, '... while the others go on');
ok_dag(0, '--force', $dir, 'update', '-q', '-f', 'f');
is(slurp("$dir/f"), "four\n", '... gives it up');

# Without data.
spew("$ext/f", "five\n");
ok_dag(0, '--no-download', $dir, 'update', '-q', '--no-download', 'f');
is(slurp("$dir/f"), "four\n", '... leaves what is here');
like(slurp("$dir/f.dvc"), qr/deps:\n- md5: ${\md5_hex("five\n")}\n  size: 5\n.*outs:\n- hash: md5\n  path: f\n\z/s, '... and knows of what is there');
ok_dag(0, 'then', $dir, 'update', '-q', '-f', 'f');
is(slurp("$dir/f"), "five\n", '... it comes');
ok_dag(0, 'a remote', $dir, 'remote', 'add', '-q', '-d', 'store', "$ext/store");
spew("$ext/f", "six\n");
ok_dag(0, '--to-remote', $dir, 'update', '-q', '--to-remote', 'f');
is(slurp("$dir/f"), "five\n", '... leaves what is here');
$hash = md5_hex("six\n");
is(slurp("$ext/store/files/md5/" . substr($hash, 0, 2) . '/' . substr($hash, 2)), "six\n", '... is on the remote');
like(slurp("$dir/f.dvc"), qr/outs:\n- (?:hash: md5\n  path: f\n  )?md5: $hash/, '... and in the pointer');
ok_dag(0, 'pull', $dir, 'pull', '-q', 'f');
is(slurp("$dir/f"), "six\n", '... brings it');
spew("$ext/g", "gg\n");
like(ok_dag(0, '-R', $dir, 'update', '-R', '.')->{out}, qr/^d, unchanged\nf, unchanged\np, unchanged\ns\/g  3 B\nw, unchanged\n/, '... all imports, and nothing else');

# What is refused, and what fails.
my @no = (
	['nothing', 2, qr/TARGET/],
	['an unknown one', 2, qr/'nope'/, 'nope'],
	['what was not imported', 2, qr/'own' was not imported/, 'own'],
	['a part', 2, qr/imported as one thing/, 'd/new'],
	['--rev', 2, qr/--rev is a revision of another repository/, '--rev', 'x', 'f'],
	['--no-download and --to-remote', 2, qr/do not go together/, '--no-download', '--to-remote', 'f'],
	['--remote alone', 2, qr/goes with it only/, '-r', 'store', 'f'],
);
my $before = join '', map { slurp($_) } glob("$dir/*.dvc");
for my $c (@no) {
	my ($what, $rc, $re, @args) = @$c;
	$r = finish(start($dir, 'update', @args));
	is($r->{rc}, $rc, "$what: exit $rc") or diag $r->{err};
	like($r->{err}, $re, "$what: is said");
}
unlink "$ext/f", "$pub/a.txt";
$r = finish(start($dir, 'update', 'f'));
is($r->{rc}, 2, 'a source that is gone');
like($r->{err}, qr/'f' is left as it is: '\Q$ext\E\/f' does not exist/, '... is named');
is(finish(start($dir, 'update', 'w'))->{rc}, 2, '... on a server');
spew("$pub/a.txt", 'y' x 100000);
spew("$dir/p.dvc", slurp("$dir/p.dvc") =~ s{/plain/}{/cut/}r);
$was = slurp("$dir/p.dvc");
is(finish(start($dir, 'update', 'p'))->{rc}, 1, 'a file that is cut short');
is(slurp("$dir/p.dvc"), $was, '... is not recorded');
is(slurp("$dir/p"), "world!\n", '... nor put in place');
is(join('', map { slurp($_) } grep { !/p\.dvc/ } glob("$dir/*.dvc")), $before =~ s/md5[^\n]*\n(?:(?!md5: \w{32}\nfrozen).)*plain.*?path: p\n//sr, 'no pointer was touched');
done_testing();
