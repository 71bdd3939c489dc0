#!/usr/bin/perl
# dag import-url: data from a path or a web server, tracked with where it came from.
use strict;
use warnings;
use File::Basename qw(dirname);
use lib dirname(__FILE__);
use Cli;
use Digest::MD5 qw(md5_hex);
use POSIX ();
use Test::More;
use Web;

my $dir = project('s/keep' => '', 'mine' => "mine\n", 'in/a' => "in\n");
my $ext = project('f' => "one\n", 'd/a' => "a\n", 'd/sub/b' => "b\n", 'x y' => "blank\n");
my $pub = project('a.txt' => "hello\n", 'empty' => '', 'big' => 'x' x 300000);
my $url = web($pub);
system('git', 'init', '-q', $dir) == 0 or die 'git';

# What the pointer of a file says.
sub pointer {
	my ($path, $text, $src, $dep) = @_;
	my $md5 = md5_hex($text);
	my $n = length $text;
	$dep //= "md5: $md5";
	return qr/\Amd5: [0-9a-f]{32}\nfrozen: true\ndeps:\n- \Q$dep\E\n(?:  size: $n\n)?  hash: md5\n  path: \Q$src\E\nouts:\n- md5: $md5\n  size: $n\n  hash: md5\n  path: \Q$path\E\n\z/;
}
sub etag { return "checksum: '\"" . md5_hex($_[0]) . "\"'" }
my $rel = '../' . ($ext =~ s{.*/}{}r);

# ---- paths ----
is(ok_dag(0, 'a file', $dir, 'import-url', "$ext/f")->{out}, "f  4 B\nto track this with git:  git add f.dvc .gitignore\n", 'is told');
is(slurp("$dir/f"), "one\n", '... the data');
like(slurp("$dir/f.dvc"), pointer('f', "one\n", "$ext/f"), '... the pointer');
is(slurp("$dir/.gitignore"), "/f\n", '... .gitignore');
ok_dag(0, 'a relative one, to another name', $dir, 'import-url', '-q', "$rel/f", 'g');
like(slurp("$dir/g.dvc"), pointer('g', "one\n", "$rel/f"), '... recorded as it is seen from the pointer');
ok_dag(0, 'into a directory', $dir, 'import-url', '-q', "$rel/f", 's');
like(slurp("$dir/s/f.dvc"), pointer('f', "one\n", "../$rel/f"), '... seen from there');
ok_dag(0, 'from a subdirectory', "$dir/s", 'import-url', '-q', "../$rel/f", 'h');
like(slurp("$dir/s/h.dvc"), pointer('h', "one\n", "../$rel/f"), '... the same');
ok_dag(0, 'file://', $dir, 'import-url', '-q', "file://$ext/x%20y");
like(slurp("$dir/x y.dvc"), pointer('x y', "blank\n", "$ext/x y"), '... is a path');
ok_dag(0, 'a path of the project', $dir, 'import-url', '-q', 'mine', 's/mine');
like(slurp("$dir/s/mine.dvc"), pointer('mine', "mine\n", '../mine'), '... seen from the pointer');
is(ok_dag(0, 'a directory', $dir, 'import-url', "$ext/d/")->{out} =~ s/\n.*//sr, 'd/  2 files, 4 B', '... is told');
is(slurp("$dir/d/sub/b"), "b\n", '... is here');
like(slurp("$dir/d.dvc"), qr/deps:\n- md5: (\w+\.dir)\n  size: 4\n  nfiles: 2\n  hash: md5\n  path: \Q$ext\E\/d\nouts:\n- md5: \1\n  size: 4\n  nfiles: 2\n/, '... the pointer');
chmod 0755, "$ext/f";
ok_dag(0, 'an executable', $dir, 'import-url', '-q', "$ext/f", 'ex');
like(slurp("$dir/ex.dvc"), qr/deps:\n- md5: \w+\n  size: 4\n  isexec: true\n  hash/, '... as its source is');
unlike(slurp("$dir/ex.dvc") =~ s/.*outs://sr, qr/isexec/, '... what came is none, as with DVC');
chmod 0644, "$ext/f";
symlink("$ext/f", "$ext/link");
ok_dag(0, 'a link', $dir, 'import-url', '-q', "$ext/link");
is(slurp("$dir/link"), "one\n", '... is what it leads to');
ok(!-l "$dir/link", '... as a file');
ok_dag(0, 'all is right', $dir, 'status', '-q');
my $all = `cd $dir && git add -A && git ls-files -s`;

# ---- without data ----
ok_dag(0, '--no-exec', $dir, 'import-url', '-q', '--no-exec', "$url/a.txt", 'ne');
is(slurp("$dir/ne.dvc"), "frozen: true\ndeps:\n- hash: md5\n  path: $url/a.txt\nouts:\n- hash: md5\n  path: ne\n", '... only the pointer');
is_deeply([web_log()], [], '... and no request');
ok_dag(0, '--no-download', $dir, 'import-url', '-q', '--no-download', "$url/a.txt", 'nd');
like(slurp("$dir/nd.dvc"), qr/\Amd5: \w+\nfrozen: true\ndeps:\n- checksum: '"b1946ac92492d2347c6235b4d2611184"'\n  size: 6\n  hash: md5\n  path: \Q$url\E\/a.txt\nouts:\n- hash: md5\n  path: nd\n\z/, '... what the source is like');
is_deeply([web_log()], ['HEAD /a.txt'], '... and no GET');
ok(!-e "$dir/$_", "... no $_") for 'ne', 'nd';
ok_dag(0, '--no-download of a directory', $dir, 'import-url', '-q', '--no-download', "$ext/d", 'ndd');
like(slurp("$dir/ndd.dvc"), qr/nfiles: 2\n.*outs:\n- hash: md5\n  path: ndd\n\z/s, '... hashed');
ok_dag(0, 'data comes', $dir, 'update', '-q', 'ne', 'nd', 'ndd');
is(slurp("$dir/$_"), "hello\n", "... $_") for 'ne', 'nd';
is(slurp("$dir/ndd/a"), "a\n", '... and the directory');
like(slurp("$dir/nd.dvc"), qr/outs:\n- hash: md5\n  path: nd\n  md5: b1946ac92492d2347c6235b4d2611184\n  size: 6\n\z/, '... in the pointer, as DVC leaves it');

# ---- web servers ----
ok_dag(0, 'http', $dir, 'import-url', '-q', "$url/a.txt");
like(slurp("$dir/a.txt.dvc"), pointer('a.txt', "hello\n", "$url/a.txt", etag("hello\n")), '... its ETag');
is(slurp("$dir/a.txt"), "hello\n", '... its bytes');
ok_dag(0, 'Content-MD5', $dir, 'import-url', '-q', "$url/md5/a.txt", 'w1');
like(slurp("$dir/w1.dvc"), pointer('w1', "hello\n", "$url/md5/a.txt", 'checksum: sZRqySSS0jR8YjW00mERhA=='), '... stands for it');
ok_dag(0, 'no version', $dir, 'import-url', '-q', "$url/plain/a.txt", 'w2');
like(slurp("$dir/w2.dvc"), qr/^- checksum: '\d{30,39}'$/m, '... a hash of the headers');
ok_dag(0, 'a redirection', $dir, 'import-url', '-q', "$url/to/a.txt", 'w3');
like(slurp("$dir/w3.dvc"), pointer('w3', "hello\n", "$url/to/a.txt", etag("hello\n")), '... the address as it was given');
ok_dag(0, 'without HEAD', $dir, 'import-url', '-q', "$url/nohead/a.txt", 'w4');
ok_dag(0, 'in chunks', $dir, 'import-url', '-q', "$url/chunked/a.txt", 'w5');
is(slurp("$dir/$_"), "hello\n", "... $_") for 'w1' .. 'w5';
unlike(slurp("$dir/w5.dvc") =~ s/outs:.*//sr, qr/size/, '... whose length nobody said');
ok_dag(0, 'nothing in it', $dir, 'import-url', '-q', "$url/empty");
is(-s "$dir/empty", 0, '... is a file');
ok_dag(0, 'a query', $dir, 'import-url', '-q', "$url/big?a=/b#c");
is(slurp("$dir/big"), 'x' x 300000, '... is not part of the name');
web_log();
my $p = ok_dag(0, 'a server that is busy', $dir, 'import-url', '-q', "$url/busy/a.txt", 'w6');
is(slurp("$dir/w6"), "hello\n", '... is asked again');
ok_dag(0, 'a password', $dir, 'import-url', '-q', "$url/a.txt" =~ s{//}{//me:secret\@}r, 'w7');
unlike(finish(start($dir, 'import-url', "$url/nope" =~ s{//}{//me:secret\@}r))->{err}, qr/secret/, '... is in no message');
ok_dag(0, 'all is right', $dir, 'status', '-q');

# ---- what is refused leaves no trace ----
spew("$dir/own", "own\n");
my @before = state();
sub state { return join "\n", map { chomp; $_ } `cd $dir && find . -path ./.git -prune -o -path './.dag/index*' -prune -o -name artifacts.lock -o -path ./.dag/cache -prune -o -type f -printf '%p %s %T\@\n' -o -type l -print | sort; find .dag/cache -name '*.tmp'` }
my @no = (
	['a path that is not there', 2, qr/'\Q$ext\E\/nope' does not exist/, "$ext/nope"],
	['a file of a server that is not there', 2, qr/'\Q$url\E\/nope' does not exist \(the server says 404\)/, "$url/nope"],
	['what needs a login', 2, qr/may not be read without a login/, "$url/secret/a.txt", 'n'],
	['a file cut short', 1, qr/cut short/, "$url/cut/big", 'n'],
	['... in chunks', 1, qr/cannot get|cut short/, "$url/torn/big", 'n'],
	['silence', 1, qr/cannot get .*(?:slow|timed? ?out)/i, "$url/stall/big", 'n'],
	['a file that never is the same', 1, qr/changes while it is fetched/, "$url/moving/a.txt", 'n'],
	['more than there is room for', 3, qr/the file has .*, and .* are free/, "$url/huge/a.txt", 'n'],
	['a redirection to another kind', 1, qr/redirects to a kind of address that is not followed/, "$url/away/a.txt", 'n'],
	['one that never ends', 1, qr/redirects/i, "$url/loop/a.txt", 'n'],
	['nobody there', 1, qr/cannot get 'http:\/\/127.0.0.1:1\/x'/, 'http://127.0.0.1:1/x', 'n'],
	['a host that is none', 2, qr/no address/, 'http://[::1/x', 'n'],
	['a blank in an address', 2, qr/has a blank/, "$url/a b", 'n'],
	['an address that is too long', 2, qr/at most 4095 bytes/, "$url/" . 'a' x 4096, 'n'],
	(map { ["$_->[0]://", 2, qr/$_->[0]:\/\/ cannot be imported from yet: that comes with the $_->[1] remotes/, "$_->[0]://bucket/x"] }
		['s3', 'S3'], ['ssh', 'SSH']),
	['remote://', 2, qr/give the path that the remote's url names/, 'remote://r/x'],
	['another kind', 2, qr/'foo:\/\/' is no kind of address/, 'foo://x/y'],
	['file:// of another machine', 2, qr/names another machine/, 'file://other/x'],
	['a wrong file://', 2, qr/no byte's two digits/, "file://$ext/x%2"],
	['an empty address', 2, qr/is empty/, ''],
	['no name', 2, qr/says no name/, "$url/"],
	['the root', 2, qr/says no name/, '/'],
	['what is there', 2, qr/'own' is there already: --force replaces it/, "$ext/f", 'own'],
	['what git has', 2, qr/git tracks 'mine'/, "$ext/f", 'mine'],
	['what is tracked', 2, qr/'f' is there already/, "$ext/f"],
	['into what is tracked', 2, qr/lies in 'd', which is tracked/, "$ext/f", 'd/new'],
	['outside', 2, qr/outside of the project/, "$ext/f", "$ext/n"],
	['into .dag', 2, qr/lies in '.dag'/, "$ext/f", '.dag/n'],
	['a pointer', 2, qr/cannot be tracked itself/, "$ext/f", 'n.dvc'],
	['a directory that is not there', 2, qr/cannot import to 'no'/, "$ext/f", 'no/n'],
	['itself', 2, qr/are one, or one lies in the other/, 'in', 'in/x'],
	['a pipe', 2, qr/is neither a file nor a directory/, "$ext/sock", 'n'],
	['--version-aware', 2, qr/--version-aware is for clouds/, '--version-aware', "$ext/f", 'n'],
	['--fs-config', 2, qr/--fs-config is for sources/, '--fs-config', 'a=b', "$ext/f", 'n'],
	['--no-exec and --to-remote', 2, qr/--no-exec looks at no source/, '--no-exec', '--to-remote', "$ext/f", 'n'],
	['--no-download and --to-remote', 2, qr/do not go together/, '--no-download', '--to-remote', "$ext/f", 'n'],
	['--remote alone', 2, qr/goes with it only/, '-r', 'x', "$ext/f", 'n'],
	['--to-remote without one', 2, qr/remote/, '--to-remote', "$ext/f", 'n'],
);
POSIX::mkfifo("$ext/sock", 0600);
$ENV{DAG_HTTP_STALL} = 1;
for my $c (@no) {
	my ($what, $rc, $re, @args) = @$c;
	my $r = finish(start($dir, 'import-url', @args));
	is($r->{rc}, $rc, "$what: exit $rc") or diag $r->{err};
	like($r->{err}, $re, "$what: is said");
}
is_deeply([state()], \@before, 'nothing of that has changed anything');
ok(!-e "$dir/n.dvc" && !-e "$dir/n", 'and nothing is half there');

# ---- --force ----
spew("$dir/f", "work of mine\n");
spew("$ext/f", "two\n");
ok_dag(0, '--force', $dir, 'import-url', '-q', '-f', "$ext/f");
is(slurp("$dir/f"), "two\n", '... replaces');
like(slurp("$dir/f.dvc"), pointer('f', "two\n", "$ext/f"), '... and records');
my $t = slurp("$dir/g.dvc");
spew("$dir/g.dvc", "# mine\n$t");
ok_dag(0, 'from elsewhere', $dir, 'import-url', '-q', '-f', "$ext/d/a", 'g');
like(slurp("$dir/g.dvc"), qr/\A# mine\nmd5: .*path: \Q$ext\E\/d\/a\n/s, '... comments stay');
unlink "$dir/g";
like(finish(start($dir, 'import-url', "$ext/f", 'g'))->{err}, qr/'g' is tracked already, by 'g.dvc'/, 'another source wants --force');
ok_dag(0, 'an import that was killed before its files were made', $dir, 'import-url', '-q', "$ext/d/a", 'g');
is(slurp("$dir/g"), "a\n", '... is completed by the same command');

# ---- killed anywhere: what is there is right, and the same command completes it ----
spew("$ext/k/$_", "$_\n") for 1 .. 3;
for my $point ('object-temp', 'object-written', 'objects-synced', 'object-named', 'objects-durable', 'track-saved', 'track-ignored', 'track-pointed', 'link-temp', 'linked') {
	my $to = "k-$point";
	local $ENV{DAG_FAULT} = "$point:1";
	spew("$ext/k/new", "$point\n");
	my $r = finish(start($dir, 'import-url', '-q', "$ext/k", $to));
	is($r->{rc}, 128 + 9, "killed at $point") or diag $r->{err};
	delete $ENV{DAG_FAULT};
	ok(!-e "$dir/$to.dvc" || slurp("$dir/$to.dvc") =~ /nfiles: 4\n.*nfiles: 4\n/s, '... a pointer is whole');
	my @how = -e "$dir/$to" ? ('checkout', '-q', $to) : ('import-url', '-q', "$ext/k", $to);
	ok_dag(0, '... completed', $dir, @how);
	is(slurp("$dir/$to/new"), "$point\n", '... by ' . $how[0]);
	ok_dag(0, '... all is right', $dir, 'status', '-q', $to);
}

# ---- --to-remote ----
my $store = project();
ok_dag(0, 'a remote', $dir, 'remote', 'add', '-q', '-d', 'store', "$store/r");
ok_dag(0, '--to-remote', $dir, 'import-url', '-q', '--to-remote', "$url/big", 'far');
my $big = md5_hex('x' x 300000);
ok(!-e "$dir/far", '... not here');
is(slurp("$store/r/files/md5/" . substr($big, 0, 2) . '/' . substr($big, 2)), 'x' x 300000, '... but there');
like(slurp("$dir/far.dvc"), pointer('far', 'x' x 300000, "$url/big", etag('x' x 300000)), '... and in the pointer');
ok_dag(0, 'a directory', $dir, 'import-url', '-q', '--to-remote', "$ext/d", 'fard');
unlink "$dir/big";
system('rm', '-rf', "$dir/.dag/cache");
ok_dag(0, 'pull', $dir, 'pull', '-q', 'far', 'fard');
is(slurp("$dir/fard/sub/b"), "b\n", '... brings it');
is(finish(start($dir, 'import-url', '--to-remote', '-r', 'no', "$ext/f", 'n'))->{rc}, 2, 'an unknown remote');
done_testing();
