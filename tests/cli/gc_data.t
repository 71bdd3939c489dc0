#!/usr/bin/perl
# dag gc of data: what is named somewhere stays, the rest goes, in the cache and on a remote.
use strict;
use warnings;
use Cwd qw(abs_path);
use Digest::MD5 qw(md5_hex);
use File::Basename qw(dirname);
use File::Path qw(make_path remove_tree);
use File::Temp qw(tempdir);
use lib dirname(__FILE__);
use Cli qw(:DEFAULT home git object);
use Test::More;

my $top = abs_path(tempdir('dag-gc-XXXXXX', TMPDIR => 1, CLEANUP => 1));
my ($r, $rem) = ("$top/r", "$top/rem");
my $cache = "$r/.dag/cache";
home($top);
make_path($r);

sub has { my ($store, $text) = @_; return -e object($store, md5_hex($text)) ? 1 : 0 }

sub version {
	my ($text) = @_;
	spew("$r/a", $text);
	ok_dag(0, "add $text", $r, 'add', '-q', 'a');
}

sub gc { return ok_dag(0, "gc @_", $r, 'gc', '--force', '--grace', '0', @_) }

git($r, qw(init -q -b main));
spew("$r/d/x", 'dx');
spew("$r/d/y", 'dy');
ok_dag(0, 'add a directory', $r, 'add', '-q', 'd');
ok_dag(0, 'remote', $r, 'remote', 'add', '-q', '-d', 'r', '../rem');
version('first');
git($r, qw(add -A));
git($r, qw(commit -qm 1));
version('second');
git($r, qw(commit -qam 2));
version('branch');
git($r, qw(switch -qc other));
git($r, qw(commit -qam other));
git($r, qw(switch -q main));
version('tag');
git($r, qw(commit -qam tagged));
git($r, qw(tag v1));
git($r, qw(reset -q --hard HEAD~1));
version('stash');
git($r, qw(stash -q));
version('tree');
git($r, 'worktree', 'add', '-q', '--detach', "$top/w");
spew("$top/w/a.dvc", "outs:\n- md5: " . md5_hex('tree') . "\n  size: 4\n  hash: md5\n  path: a\n");
git("$top/w", qw(commit -qam tree));
version('nobody');
version('now');
my @all = qw(first second branch tag stash tree nobody now dx dy);
is(join(' ', grep { !has($cache, $_) } @all), '', 'all is in the cache');
ok_dag(0, 'push all that is named', $r, 'push', '-q', '-A');
ok_dag(0, 'push', $r, 'push', '-q');

# What is refused.
usage($r, 'say what is to go: dag gc --runs --keep 30d for old runs, dag gc --workspace for data that nothing names', 'gc');
usage($r, 'this removes data for good: --dry shows what, --force does it where nobody can be asked', 'gc', '-w');
usage($r, '--num has a meaning with --rev or --all-branches only', 'gc', '-w', '-n', '2');
usage($r, '--remote has a meaning with --cloud or --not-in-remote only', 'gc', '-w', '-r', 'r');
usage($r, "--grace: 'x' is no age (30m, 2d)", 'gc', '-w', '--grace', 'x');
usage($r, "runs and data are two calls: 'dag gc --runs' knows nothing of --workspace and the like", 'gc', '-w', '--runs', '--keep', '3');
usage($r, '--keep, --dag and --last-too have a meaning with --runs only; of data --grace says what is young', 'gc', '-w', '--keep', '3');
for my $stray (['num', 2], ['projects', '.'], ['cloud'], ['remote', 'r'], ['not-in-remote'], ['grace', '1h'], ['skip-failed']) {
	usage($r, "--$stray->[0] has a meaning for data only: say what of it stays (--workspace, --all-commits, --date ...)",
		'gc', '--runs', '--keep', '3', "--$stray->[0]", @$stray[1 .. $#$stray]);
}
usage($r, "--date: '$_' is no date (2026-11-22)", 'gc', "--date=$_") for '', 'x', '2026-13-01', '2026-1-1', '22.11.2026';
usage($r, '--not-in-remote and --cloud are two calls: the first takes from the cache what the remote has, the second from both what nobody uses', 'gc', '-w', '-c', '--not-in-remote');
usage($r, '--skip-failed would remove what cannot be read: mend or delete the branch or the tag that is named, then call gc without it', 'gc', '-w', '--skip-failed');
like(ok_dag(2, 'gc -p of nothing', $r, 'gc', '-w', '-f', '-p', "$top/nowhere")->{err}, qr/project '\Q$top\E\/nowhere'.*nowhere/, '... names it');
make_path("$top/empty");
like(ok_dag(2, 'gc -p of no repository', $r, 'gc', '-w', '-f', '-p', "$top/empty")->{err}, qr/project '\Q$top\E\/empty': there is neither \.dag nor \.dvc nor git/, '... names it');
is(join(' ', grep { !has($cache, $_) } @all), '', '... nothing is gone');

# What is young stays; --dry removes nothing.
my $p = ok_dag(0, 'gc of what is young', $r, 'gc', '-w', '-f');
is($p->{out}, "nothing to remove from the cache\n", '... does nothing');
like($p->{err}, qr/2 objects that nothing uses stay in the cache, being younger than 1h/, '... and says so');
$p = ok_dag(0, 'gc --dry', $r, 'gc', '-w', '--grace', '0', '--dry');
like($p->{out}, qr/^would remove \Q@{[object($cache, md5_hex('nobody'))]}\E$/m, '... names it');
like($p->{out}, qr/^would remove 2 objects, \S+ \S+, from the cache$/m, '... counts');
is(join(' ', grep { !has($cache, $_) } @all), '', '... and removes nothing');

# Without a grace nothing is young: of the same second, or of a clock that goes ahead.
for my $none ('0', '0s', '0d') {
	utime time + 3600, time + 3600, object($cache, md5_hex('nobody')) or die;
	$p = ok_dag(0, "gc --grace $none", $r, 'gc', '-w', '--grace', $none, '--dry');
	like($p->{out}, qr/^would remove 2 objects, /m, '... finds all');
	is($p->{err}, '', '... none is young');
}

# What a commit alone names stays with -A, and with --rev.
is(gc('-A')->{out}, "removed 1 object, 6 B, from the cache\n", 'what no commit names goes');
is(join(' ', grep { !has($cache, $_) } @all), 'nobody', '... nothing else');
gc('--rev', 'HEAD', '-n', '2');
is(join(' ', grep { !has($cache, $_) } @all), 'nobody', '... nor with the last two commits');
is(gc('-w')->{out}, "removed 1 object, 5 B, from the cache\n", 'of the work tree');
is(join(' ', grep { !has($cache, $_) } @all), 'first nobody', '... branches, tags, stashes, other work trees are protected');
is(gc('-w')->{out}, "nothing to remove from the cache\n", 'again');

# On the remote: also where the list of a directory is only there.
ok(has($rem, 'first'), 'the remote has what the cache had');
my ($id) = slurp("$r/d.dvc") =~ /md5: (\w+)\.dir/;
unlink object($cache, $id) . '.dir';
is(gc('-w', '-c')->{out}, "nothing to remove from the cache\nremoved 1 object, 5 B, from the remote\n", 'of the remote');
is(join(' ', grep { !has($rem, $_) } @all), 'first nobody', '... what is used stays, also by a list that is only there');

# A list that is damaged: nothing is known of its files, so nothing is removed.
spew(object($cache, $id) . '.dir', '[]');
version('more');
version('now');
$p = ok_dag(3, 'gc with a damaged list', $r, 'gc', '-w', '-f', '--grace', '0');
like($p->{err}, qr/\Q$id\E|\.dir/, '... names it');
ok(has($cache, 'more') && has($cache, 'dx'), '... nothing is gone');
unlink object($cache, $id) . '.dir';
ok_dag(0, 'got again', $r, 'fetch', '-q');

# A pointer that cannot be read: the same.
spew("$r/bad.dvc", "outs:\n- md5: 12\n  path: bad\n");
ok_dag(2, 'gc with a wrong pointer', $r, 'gc', '-w', '-f', '--grace', '0');
git($r, qw(add bad.dvc));
git($r, qw(switch -qc broken));
git($r, qw(commit -qm bad bad.dvc));
git($r, qw(switch -q main));
like(ok_dag(2, '... on a branch', $r, 'gc', '-w', '-f', '--grace', '0')->{err}, qr/bad\.dvc/, '... is named');
ok(has($cache, 'more'), '... nothing is gone');
git($r, qw(branch -qD broken));

# --not-in-remote: the cache needs no second copy.
gc('-w', '--not-in-remote');
is(join(' ', grep { has($cache, $_) } @all), '', 'what the remote has goes from the cache');
is(join(' ', grep { !has($rem, $_) } @all), 'first nobody', '... and stays there');
ok_dag(0, 'all comes back', $r, 'fetch', '-q', '-a');
ok(has($cache, 'branch') && has($cache, 'dx'), '... from there');

# Cut after each removal: a list is never there without its files.
for my $n (1 .. 3) {
	spew("$r/d/z", "dz $n");
	spew("$r/d/zz", "dzz $n");
	ok_dag(0, 'a directory', $r, 'add', '-q', 'd');
	ok_dag(0, '... pushed', $r, 'push', '-q');
	unlink "$r/d/z", "$r/d/zz";
	git($r, qw(checkout -q HEAD -- d.dvc));
	ok_dag(0, '... and named by nobody', $r, 'checkout', '-q', '-f');
	my @lists = grep { slurp($_) =~ /"zz?"/ } glob("$rem/files/md5/*/*.dir"), glob("$cache/files/md5/*/*.dir");
	is(scalar @lists, 2, '... has a list on both sides');
	my $cut;
	{
		local $ENV{DAG_FAULT} = "sweep-removed:$n";
		$cut = dag_in($r, 'gc', '-w', '-c', '-f', '--grace', '0');
	}
	isnt($cut->{rc}, 0, "gc cut after removal $n");
	for my $store ($cache, $rem) {
		my @lack = grep { my $t = slurp($_); grep { !-e object($store, $_) } $t =~ /"md5": "([0-9a-f]{32})"/g } glob("$store/files/md5/*/*.dir");
		is("@lack", '', '... no list lacks a file');
	}
	gc('-w', '-c');
	ok(!has($rem, "dz $n") && !has($rem, "dzz $n") && !has($cache, "dz $n"), '... all is gone');
	ok(has($rem, 'dx') && has($cache, 'dx'), '... what is used is not');
}

# What commits since a day name, or experiments, or other repositories.
($r, $cache) = ("$top/s", "$top/s/.dag/cache");
make_path($r);
git($r, qw(init -q -b main));
my $day = 86400;
for my $c (['old', 1700000000 - 3 * $day], ['that', 1700000000], ['newer', 1700000000 + $day], ['now', 1700000000 + 2 * $day]) {
	local $ENV{GIT_COMMITTER_DATE} = "$c->[1] +0000";
	version($c->[0]);
	git($r, qw(add -A));
	git($r, qw(commit -qm), $c->[0]);
}
my $base = qx(git -C $r rev-parse HEAD);
chomp $base;
git($r, qw(switch -q --detach));
for my $e (qw(exp1 exp2)) {
	local $ENV{GIT_COMMITTER_DATE} = (1700000000 - 9 * $day) . ' +0000';
	version($e);
	git($r, qw(commit -qam), $e);
}
git($r, 'update-ref', 'refs/exps/' . substr($base, 0, 2) . '/' . substr($base, 2) . '/x', 'HEAD');
git($r, qw(switch -q main));
ok_dag(0, 'as it was', $r, 'checkout', '-q');
my @named = qw(old that newer now exp1 exp2);
my $lost = sub { join(' ', grep { !has($cache, $_) } @named) };
{
	local $ENV{TZ} = 'UTC';
	my $first = gc('--all-experiments', '--date', '2023-11-11', '--dry', '--json');
	is($first->{out}, <<"END", 'gc --dry --json of nothing');
{
  "dry_run": true,
  "cache": {
    "objects": 0,
    "bytes": 0,
    "used": 6,
    "young": 0,
    "paths": []
  },
  "remote": null,
  "unknown": 0
}
END
	gc('--all-experiments', '--date', '2023-11-14');
	is($lost->(), 'old', 'what a commit before that day names goes, experiments stay');
	local $ENV{TZ} = 'Asia/Tokyo';
	gc('--date', '2023-11-15', '--all-experiments');
	is($lost->(), 'old', 'a day begins at midnight where we are');
	gc('--date', '2023-11-15T00:00:00Z', '--all-experiments');
	is($lost->(), 'old that', 'an instant is one anywhere');
}
my $json = gc('--all-commits', '--json');
is($lost->(), 'old that', 'a commit of an experiment is one');
like($json->{out}, qr/"dry_run": false,\s+"cache": \{\s+"objects": 0,/, '... as JSON');
$json = gc('--date', '2023-11-16', '--json');
is($lost->(), 'old that newer exp1 exp2', 'without experiments they go');
my @paths = map { object($cache, md5_hex($_)) } qw(exp1 exp2 newer);
my ($in) = $json->{out} =~ /"paths": \[(.*?)\]/;
is(join(' ', sort $in =~ /"([^"]+)"/g), join(' ', sort @paths), '... and JSON names them');

# One cache for two repositories.
make_path("$top/p1", "$top/p2");
for my $p (qw(p1 p2)) {
	git("$top/$p", qw(init -q -b main));
	ok_dag(0, "a cache for $p", "$top/$p", qw(config cache.dir), "$top/shared");
	spew("$top/$p/f", "f $p 1");
	ok_dag(0, "add in $p", "$top/$p", qw(add -q f));
	git("$top/$p", qw(add -A));
	git("$top/$p", qw(commit -qm 1));
	spew("$top/$p/f", "f $p 2");
	ok_dag(0, "add in $p", "$top/$p", qw(add -q f));
}
@named = ('f p1 1', 'f p1 2', 'f p2 1', 'f p2 2');
$cache = "$top/shared";
$r = "$top/p1";
gc('-w', '-p', '../p2', '-p', $top . '/p2/');
is($lost->(), '', 'what another project names stays: its work tree, its branches');
spew("$top/p2/g.dvc", "outs:\n- md5: 12\n  path: g\n");
like(ok_dag(2, 'a pointer there that cannot be read', $r, qw(gc -w -f --grace 0 -p ../p2))->{err}, qr/project '\.\.\/p2': .*g\.dvc/, '... is named');
unlink "$top/p2/g.dvc";
is($lost->(), '', '... nothing is gone');
gc('-w');
is($lost->(), 'f p2 1 f p2 2', 'without -p it goes');

# A list that is young stays, and so do its files, which are old: somebody may have just pushed it.
spew("$r/young/$_", "young $_") for qw(f g);
spew("$r/old/$_", "old $_") for qw(f g);
ok_dag(0, 'add', $r, 'add', '-q', 'young', 'old');
$rem = "$top/rem2";
ok_dag(0, 'remote', $r, 'remote', 'add', '-q', '-d', 'again', '../rem2');
ok_dag(0, 'push', $r, 'push', '-q', 'young', 'old');
my ($list) = slurp("$r/young.dvc") =~ /md5: (\S+)/;
unlink "$r/young.dvc", "$r/old.dvc";
sleep 4;
utime undef, undef, object($_, $list) or die $! for $cache, $rem;
ok_dag(0, 'gc', $r, 'gc', '-q', '--force', '--grace', '2s', '-w', '-c');
for my $store ($cache, $rem) {
	ok(-e object($store, $list), 'a young list stays');
	ok(has($store, 'young f') && has($store, 'young g'), '... with its files');
	ok(!has($store, 'old f') && !has($store, 'old g'), '... what is old goes');
}

# What a killed push has left on the remote goes when it is a day old, whatever the grace.
my @left = map { "$rem/$_" } 'files/md5/00/.abcdefghijklmnopqrstuv.tmp', 'files/md5/.abcdefghijklmnopqrstuw.tmp', 'runs/ab/abc/.dag-0123456789abcdef.tmp';
for my $hours (23, 25) {
	spew($_, 'x') for @left;
	utime time - $hours * 3600, time - $hours * 3600, @left;
	ok_dag(0, 'gc', $r, 'gc', '-q', '--force', '--grace', $_, '-w', '-c') for '48h', '0';
	is(scalar(grep { -e } @left), $hours < 24 ? 3 : 0, "leftovers on the remote after $hours h");
	spew($_, 'x') for @left;
	utime time - $hours * 3600, time - $hours * 3600, @left;
	ok_dag(0, 'gc', $r, 'gc', '-q', '--force', '--grace', '2d', '-w', '-c');
	is(scalar(grep { -e } @left), 3, '... with a longer grace');
	ok_dag(0, 'gc', $r, 'gc', '-q', '--force', '--grace', '0', '-w');
	ok_dag(0, 'gc', $r, 'gc', '-q', '--force', '--grace', '0', '-w', '-c', '--dry');
	is(scalar(grep { -e } @left), 3, '... without --cloud, with --dry');
}

# The list of a directory is nowhere: which objects its files are is not known.
($r, $cache) = ("$top/l", "$top/l/.dag/cache");
make_path("$r/.dag");
git($r, qw(init -q -b main));
my $d = sub { map { "$r/$_" } @_ };
for my $type (qw(symlink hardlink copy)) {
	ok_dag(0, "cache.type $type", $r, 'config', 'cache.type', $type);
	remove_tree("$r/d");
	spew("$r/d/$_", "$type $_") for qw(x in/y);
	ok_dag(0, 'add', $r, 'add', '-q', 'd');
	($list) = slurp("$r/d.dvc") =~ /md5: (\S+)/;
	unlink object($cache, $list);
	for my $how ([], ['--json'], ['--dry']) {
		my $p = ok_dag(1, "gc @$how without a list", $r, qw(gc -w -f --grace 0), @$how);
		is($p->{err}, "dag: error: 'd' is tracked and has files here, but its list is not in the cache, so that it is not known which objects they are: "
			. "nothing was removed; 'dag fetch' gets the list, 'dag commit' makes it anew from the files\n", '... says so');
		is($p->{out}, '', '... nothing else');
	}
	make_path("$r/in");
	like(ok_dag(1, '... from elsewhere', "$r/in", qw(gc -w -f --grace 0))->{err}, qr/^dag: error: '\.\.\/d' is tracked/, '... as seen from there');
	like(ok_dag(1, '... from another project', "$top/p1", qw(gc -w -f --grace 0 -p), $r)->{err}, qr/'\Q$r\E\/d' is tracked/, '... likewise');
	is(join(' ', map { slurp($_) } $d->(qw(d/x d/in/y))), "$type x $type in/y", '... its files are there');
	ok(has($cache, "$type x") && has($cache, "$type in/y"), '... in the cache too');
	ok_dag(0, 'commit', $r, 'commit', '-q', 'd');
	gc('-w');
	ok(has($cache, "$type x") && -e object($cache, $list), '... and gc works again');
}

# A branch whose directory was left without a checkout: the list of what lies there is nowhere.
ok_dag(0, 'symbolic links', $r, 'config', 'cache.type', 'symlink');
for my $branch (qw(left main)) {
	git($r, 'switch', '-q', '-C', $branch);
	remove_tree("$r/d");
	spew("$r/d/$_", "$branch $_") for qw(x in/y);
	ok_dag(0, 'add', $r, 'add', '-q', 'd');
	git($r, qw(add -A));
	git($r, qw(commit -qm), $branch);
}
git($r, qw(switch -q left));
ok_dag(0, 'checkout', $r, 'checkout', '-q');
git($r, qw(switch -q main));
my ($left) = qx(git -C $r show left:d.dvc) =~ /md5: (\S+)/;
unlink object($cache, $left);
like(gc('-w')->{err}, qr/the lists of 1 directory that are used are not here/, 'a list of a branch that is nowhere');
is(join(' ', map { slurp($_) // '-' } $d->(qw(d/x d/in/y))), 'left x left in/y', '... what links lead to stays');
ok_dag(0, 'checkout', $r, 'checkout', '-q', '-f');
gc('-w');
ok(!has($cache, 'left x') && has($cache, 'main x'), '... until none does');

# What may not be read may have pointers in it.
SKIP: {
	my $uid = getpwnam('nobody');
	skip 'only root can be somebody else', 1 if $> != 0 || !defined $uid;
	spew("$r/sub/f", 'closed');
	ok_dag(0, 'add', $r, 'add', '-q', 'sub/f');
	system('chown', '-R', 'nobody', $r, $top) == 0 or die;
	chmod 0711, $top;
	my $as_nobody = sub {
		my ($rc, $name, @args) = @_;
		my $said = qx(cd $r && setpriv --reuid=$uid --clear-groups @{[build()]}/bin/dag @args 2>&1);
		is($? >> 8, $rc, $name) or diag($said);
		return $said;
	};
	for my $mode (0, 0111, 0444) {
		chmod $mode, "$r/sub";
		like($as_nobody->(3, 'gc with a closed directory', qw(gc -w -f --grace 0)), qr/^dag: error: cannot tell what is tracked in the directory 'sub'/, '... names it');
		ok(has($cache, 'closed'), '... nothing is gone');
		$as_nobody->(0, 'status goes on', 'status', 'd');
	}
	like($as_nobody->(3, 'gc -p', qw(gc -w -f --grace 0 -p .)), qr/'sub'/, '... likewise');
	spew("$r/.dvcignore", "/sub\n");
	$as_nobody->(0, 'what is ignored does not count', qw(gc -q -w --dry --grace 0));
	unlink "$r/.dvcignore";
	chmod 0755, "$r/sub";
	$as_nobody->(0, 'gc', qw(gc -q -w -f --grace 0));
	ok(has($cache, 'closed'), '... keeps what the pointer there names');
}
done_testing();
