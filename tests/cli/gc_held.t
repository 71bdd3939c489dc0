#!/usr/bin/perl
# dag gc of data beside runs: what a run that has not ended may use stays.
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
my $top = abs_path(tempdir('dag-held-XXXXXX', defined $base ? (DIR => $base) : (TMPDIR => 1), CLEANUP => 1));
my $r = "$top/r";
$ENV{HOME} = "$top/home";
$ENV{XDG_CONFIG_HOME} = "$top/home/.config";
$ENV{XDG_CONFIG_DIRS} = "$top/etc";
$ENV{GIT_CONFIG_NOSYSTEM} = 1;
make_path("$top/home", "$r/.dag");

sub git { my ($dir, @args) = @_; system('git', '-C', $dir, '-c', 'user.name=t', '-c', 'user.email=t@t', @args) == 0 or die "git @args" }
sub object { my ($text) = @_; my $hex = md5_hex($text); return "$r/.dag/cache/files/md5/" . substr($hex, 0, 2) . '/' . substr($hex, 2) }
sub has { my ($text) = @_; return -e object($text) ? 1 : 0 }
sub gc { return ok_dag(0, "gc @_", $r, 'gc', '-w', '--force', '--grace', '0', @_) }
sub held { return "$r/.dag/runs/" . (run_id($r) // 'none') . '/held' }

# What is tracked is this now, and what was is nobody's.
sub version {
	my ($text) = @_;
	unlink("$r/x"); # a link of hardlink or symlink is for reading
	spew("$r/x", $text);
	ok_dag(0, "x is '$text'", $r, 'add', '-q', 'x');
}

# A run that reads x and lasts until `go` is there.
spew("$r/p.yaml", "tasks:\n  w: {inputs: [x], run: 'until [ -e go ]; do sleep 0.02; done; cat x'}\n");
sub begin {
	unlink("$r/go");
	my $p = start($r, 'run', 'p.yaml', @_);
	wait_for('the run to begin', sub { (run_id($r) // '') ne '' && dag_in($r, 'runs', 'last', '--json')->{out} =~ /"state": "running".*"state": "running"/s && -e held() });
	return $p;
}
sub over { my ($p) = @_; spew("$r/go", ''); return finish($p) }

ok_dag(0, 'links into the cache', $r, 'config', 'cache.type', 'symlink');
version('v1');
spew("$r/d/a", 'da');
ok_dag(0, 'a directory', $r, 'add', '-q', 'd');
my ($list) = slurp("$r/d.dvc") =~ /md5: ([0-9a-f]{32})\.dir/;

my $p = begin();
is(slurp(held()), "$list.dir d\n" . md5_hex('v1') . " x\n. 2\n", 'what the run uses is written down');
# Pointers change while it lasts.
version('v2');
ok_dag(0, 'd is not tracked any more', $r, 'remove', 'd.dvc');
like(gc('--dry')->{err}, qr/^dag: objects stay that only runs use which have not ended \('dag runs' names them\)$/m, '... tells that something stays');
like(gc()->{out}, qr/nothing to remove from the cache/, '... and nothing goes');
is(join('', map { has($_) } 'v1', 'v2', 'da'), '111', '... all is there');
ok_dag(0, 'a remote', $r, 'remote', 'add', '-q', '-d', 'rem', '../rem');
spew("$r/x.dvc.new", slurp("$r/x.dvc"));
spew("$r/x.dvc", slurp("$r/x.dvc") =~ s/[0-9a-f]{32}/md5_hex('v1')/er);
ok_dag(0, 'push', $r, 'push', '-q');
rename("$r/x.dvc.new", "$r/x.dvc") or die $!;
ok_dag(0, 'push', $r, 'push', '-q');
gc('--not-in-remote');
is(join('', map { has($_) } 'v1', 'v2', 'da'), '101', '... also of what the remote has: only what the run uses');
ok_dag(0, 'pull', $r, 'pull', '-q', 'x');
is(over($p)->{rc}, 0, 'the run ends');
ok(!-e held(), '... and uses nothing any more');
gc();
is(join('', map { has($_) } 'v1', 'da'), '00', '... so it goes');

# Killed: it can be resumed, and needs what it needed.
version('v3');
$p = begin();
kill 'KILL', $p->{pid};
finish($p);
version('v4');
gc();
is(join('', map { has($_) } 'v3', 'v4'), '11', 'an interrupted run uses it still');
spew("$r/go", '');
ok_dag(0, 'resume', $r, 'resume', 'last');
gc();
is(join('', map { has($_) } 'v3', 'v4'), '01', '... until it has ended');
# A retry begins anew, with what is named then.
$p = do { unlink("$r/go"); start($r, 'retry', 'last', '--from', 'w') };
wait_for('the retry', sub { -e held() });
version('v5');
gc();
is(join('', map { has($_) } 'v4', 'v5'), '11', 'a retry uses what is there when it begins');
is(over($p)->{rc}, 0, '... and ends');
# One that nobody wants any more.
$p = begin();
kill 'KILL', $p->{pid};
finish($p);
version('v6');
ok_dag(0, 'cancel', $r, 'cancel', 'last');
gc();
is(join('', map { has($_) } 'v5', 'v6'), '01', 'a cancelled one uses nothing');

# What it wrote down is lost: then it is what its commit names.
SKIP: {
	skip 'git is not installed', 6 if system('git --version >/dev/null 2>&1') != 0;
	git($r, qw(init -q -b main));
	spew("$r/.gitignore", "go\n/x\n");
	git($r, qw(add -A));
	git($r, qw(commit -qm 1));
	$p = begin();
	wait_for('its commit', sub { dag_in($r, 'runs', 'last', '--json')->{out} =~ /"git_commit": "[0-9a-f]{40}"/ });
	version('v7');
	git($r, qw(commit -qa --amend -m 2));
	spew(held(), substr(slurp(held()), 0, -1));
	gc();
	is(join('', map { has($_) } 'v6', 'v7'), '11', 'what the commit names stays');
	unlink(held());
	gc();
	is(has('v6'), 1, '... also where nothing is written down');
	# Of another project that shares the cache.
	make_path("$top/o/.dag");
	my $q = ok_dag(0, 'gc of another project', "$top/o", 'gc', '-w', '--dry', '-p', $r);
	is($q->{rc}, 0, '... reads what runs use there');
	is(over($p)->{rc}, 0, 'it ends');
	gc();
	is(has('v6'), 0, '... then it goes');
}
# What it wrote down makes no sense: nothing is removed.
$p = begin();
my $whole = slurp(held());
version('v8');
spew(held(), $whole =~ s/^[0-9a-f]{3}/xyz/r);
my $d = ok_dag(3, 'a damaged file', $r, 'gc', '-w', '--force', '--grace', '0');
like($d->{err}, qr/held' does not say what run [0-9a-f-]{36} uses: 'dag resume' or 'dag cancel' ends the run/, '... is named');
is(over($p)->{rc}, 0, 'the run ends well');
gc();

# Nothing is tracked: nothing is written.
remove_tree("$r/.dag");
make_path("$r/.dag");
spew("$r/q.yaml", "tasks:\n  t: {run: 'ls \$(dirname \$DAG_OUTPUT)/..'}\n");
ok_dag(0, 'a run where nothing is tracked', $r, 'run', 'q.yaml');
unlike(dag_in($r, 'logs', 'last', 't')->{out}, qr/held/, '... writes nothing down');

# Results of tasks, which the lock file beside the DAG file names, stay; what none names goes.
my $q = project('in' => "1\n", 'p.yaml' => "tasks:\n  a: {run: cat in > o; mkdir -p d; cp in d/x, inputs: [in], outputs: [o, d]}\n");
ok_dag(0, 'links', $q, 'config', 'cache.type', 'symlink');
ok_dag(0, 'a run', $q, 'run', 'p.yaml', '--progress', 'none');
spew("$q/in", "2\n");
ok_dag(0, 'another', $q, 'run', 'p.yaml', '--progress', 'none');
ok_dag(0, 'gc', $q, 'gc', '-w', '-f', '--grace', '0s');
is(slurp("$q/o") . slurp("$q/d/x"), "2\n2\n", '... leaves what the lock file names');
ok(!-e "$q/.dag/cache/files/md5/b0/26324c6904b2a9cb4b88d6d61c81d1", '... and not what it does not');
like(ok_dag(0, 'once more', $q, 'run', 'p.yaml')->{out}, qr/ a: unchanged /, '... nothing is to be made again');

# Results of one date, which no lock file names, where the links that lead to them are all there is of them.
spew("$q/dated.yaml", "tasks:\n  a: {run: 'echo {{ ds }} > by/{{ ds }}', outputs: ['by/{{ ds }}']}\n");
my @days = ('2026-11-01', '2026-11-02');
my @of = map { "$q/.dag/cache/files/md5/" . md5_hex("$_\n") =~ s{^..\K}{/}r } @days;
ok_dag(0, "a run for $_", $q, 'run', 'dated.yaml', '--date', $_) for @days;
is(scalar(grep { -l "$q/by/$_" } @days), 2, '... leaves links');
my $links = ok_dag(0, 'gc', $q, 'gc', '-w', '-f', '--grace', '0s');
is(join('', map { slurp("$q/by/$_") } @days), join('', map { "$_\n" } @days), '... leaves what links lead to');
like($links->{err}, qr/^dag: objects stay that nothing names, but links in the work tree lead to$/m, '... and says so');
my $other = project('in' => "1\n");
ok_dag(0, 'another project', $other, 'config', 'cache.dir', "$q/.dag/cache");
ok_dag(0, 'gc from there', $other, 'gc', '-w', '-f', '--grace', '0s', '-p', $q);
is(scalar(grep { -e } @of), 2, '... leaves what links of a project that it is told of lead to');
unlink "$q/by/$days[0]";
ok_dag(0, 'gc', $q, 'gc', '-w', '-f', '--grace', '0s');
is(join(' ', map { -e $_ ? 1 : 0 } @of), '0 1', '... takes what none leads to');
unlink "$q/by/$days[1]";
symlink($of[0], "$q/by/nowhere") or die;
is(ok_dag(0, 'gc', $q, 'gc', '-w', '-f', '--grace', '0s')->{err}, '', '... and says nothing of a link that leads nowhere');
spew("$q/p.dag.lock", "stages: [\n");
like(ok_dag(2, 'one that is spoilt', $q, 'gc', '-w', '-f', '--grace', '0s')->{err}, qr/^p\.dag\.lock:1:10: error: /m, '... is named');
mkdir("$q/no");
rename("$q/p.dag.lock", "$q/no/p.dag.lock");
spew("$q/.dvcignore", "no\n");
like(ok_dag(2, '... also where nobody else looks', $q, 'gc', '-w', '-f', '--grace', '0s')->{err}, qr/what 'no\/p\.dag\.lock' names is not known/, '... is named');
is(slurp("$q/o"), "2\n", '... and nothing goes');
done_testing();
