#!/usr/bin/perl
# dag ls and dag get: what is in a repository, here or elsewhere, and a copy of it.
use strict;
use warnings;
use File::Basename qw(dirname);
use lib dirname(__FILE__);
use Cli;
use Digest::MD5 qw(md5_hex);
use Test::More;

my $top = project();
my $repo = "$top/r";
spew("$repo/$_->[0]", $_->[1]) for ['src/a.py', "code\n"], ['src/deep/b.txt', "x\n"], ['run.sh', "#!/bin/sh\n"],
	['data/raw/1.csv', "1\n"], ['data/raw/sub/2.csv', "22\n"], ['model.bin', "m\n"], ["src/\x{c3}\x{bc}", "u\n"];
chmod 0755, "$repo/run.sh";
symlink('a.py', "$repo/src/link");
mkdir "$repo/.dag";
sub git { system('git', '-C', $repo, '-c', 'user.name=n', '-c', 'user.email=e@x', @_) == 0 or die "git @_" }
git('init', '-q', '-b', 'main');
ok_dag(0, 'data', $repo, 'add', '-q', 'data/raw', 'model.bin');
ok_dag(0, 'a remote', $repo, 'remote', 'add', '-q', '-d', 'store', "$top/store");
ok_dag(0, 'is pushed', $repo, 'push', '-q');
git('add', '-A');
git('commit', '-q', '-m', 'one');
git('tag', 'v1');
spew("$repo/data/raw/1.csv", "another\n");
spew("$repo/junk", "untracked\n");
ok_dag(0, 'more data', $repo, 'add', '-q', 'data/raw');
git('commit', '-qam', 'two');
unlink "$repo/model.bin";

sub ls { my ($what, @args) = @_; return ok_dag(0, $what, $top, 'ls', @args)->{out} }
my $u = "src/\x{c3}\x{bc}";

# ---- ls ----
is(ls('as it lies there', 'r'), ".gitignore\ndata\njunk\nmodel.bin\nmodel.bin.dvc\nrun.sh\nsrc\n", '... data that is not there, too');
is(ls('a directory', 'r', 'data'), ".gitignore\nraw\nraw.dvc\n", '... of it');
is(ls('a tracked one', 'r', 'data/raw/'), "1.csv\nsub\n", '... of it');
is(ls('a file', 'r', 'data/raw/sub/2.csv'), "2.csv\n", '... itself');
is(ls('all', '-R', 'r'), ".gitignore\ndata/.gitignore\ndata/raw.dvc\ndata/raw/1.csv\ndata/raw/sub/2.csv\njunk\nmodel.bin\nmodel.bin.dvc\nrun.sh\nsrc/a.py\nsrc/deep/b.txt\nsrc/link\n$u\n", '... by path');
is(ls('not deep', '-R', '--level', '2', '--dvc-only', 'r'), "data/raw\nmodel.bin\n", '... ends with directories');
is(ls('what is tracked', '--dvc-only', 'r'), "data\nmodel.bin\n", '... and what it lies in');
is(ls('nothing is tracked', '--dvc-only', 'r', 'src'), '', '... there');
is(ls('of a revision', '-R', '--rev', 'v1', 'r'), ".gitignore\ndata/.gitignore\ndata/raw.dvc\ndata/raw/1.csv\ndata/raw/sub/2.csv\nmodel.bin\nmodel.bin.dvc\nrun.sh\nsrc/a.py\nsrc/deep/b.txt\nsrc/link\n$u\n", '... nothing of the work tree');
is(ls('a tree', '--tree', 'r', 'data'), "data\n├── .gitignore\n├── raw\n│   ├── 1.csv\n│   └── sub\n│       └── 2.csv\n└── raw.dvc\n", '... is drawn');
is(ls('sizes and hashes', '--size', '--show-hash', 'r', 'data/raw/1.csv'), '8  ' . md5_hex("another\n") . "  1.csv\n", '... are shown');
is(ls('JSON', '--json', 'r', 'data/raw'), '[{"isout": true, "isdir": false, "isexec": false, "size": 8, "md5": "' . md5_hex("another\n") .
	'", "path": "1.csv"}, {"isout": true, "isdir": true, "isexec": false, "size": ' . (-s "$repo/data/raw/sub") . ', "md5": null, "path": "sub"}]' . "\n", "... in DVC's shape");
is(ls('JSON of a revision', '--json', '--rev', 'v1', 'r', 'run.sh'), '[{"isout": false, "isdir": false, "isexec": true, "size": 10, "md5": null, "path": "run.sh"}]' . "\n", '... of git');
like(ls('letters', '--json', '-R', 'r', 'src'), qr/"path": "\\u00fc"/, '... as Python has them');
my $tmp = $ENV{TMPDIR} = project();
is(ls('by an address', '--dvc-only', "file://$repo"), "data\nmodel.bin\n", '... git fetches it');
is(ls('and a revision', '-R', '--rev', 'v1', "file://$repo", 'data'), ".gitignore\nraw.dvc\nraw/1.csv\nraw/sub/2.csv\n", '... lists come from the remote');
is_deeply([glob("$tmp/dag-clone-*")], [], 'nothing of that is left');
is(ok_dag(0, 'from within', "$repo/src", 'ls', '.')->{out} =~ tr/\n//, 7, '... means its root');

# ---- get ----
sub get { my ($what, @args) = @_; return ok_dag(0, $what, $top, 'get', @args)->{out} }
get('a file', 'r', 'model.bin');
is(slurp("$top/model.bin"), "m\n", '... of the cache, its work tree has it not');
get('a directory', 'r', 'data/raw');
is(slurp("$top/raw/sub/2.csv"), "22\n", '... whole');
is(slurp("$top/raw/1.csv"), "another\n", '... as it is');
get('a part', '--rev', 'v1', 'r', 'data/raw/1.csv', '-o', 'old');
is(slurp("$top/old"), "1\n", '... of a revision');
get('a directory in it', 'r', 'data/raw/sub', '-o', 'new/place');
is(slurp("$top/new/place/2.csv"), "22\n", '... with the directories above');
get('of git', 'r', 'run.sh');
ok(-x "$top/run.sh", '... with its mode');
get('a link', '--rev', 'v1', 'r', 'src/link');
is(slurp("$top/link"), "code\n", '... is what it leads to');
get('both', '--rev', 'v1', 'r', 'data', '-o', 'both');
is(join(' ', map { s{^\Q$top\E/}{}r } sort grep { -f } glob("$top/both/{.*,*,*/*,*/*/*}")), 'both/.gitignore both/raw/1.csv both/raw/sub/2.csv', '... but pointers');
mkdir "$top/dd";
get('into a directory', 'r', 'model.bin', '-o', 'dd');
is(slurp("$top/dd/model.bin"), "m\n", '... under its name');
spew("$top/old", "mine\n");
get('--force', '-f', 'r', 'data/raw', '-o', 'old/');
is(slurp("$top/old/raw/1.csv") // slurp("$top/old/1.csv"), "another\n", '... replaces a file by a directory');
my $md5 = md5_hex("m\n");
is(get('--show-url', '--show-url', 'r', 'model.bin'), "$top/store/files/md5/" . substr($md5, 0, 2) . '/' . substr($md5, 2) . "\n", '... on the remote');
get('by an address', "file://$repo", 'data/raw', '--rev', 'v1', '-o', 'far');
is(slurp("$top/far/1.csv"), "1\n", '... from its remote');

# ---- what is refused leaves nothing ----
spew("$top/there", "mine\n");
mkdir "$top/empty";
my @no = (
	['no repository', 2, qr/there is no repository at 'empty'/, 'ls', 'empty'],
	['nothing there', 2, qr/there is no repository at 'nope'/, 'ls', 'nope'],
	['an address where nothing is', 3, qr/cannot fetch the repository/, 'ls', "file://$top/nope"],
	['an empty address', 2, qr/is empty/, 'ls', ''],
	['no path', 2, qr/there is no 'nope' in 'r'/, 'ls', 'r', 'nope'],
	['a path outside', 2, qr/leads out of the repository/, 'ls', 'r', '../x'],
	['no revision', 2, qr/nope/, 'ls', '--rev', 'nope', 'r'],
	['a tree in JSON', 2, qr/do not go together/, 'ls', '--tree', '--json', 'r'],
	['a level too many', 2, qr/level/, 'ls', '--level', '1001', 'r'],
	['--config', 2, qr/--config is not known: settings/, 'ls', '--config', 'x', 'r'],
	['--remote-config', 2, qr/--remote-config is not known/, 'get', '--remote-config', 'a=b', 'r', 'model.bin', '-o', 'n'],
	['what is there', 2, qr/'there' is there already: --force/, 'get', 'r', 'model.bin', '-o', 'there'],
	['no path', 2, qr/there is no 'nope' in 'r'/, 'get', 'r', 'nope', '-o', 'no/where'],
	['no path in a tracked directory', 2, qr/there is no 'nope' in 'data\/raw'/, 'get', 'r', 'data/raw/nope'],
	['a pointer', 2, qr/would be a pointer/, 'get', 'r', 'data/raw.dvc'],
	['all without a name', 2, qr/has no name/, 'get', 'r', '.'],
	['no such remote', 2, qr/nope/, 'get', '--remote', 'nope', '--show-url', 'r', 'model.bin'],
	['a url of what git has', 2, qr/is not tracked by content/, 'get', '--show-url', 'r', 'run.sh'],
);
sub tree { join "\n", `cd $top && find . -path ./r/.dag -prune -o -printf '%p %s %y\n' | sort` }
my $before = tree();
for my $c (@no) {
	my ($what, $rc, $re, @args) = @$c;
	my $r = finish(start($top, @args));
	is($r->{rc}, $rc, "$args[0]: $what: exit $rc") or diag $r->{err};
	like($r->{err}, $re, "$what: is said");
}
is(tree(), $before, 'nothing of that has made anything');

# Damaged and missing objects: named, and nothing is made.
my $two = md5_hex("22\n");
my $path = "files/md5/" . substr($two, 0, 2) . '/' . substr($two, 2);
for my $d ("$repo/.dag/cache", "$top/store") { chmod 0644, "$d/$path"; spew("$d/$path", "xx\n") }
my $r = finish(start($top, 'get', 'r', 'data/raw', '-o', 'n'));
is($r->{rc}, 1, 'a damaged object: exit 1');
like($r->{err}, qr/sub\/2\.csv/, '... is named');
unlink "$_/$path" for "$repo/.dag/cache", "$top/store";
$r = finish(start($top, 'get', 'r', 'data/raw', '-o', 'n'));
is($r->{rc}, 1, 'a missing object: exit 1');
like($r->{err}, qr/sub\/2\.csv/, '... is named');
ok(!-e "$top/n", '... nothing is half there');
is(tree() =~ s/.*\Q$path\E.*\n+//gr, $before =~ s/.*\Q$path\E.*\n+//gr, 'and nothing beside it');
done_testing();
