#!/usr/bin/perl
# dag exp run: experiments in work trees of their own; the user's is not touched, whatever happens.
use strict;
use warnings;
use File::Basename qw(dirname);
use File::Find;
use lib dirname(__FILE__);
use Cli qw(:DEFAULT home);
use Digest::MD5 qw(md5_hex);
use JSON::PP;
use POSIX ();
use Test::More;

my $dir = project(
	'params.yaml' => "# how it learns\ntrain:\n  lr: 0.1  # rate\nseed: 42\n",
	'train.sh' => <<'E',
lr=$(sed -n 's/.*lr: *\([^ ]*\).*/\1/p' params.yaml)
[ -z "$GATE" ] || { : > "$GATE/$lr.here"; while [ ! -e "$GATE/go" ]; do sleep 0.02; done; }
[ "$lr" != bad ] || { echo "no such rate"; exit 3; }
echo "model $lr" > model.txt
echo "{\"acc\": $lr}" > metrics.json
E
	'dvc.yaml' => <<'E',
stages:
  train:
    cmd: sh train.sh
    deps: [data.txt, train.sh]
    params: [train]
    outs: [model.txt]
    metrics:
    - metrics.json:
        cache: false
  other:
    cmd: cp data.txt other.txt
    deps: [data.txt]
    outs: [other.txt]
E
	'data.txt' => "data\n",
	'.gitignore' => "/.dag\n");
home($dir . '/.dag');
my @git = ('git', '-C', $dir);

sub git { system(@git, @_) == 0 or die "git @_" }
sub said { open(my $f, '-|', @git, @_) or die; local $/; my $all = <$f>; close $f; $all =~ s{\n\z}{}; $all }
sub run { my ($rc, $what, @words) = @_; ok_dag($rc, $what, $dir, 'exp', 'run', @words) }
sub refs { map { m{([^/]+)$} } split /\n/, said('for-each-ref', '--format=%(refname)', 'refs/exps') }
sub of { my ($name, $file) = @_; said('show', "refs/exps/@{[substr said('rev-parse', 'HEAD'), 0, 2]}/@{[substr said('rev-parse', 'HEAD'), 2]}/$name:$file") }
sub trials { grep { !/guard|failed/ } map { s{.*/}{}r } glob("$dir/.dag/exp/*") }

# All that is the user's, byte for byte, with what git has of it.
sub mine {
	my %all;
	find({no_chdir => 1, wanted => sub {
		$File::Find::prune = 1, return if m{/\.dag\z|/\.git/(?:objects|refs|logs)\z};
		my @st = lstat;
		$all{$_} = -l _ ? readlink : -f _ ? "$st[9] $st[2] " . md5_hex(slurp($_)) : $st[2];
	}}, $dir);
	return \%all;
}

# Bad input: nothing is made, nothing has changed.
sub bad {
	my ($what, $like, @words) = @_;
	my $p = run(2, $what, @words);
	like($p->{err}, $like, '... says so');
	is(join(' ', refs(), trials()), '', '... and nothing is made');
}

# The same where there are experiments already.
sub bad2 {
	my ($what, $like, @words) = @_;
	like(run(2, $what, @words)->{err}, $like, '... says so');
	is(join(' ', trials()), '', '... and nothing is made');
}

git('init', '-q', '-b', 'main');
bad('no commit', qr/there is no commit yet/);
git('config', 'user.name', 't');
git('config', 'user.email', 't@example.org');
ok_dag(0, 'add', $dir, 'add', '-q', 'data.txt');
ok_dag(0, 'run', $dir, 'run', 'dvc.yaml');
git('add', '.');
git('commit', '-qm', 'one');
my $base = said('rev-parse', 'HEAD');

git('config', '--unset', 'user.email');
git('config', 'user.useConfigOnly', 'true');
bad('nobody', qr/user\.email/);
git('config', 'user.email', 't@example.org');
bad('a name', qr/no experiment can be called 'a b'/, '-n', 'a b');
bad('a long name', qr/longer than 200 bytes/, '-n', 'x' x 201);
bad('no such key', qr/there is no 'nope' in 'params.yaml': \+KEY=VALUE adds it/, '-S', 'nope=1');
bad('the last value of a sweep', qr/is not a value that YAML has/, '-S', 'seed=1,2,"\\q"');
bad('no such file', qr/cannot change params of 'other.yaml'/, '-S', 'other.yaml:a=1');
bad('out of the repository', qr/is not a file of this repository/, '-S', '../params.yaml:a=1');
bad('into git', qr/is not a file of this repository/, '-S', '.git/config:a=1');
bad('too many', qr/make more than 1000 experiments/, '-S', 'seed=range(0,77)', '-S', 'train.lr=range(0,13)');
bad('no such stage', qr/has no stage 'nope'/, 'nope');
bad('jobs', qr/from 1 to 256/, '-j', '257');
bad('no jobs', qr/from 1 to 256/, '-j', '0');
bad('an option of another', qr/--name-only has no meaning for 'dag exp run'/, '--name-only');
my $yaml = slurp("$dir/dvc.yaml");
spew("$dir/dvc.yaml", "stages: [\n");
bad('no dvc.yaml that could be read', qr/dvc\.yaml/);
spew("$dir/dvc.yaml", $yaml);

# One, with what is changed and staged and not tracked.
spew("$dir/train.sh", slurp("$dir/train.sh") . "# mine\n");
spew("$dir/staged", "staged\n");
spew("$dir/untracked", "untracked\n");
git('add', 'staged');
my $before = mine();
my $p = run(0, 'one', '-n', 'first', '-S', 'train.lr=0.5', '-m', 'my words', 'train');
like($p->{err}, qr/first \(train\.lr=0\.5\) is saved/, '... is told');
is_deeply(mine(), $before, '... nothing of the user\'s has changed');
is(join(' ', refs()), 'first', '... one reference');
is(of('first', 'params.yaml'), "# how it learns\ntrain:\n  lr: 0.5  # rate\nseed: 42", '... with the value, and the comments');
is(of('first', 'metrics.json'), '{"acc": 0.5}', '... what was measured');
like(of('first', 'train.sh'), qr/# mine/, '... what was changed');
is(of('first', 'staged'), 'staged', '... what was staged');
unlike(said('ls-tree', '-r', '--name-only', $p->{out} =~ /^(\w+)/), qr/untracked/, '... not what git does not track');
is(said('log', '-1', '--format=%P %s', $p->{out} =~ /^(\w+)/), "$base my words", '... upon HEAD');
is(join(' ', trials()), '', '... and its work tree is gone');
run(2, 'a name that is taken', '-n', 'first');
is(of('first', 'metrics.json'), '{"acc": 0.5}', '... is left');
run(0, '--force', '-n', 'first', '-f', '-S', 'train.lr=0.6');
is(of('first', 'metrics.json'), '{"acc": 0.6}', '... replaces it');
ok_dag(0, 'show', $dir, 'exp', 'show', '--csv');
ok_dag(0, 'apply', $dir, 'exp', 'apply', 'first');
is(slurp("$dir/model.txt"), "model 0.6\n", '... brings its data, too');
git('checkout', '-q', '.');
ok_dag(0, 'checkout', $dir, 'checkout', '-q');

# Several, four at once: all of them are at work before the first one ends.
my $gate = "$dir/.dag/gate";
mkdir $gate or die;
$before = mine();
$ENV{GATE} = $gate;
my $s = start($dir, 'exp', 'run', '-j', '4', '-n', 'sweep', '-S', 'train.lr=1,2,3,4', '-S', 'seed=7');
ok(wait_for('four at once', sub { 4 == grep { -e "$gate/$_.here" } 1 .. 4 }), 'four at once');
is(scalar(trials()), 4, '... each in a directory of its own');
spew("$gate/go", '');
finish($s);
is($s->{rc}, 0, '... all saved') or diag($s->{err});
is(join(' ', map { of("sweep-$_", 'metrics.json') } 1 .. 4), join(' ', map { "{\"acc\": $_}" } 1 .. 4), '... each with its value');
is_deeply(mine(), $before, '... nothing of the user\'s has changed');
is(scalar(grep { /^sweep-/ } refs()), 4, '... four references');
delete $ENV{GATE};

# Others may work here meanwhile, gc too: what the experiment uses stays, though nothing here names it.
unlink glob("$gate/*");
$ENV{GATE} = $gate;
spew("$dir/data.txt", "changed\n");
my $changed = md5_hex("changed\n");
spew("$dir/train.sh", slurp("$dir/train.sh") . "cat secret.txt raw/x more/y > seen.txt\n");
spew("$dir/dvc.yaml", $yaml =~ s/train.sh\]/train.sh, secret.txt, raw]/r);
spew("$dir/.git/info/exclude", "/secret.txt\n/raw\n/more\n");
spew("$dir/secret.txt", "secret\n");
spew("$dir/raw/x", "raw\n");
spew("$dir/more/y", "more\n");
$before = mine();
my @long = ('-n', 'long', '-S', 'train.lr=21', '--copy-paths', 'more');
$s = start($dir, 'exp', 'run', @long, 'train');
wait_for('at work', sub { -e "$gate/21.here" });
ok_dag(0, 'a verb that takes the lock', $dir, 'unprotect', 'data.txt');
ok_dag(0, 'gc', $dir, 'gc', '-w', '-f', '--grace', '0s');
ok(-e Cli::object("$dir/.dag/cache", $changed), 'gc meanwhile: the data of the experiment stays');
ok_dag(0, 'a second one', $dir, 'exp', 'run', '-q', '-n', 'beside', 'other');
spew("$gate/go", '');
is(finish($s)->{rc}, 0, '... and it comes to its end') or diag($s->{err});
is_deeply(mine(), $before, '... nothing of the user\'s has changed');
like(of('long', 'data.txt.dvc'), qr/$changed/, '... data that has changed came along');
unlike(slurp("$dir/data.txt.dvc"), qr/$changed/, '... and is not recorded here');
unlike(said('ls-tree', '-r', '--name-only', $s->{out} =~ /^(\w+)/), qr/secret|raw|more/, '... what git ignores is not kept');
ok_dag(0, 'gc', $dir, 'gc', '-w', '-f', '--grace', '0s');
ok(!-e Cli::object("$dir/.dag/cache", $changed), '... and gc takes it when it has ended');
delete $ENV{GATE};
bad2('nothing to copy', qr/--copy-paths 'nope': No such file/, '--copy-paths', 'nope');
bad2('a path elsewhere', qr/--copy-paths '..\/x' is no path below/, '--copy-paths', '../x');
git('checkout', '-q', 'dvc.yaml', 'train.sh');
spew("$dir/data.txt", "data\n");

# Links, and the variables of git: none has us write elsewhere.
mkdir "$dir/.dag/out" or die;
spew("$dir/.dag/out/p.yaml", "a: 1\n");
symlink("$dir/.dag/out", "$dir/conf") or die;
symlink('/tmp', "$dir/tmp") or die;
git('add', 'conf', 'tmp');
like(run(1, 'a link to params elsewhere', '-S', 'conf/p.yaml:a=2')->{err}, qr/leads out of the repository/, '... is not followed');
is(slurp("$dir/.dag/out/p.yaml"), "a: 1\n", '... to be written');
bad2('a link out of the repository', qr/is not a file of this repository/, '-S', 'tmp/p.yaml:a=2');
git('rm', '-qf', 'conf', 'tmp');
{
	local @ENV{qw(GIT_DIR GIT_INDEX_FILE)} = ("$dir/.git", "$dir/.git/index");
	$before = mine();
	run(0, 'with GIT_DIR', '-n', 'git', '-S', 'train.lr=0.9');
	is_deeply(mine(), $before, '... nothing of the user\'s has changed');
}

# On a terminal: those that run, and what they say; Ctrl-C takes the picture away with them.
$ENV{GATE} = $gate;
unlink glob("$gate/*");
$p = pty($dir, ['--size', '24x80', '--expect', 'train: running', '--expect', '0 of 2 saved, 0 failed, 1 run', '--send', '\x03'],
	'exp', 'run', '-n', 'tty', '-S', 'train.lr=31,32');
is($p->{rc}, 130, 'Ctrl-C on a terminal');
like($p->{out}, qr/tty-1  train\.lr=31  \d+s  .*train: running/, '... there it was to be seen');
$p = screen($p->{out}, 24, 80);
unlike($p->{text}, qr/0 of 2 saved/, '... and is no more');
like($p->{text}, qr/tty-1 \(train\.lr=31\) is stopped, after/, '... but how it ended');
delete $ENV{GATE};

# One that fails: no reference, and where to look.
$p = run(1, 'one of two fails', '-j', '2', '-n', 'fail', '-S', 'train.lr=bad,8', '--json');
is_deeply([map { [@$_{qw(name params result)}] } @{decode_json($p->{out})}], [['fail-1', 'train.lr=bad', 'failed'], ['fail-2', 'train.lr=8', 'saved']], '... JSON tells which');
is(said('rev-parse', decode_json($p->{out})->[1]{ref}), decode_json($p->{out})->[1]{rev}, '... and where');
like($p->{err}, qr/fail-1 \(train\.lr=bad\) failed; its log is '(\S+)', which ends with:\n.*no such rate/s, '... says why');
unlike($p->{err}, qr/dag retry/, '... without advice that leads nowhere');
like(slurp("$dir/.dag/exp/failed/fail-1.log"), qr/no such rate/, '... and keeps its log');
is(join(' ', grep { /^fail/ } refs()), 'fail-2', '... the other one is saved');
is(join(' ', trials()), '', '... and no work tree is left');

# Stopped, and killed: nothing is left, or it is removed by the next one.
unlink glob("$gate/*");
$ENV{GATE} = $gate;
$before = mine();
$s = start($dir, 'exp', 'run', '-j', '2', '-n', 'stop', '-S', 'train.lr=11,12,13');
wait_for('two at work', sub { -e "$gate/11.here" && -e "$gate/12.here" });
kill 'INT', $s->{pid};
is(finish($s)->{rc}, 130, 'interrupted');
is(join(' ', trials(), grep { /^stop/ } refs()), '', '... nothing is left');
unlink glob("$gate/*");
$s = start($dir, 'exp', 'run', '-n', 'term', '-S', 'train.lr=14');
wait_for('one at work', sub { -e "$gate/14.here" });
kill 'TERM', $s->{pid};
is(finish($s)->{rc}, 143, 'terminated');
is(join(' ', trials(), grep { /^term/ } refs()), '', '... nothing is left');

# What runs in it is killed, alone or with who started it: its tasks end too, as nobody could take them over.
sub tasks { split ' ', qx(grep -ls '$dir/.dag/exp/0' /proc/[0-9]*/environ) }
for my $both (0, 1) {
	unlink glob("$gate/*");
	$s = start($dir, 'exp', 'run', '-n', 'orphan', '-S', "train.lr=@{[91 + $both]}");
	wait_for('at work', sub { glob("$gate/*.here") });
	cmp_ok(scalar(tasks()), '>', 0, 'its tasks are found');
	my ($runs) = map { m{/(\d+)/} } grep { slurp($_) =~ /^\d+ \(dag\) \S $s->{pid} / } glob('/proc/[0-9]*/stat');
	kill 'STOP', $s->{pid} if $both;
	kill 'KILL', $runs, $both ? $s->{pid} : ();
	is(finish($s)->{rc}, $both ? 137 : 1, $both ? 'both are killed' : 'what runs in it is killed');
	like($s->{err}, qr/orphan \(train\.lr=91\) failed/, '... and is told to have failed') if !$both;
	ok(wait_for('the end of its tasks', sub { !tasks() }), '... its tasks end');
}

# A name that somebody takes meanwhile: for the same it is the same, for something else there is another name.
unlink glob("$gate/*");
my @race = map { start($dir, 'exp', 'run', '-n', 'race', '-S', "train.lr=$_") } 15, 15, 16;
wait_for('three at work', sub { 3 == trials() && -e "$gate/15.here" && -e "$gate/16.here" });
spew("$gate/go", '');
is(join(' ', map { finish($_)->{rc} } @race), '0 0 0', 'three of one name');
is(scalar(map { $_->{err} =~ /somebody has made an experiment 'race' meanwhile: this one is called '/g } @race), 1 + (of('race', 'metrics.json') =~ /16/), '... which goes to what came first');
is(join(' ', sort map { of($_, 'metrics.json') =~ /(\d+)/ } 'race', map { $_->{err} =~ /called '([^']+)'/ } @race), of('race', 'metrics.json') =~ /16/ ? '15 15 16' : '15 16', '... and nothing is lost');

unlink glob("$gate/*");
$s = start($dir, 'exp', 'run', '-n', 'killed', '-S', 'train.lr=5');
wait_for('at work', sub { -e "$gate/5.here" });
kill 'KILL', $s->{pid};
finish($s);
is(scalar(trials()), 1, 'killed: its directory is left');
wait_for('what it started has ended', sub { system("grep -qs '$dir/.dag/exp/0' /proc/[0-9]*/environ") != 0 });
delete $ENV{GATE};
ok_dag(0, 'gc --dry', $dir, 'gc', '-w', '--dry');
is(scalar(trials()), 1, '... leaves it');
ok_dag(0, 'gc', $dir, 'gc', '-w', '-f');
is(scalar(trials()), 0, '... removes it');
mkdir "$dir/.dag/exp/dead" or die;
spew("$dir/.dag/exp/dead/tree/x", "left\n");
run(0, 'again', '-n', 'killed', '-S', 'train.lr=5');
is(join(' ', trials()), '', '... and it is gone');
is(of('killed', 'metrics.json'), '{"acc": 5}', '... as if nothing had been');
is_deeply(mine(), $before, '... nothing of the user\'s has changed');

# Of many that fail the last words of the first five are shown.
$p = run(1, 'six fail', '-j', '3', '-n', 'six', '-S', 'seed=range(1,7)', '-S', 'train.lr=bad', 'train');
is(scalar(() = $p->{err} =~ /failed; its log is /g), 6, '... each is told');
is(scalar(() = $p->{err} =~ /which ends with:/g), 5, '... with their last words, as long as somebody may read them');

# Only the data of what is asked for is brought, and the stage is told where it is.
spew("$dir/dvc.yaml", $yaml =~ s/cmd: sh train.sh/cmd: sh train.sh; ls; echo \$DVC_ROOT \$DVC_EXP_NAME \$DVC_EXP_BASELINE_REV; exit 1/r);
$p = run(1, 'one stage', '-n', 'look', 'train');
like($p->{err}, qr{\| data\.txt$}m, '... has its data');
unlike($p->{err}, qr{\| other\.txt$}m, '... and no other');
like($p->{err}, qr{\| \Q$dir\E/\.dag/exp/[0-9a-f-]{36}/tree look $base$}m, '... in its own tree');
git('checkout', '-q', 'dvc.yaml');

# From a directory below, with params that git does not have.
mkdir "$dir/sub" or die;
spew("$dir/sub/params.yaml", "n: 1\n");
spew("$dir/sub/dvc.yaml", "stages:\n  copy:\n    cmd: cp params.yaml out.txt\n    params: [n]\n    outs: [out.txt]\n");
$before = mine();
ok_dag(0, 'below', "$dir/sub", 'exp', 'run', '-q', '-n', 'below', '-S', 'n=2', 'copy');
is(of('below', 'sub/params.yaml'), 'n: 2', '... is kept, too');
like(of('below', 'sub/dvc.lock'), qr/out\.txt/, '... with its lock');
is_deeply(mine(), $before, '... nothing of the user\'s has changed');

# What git was told not to look at is as it is here.
git('update-index', '--assume-unchanged', 'params.yaml');
spew("$dir/params.yaml", slurp("$dir/params.yaml") =~ s/lr: \S+/lr: 0.77/r);
$before = mine();
run(0, 'assume-unchanged', '-q', '-n', 'unseen', 'train');
is(of('unseen', 'metrics.json'), '{"acc": 0.77}', '... with its changes');
is_deeply(mine(), $before, '... nothing of the user\'s has changed');
git('update-index', '--no-assume-unchanged', 'params.yaml');
git('checkout', '-q', 'params.yaml');

# Started with the signal of children blocked.
my $chld = POSIX::SigSet->new(POSIX::SIGCHLD());
POSIX::sigprocmask(POSIX::SIG_BLOCK(), $chld) or die;
run(0, 'SIGCHLD is blocked', '-q', '-n', 'blocked', 'other');
POSIX::sigprocmask(POSIX::SIG_UNBLOCK(), $chld) or die;

# The lock is what leads to what was made.
spew("$dir/.gitignore", "/.dag\ndvc.lock\n");
my @had = refs();
bad2('an ignored lock', qr/'(?:sub\/)?dvc\.lock' is ignored by git.*: take it out of \.gitignore/);
is(join(' ', refs()), "@had", '... and no experiment');
git('checkout', '-q', '.gitignore');

# A stage that depends on a submodule, the whole and a file of it: git keeps a commit of it, no files.
mkdir "$dir/other.git" or die;
system("cd '$dir/other.git' && git init -q . && mkdir d && echo 1 > d/f && git add . && git -c user.name=a -c user.email=b commit -qm 1") == 0 or die;
git('-c', 'protocol.file.allow=always', 'submodule', '-q', 'add', './other.git', 'module');
spew("$dir/dvc.yaml", "stages:\n  look:\n    cmd: cat module/d/f > \$DAG_STATE/../f && ls -A module > list\n    deps: [module, module/d/f]\n    outs:\n    - list: {cache: false}\n");
git('add', 'dvc.yaml');
git('commit', '-q', '-m', 'submodule');
spew("$dir/module/d/f", "2\n");
$before = mine();
run(0, 'a submodule', '-q', '-n', 'module');
is(of('module', 'list'), 'd', '... its files are there');
like(of('module', 'dvc.lock'), qr/path: module\/d\/f\n *hash: md5\n *md5: @{[md5_hex("2\n")]}/, '... as they are now');
is(said('ls-tree', 'refs/exps/' . (said('rev-parse', 'HEAD') =~ s{^..}{$&/}r) . '/module', 'module'), said('ls-tree', 'HEAD', 'module'), '... it stays one in the experiment');
is_deeply(mine(), $before, '... nothing of the user\'s has changed');
is(said('fsck', '--strict', '--no-dangling'), '', 'git fsck finds nothing');
done_testing();
