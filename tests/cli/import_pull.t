#!/usr/bin/perl
# Imports later on: fetched from their source where nobody else has them, what status tells of the
# source, and what another repository gave.
use strict;
use warnings;
use File::Basename qw(dirname);
use lib dirname(__FILE__);
use Cli;
use Digest::MD5 qw(md5_hex);
use Test::More;
use Web;

my $dir = project('in/x' => "in\n");
my $ext = project('f' => "one\n", 'd/a' => "a\n", 'd/sub/b' => "b\n");
my $pub = project('a.txt' => "hello\n");
my $url = web($pub);
ok_dag(0, 'imports', $dir, 'import-url', '-q', @$_) for ["$ext/f"], ["$ext/d"], ["$url/a.txt", 'w'], ['in/x', 'copy'];
sub lose { system('rm', '-rf', map { "$dir/$_" } '.dag/cache', @_) }

# ---- pull and fetch ----
lose(qw(f d w copy));
web_log();
is(ok_dag(0, 'fetch without a remote', $dir, 'fetch')->{out}, "5 files fetched\n", '... from the sources');
ok(!-e "$dir/f", '... into the cache alone');
is(ok_dag(0, 'again', $dir, 'fetch')->{out}, "Everything is up to date.\n", '... nothing is asked');
is_deeply([web_log()], ['HEAD /a.txt', 'HEAD /a.txt', 'GET /a.txt'], '... of the server neither');
ok_dag(0, 'pull', $dir, 'pull', '-q');
is(slurp("$dir/f") . slurp("$dir/d/sub/b") . slurp("$dir/w") . slurp("$dir/copy"), "one\nb\nhello\nin\n", '... makes the files');
ok_dag(0, 'all is right', $dir, 'status', '-q');
ok_dag(0, 'a remote', $dir, 'remote', 'add', '-q', '-d', 'store', "$ext/store");
ok_dag(0, 'push', $dir, 'push', '-q', 'f', 'd');
lose(qw(f d));
unlink "$ext/f";
ok_dag(0, 'what the remote has', $dir, 'pull', '-q', 'f', 'd');
is(slurp("$dir/f") . slurp("$dir/d/a"), "one\na\n", '... comes from there');
lose(qw(f w));
system('rm', '-rf', "$ext/store");
spew("$pub/a.txt", "another\n");
my $r = finish(start($dir, 'pull', 'f', 'w', 'copy'));
is($r->{rc}, 1, 'sources that are gone or changed: exit 1');
like($r->{err}, qr/error: f: .*'\Q$ext\E\/f' does not exist/, '... the one is named');
like($r->{err}, qr/error: w: its source '\Q$url\E\/a.txt' is not what was recorded any more: 'dag update'/, '... and the other');
ok(!-e "$dir/w", '... and nothing else is taken for it');
is(slurp("$dir/copy"), "in\n", '... while the rest is here');
ok_dag(0, '--allow-missing', $dir, 'pull', '-q', '--allow-missing', 'f');
ok_dag(0, 'an import without data', $dir, 'import-url', '-q', '--no-download', "$ext/d/a", 'later');
like(ok_dag(0, 'is not fetched', $dir, 'fetch', 'later')->{err}, qr/'later' was imported without its data: 'dag update' gets it/, '... but told of');

# ---- status ----
spew("$ext/f", "one\n");
spew("$pub/a.txt", "hello\n");
ok_dag(0, 'all is here again', $dir, 'pull', '-q', 'f', 'w', 'd', 'copy');
spew("$ext/f", "changed\n");
is(ok_dag(0, 'a frozen import', $dir, 'status', 'f')->{out}, "all tracked data is up to date\n", '... is not looked at');
spew("$dir/$_.dvc", slurp("$dir/$_.dvc") =~ s/frozen: true\n//r) for 'f', 'd', 'w', 'copy';
is(ok_dag(0, 'one that is not', $dir, 'status', 'f', 'd')->{out}, "f.dvc:\n\tchanged deps:\n\t\tmodified:           $ext/f\n", '... is');
spew("$dir/f", "mine\n");
spew("$dir/in/x", "other\n");
unlink "$pub/a.txt";
like(ok_dag(0, 'as JSON', $dir, 'status', '--json', 'f', 'w', 'copy')->{out} =~ s/\s+/ /gr, qr/\{ "copy.dvc": \[ \{ "changed deps": \{ "in\/x": "modified" \} \} \], "f.dvc": \[ \{ "changed deps": \{ "\Q$ext\E\/f": "modified" \} \}, \{ "changed outs": \{ "f": "modified" \} \} \], "w.dvc": \[ \{ "changed deps": \{ "\Q$url\E\/a.txt": "deleted" \} \} \] \}/, "... in DVC's shape");
like(ok_dag(0, 'from elsewhere', "$dir/in", 'status', '../copy.dvc')->{out}, qr/modified:           x\n/, '... paths of the project as seen from there');
web_end();
like(ok_dag(0, 'nobody answers', $dir, 'status', 'w')->{err}, qr/warning: the source of 'w' cannot be looked at/, '... is a warning');

# ---- what another repository gave ----
my $top = project();
my $repo = "$top/r";
mkdir $repo;
mkdir "$repo/.dag";
sub git { system('git', '-C', $repo, '-c', 'user.name=n', '-c', 'user.email=e@x', @_) == 0 or die "git @_" }
sub record { git('add', '-A'); git('commit', '-q', '-m', 'x'); chomp(my $id = `git -C $repo rev-parse HEAD`); return $id }
git('init', '-q', '-b', 'main');
spew("$repo/run.sh", "#!/bin/sh\n");
spew("$repo/data/1", "1\n");
ok_dag(0, 'its data', $repo, 'add', '-q', 'data');
my $one = record();
my $two = project();
rename $repo, "$two/r";
$repo = "$two/r";
mkdir "$two/mine";
mkdir "$two/mine/.dag";
my $mine = "$two/mine";
# As `dvc import ../r data` and `dvc import ../r run.sh` leave it, without the hash at the top.
my $id = slurp("$repo/data.dvc") =~ s/.*- md5: (\S+).*/$1/sr;
spew("$mine/data.dvc", "md5: 00000000000000000000000000000000\nfrozen: true\ndeps:\n- path: data\n  repo:\n    url: ../r\n    rev_lock: $one\nouts:\n- md5: $id\n  size: 2\n  nfiles: 1\n  hash: md5\n  path: data\n");
spew("$mine/run.dvc", "md5: 00000000000000000000000000000000\nfrozen: true\ndeps:\n- path: run.sh\n  repo:\n    url: ../r\n    rev_lock: $one\nouts:\n- md5: " . md5_hex("#!/bin/sh\n") . "\n  size: 10\n  hash: md5\n  path: run\n");
ok_dag(0, 'pull', $mine, 'pull', '-q');
is(slurp("$mine/data/1"), "1\n", '... data it tracks');
is(slurp("$mine/run"), "#!/bin/sh\n", '... and what git has');
is(ok_dag(0, 'update', $mine, 'update', 'data', 'run')->{out}, "data, unchanged\nrun, unchanged\n", '... nothing new');
spew("$repo/data/2", "2\n");
ok_dag(0, 'its data', $repo, 'add', '-q', 'data');
my $new = record();
ok_dag(0, 'update', $mine, 'update', '-q', 'data');
is(slurp("$mine/data/2"), "2\n", '... what is new');
like(slurp("$mine/data.dvc"), qr/\Amd5: (?!0000)\w+\n.*    url: \.\.\/r\n    rev_lock: $new\nouts:\n- md5: \w+\.dir\n  size: 4\n  nfiles: 2\n/s, '... is recorded');
ok_dag(0, '--rev', $mine, 'update', '-q', '--rev', $one, 'data');
ok(!-e "$mine/data/2", '... goes back');
like(slurp("$mine/data.dvc"), qr/rev_lock: $one\n    rev: $one\n|rev: $one\n    rev_lock: $one\n/, '... and is recorded');
system('rm', '-rf', "$mine/.dag/cache", "$mine/data");
ok_dag(0, 'pull', $mine, 'pull', '-q', 'data');
is(join(' ', glob("$mine/data/*")), "$mine/data/1", '... of the commit that is recorded');
is(finish(start($mine, 'update', '--rev', 'nope', 'data'))->{rc}, 2, 'no such revision');
is(finish(start($mine, 'update', '--to-remote', 'data'))->{rc}, 2, '--to-remote');
# ---- dag import ----
is(ok_dag(0, 'import', $mine, 'import', '../r', 'data', '-o', 'got')->{out}, "got/  2 files, 4 B\n", '... is told');
is(slurp("$mine/got/2"), "2\n", '... data it tracks');
like(slurp("$mine/got.dvc"), qr/\Amd5: \w+\nfrozen: true\ndeps:\n- path: data\n  repo:\n    url: \.\.\/r\n    rev_lock: $new\nouts:\n- md5: \w+\.dir\n/, '... its pointer');
mkdir "$mine/sub";
ok_dag(0, 'from a subdirectory', "$mine/sub", 'import', '-q', '--rev', 'main', '../../r', 'run.sh');
is(slurp("$mine/sub/run.sh"), "#!/bin/sh\n", '... a file of git');
like(slurp("$mine/sub/run.sh.dvc"), qr/- path: run.sh\n  repo:\n    url: \.\.\/r\n    rev: main\n    rev_lock: $new\n/, '... seen from the root');
ok_dag(0, 'all is right', $mine, 'status', '-q', 'got', 'sub/run.sh');
my @no = (
	['what is there', 2, qr/'sub\/run.sh' is there already/, '../r', 'run.sh', '-o', 'sub/run.sh'],
	['no such path', 2, qr/there is no 'nope' in/, '../r', 'nope'],
	['no repository', 2, qr/there is no repository at/, '../nowhere', 'x'],
	['all of it', 2, qr/a whole repository cannot be imported/, '../r', '.'],
	['a path outside', 2, qr/leads out of its repository/, '../r', '../x'],
	['an empty path', 2, qr/the path in the repository is empty/, '../r', ''],
	['no such revision', 2, qr/nope/, '--rev', 'nope', '../r', 'data', '-o', 'n'],
	['two ways to get nothing', 2, qr/--no-exec looks at no repository/, '--no-exec', '--no-download', '../r', 'data', '-o', 'n'],
);
my $before = join ' ', sort glob("$mine/{*,*/*}");
for my $c (@no) {
	my ($what, $rc, $re, @args) = @$c;
	$r = finish(start($mine, 'import', @args));
	is($r->{rc}, $rc, "import: $what: exit $rc") or diag $r->{err};
	like($r->{err}, $re, "$what: is said");
}
is(join(' ', sort glob("$mine/{*,*/*}")), $before, 'nothing of that has made anything');

rename $repo, "$repo.gone";
$r = finish(start($mine, 'update', 'data'));
is($r->{rc}, 2, 'a repository that is gone');
like($r->{err}, qr/'data' is left as it is: there is no repository at/, '... is named');
is(slurp("$mine/data/1"), "1\n", '... and what is here stays');
done_testing();
