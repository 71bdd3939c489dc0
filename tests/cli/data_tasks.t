#!/usr/bin/perl
# Tracked data in runs: tasks that push and pull.
use strict;
use warnings;
use Cwd qw(abs_path);
use Digest::MD5 qw(md5_hex);
use Fcntl qw(:flock);
use File::Basename qw(dirname);
use File::Copy qw(copy);
use File::Path qw(make_path remove_tree);
use File::Temp qw(tempdir);
use lib dirname(__FILE__);
use Cli;
use Test::More;

my $base = -w '/dev/shm' ? '/dev/shm' : undef;
my $top = abs_path(tempdir('dag-tasks-XXXXXX', defined $base ? (DIR => $base) : (TMPDIR => 1), CLEANUP => 1));
my ($r, $rem) = ("$top/r", "$top/rem");
$ENV{HOME} = "$top/home";
$ENV{XDG_CONFIG_HOME} = "$top/home/.config";
$ENV{XDG_CONFIG_DIRS} = "$top/etc";
$ENV{PATH} = build() . "/bin:$ENV{PATH}";
make_path("$top/home", "$r/.dag");

sub object { my ($store, $text) = @_; my $hex = md5_hex($text); return "$store/files/md5/" . substr($hex, 0, 2) . '/' . substr($hex, 2) }
sub run_log { my ($dir, $task) = @_; return dag_in($dir, 'logs', 'last', $task)->{out} }

# What is tracked is on the remote, and not here.
sub cloned { remove_tree("$r/data/raw", "$r/.dag/cache", "$r/model") }

spew("$r/$_->[0]", $_->[1]) for ['data/raw/a.csv', "a\n"], ['data/raw/s/b.csv', "b\n"], ['model', "m1\n"];
ok_dag(0, 'add', $r, 'add', '-q', 'data/raw', 'model');
ok_dag(0, 'remote', $r, 'remote', 'add', '-q', '-d', 'r', '../rem');
ok_dag(0, 'another', $r, 'remote', 'add', '-q', 'cold', '../cold');
ok_dag(0, 'push', $r, 'push', '-q');

# ---- pull before and push after work ----

spew("$r/pipe.yaml", <<'END');
params: {where: cold}
tasks:
  publish:
    type: push
    needs: [record]
    remote: "{{ params.where }}"
    verify: true
  record: {run: [dag, -C, ., add, -q, model], needs: [train]}
  train:
    inputs: [data/raw/a.csv, data/raw/s]
    outputs: [model]
    run: cat data/raw/a.csv data/raw/s/b.csv > model; echo m2 >> model
  get:
    type: pull
    targets: [data/raw]
    jobs: 2
END
cloned();
ok_dag(0, 'check', $r, 'check', 'pipe.yaml');
like(ok_dag(0, 'show', $r, 'show', '--format', 'list', 'pipe.yaml')->{out},
	qr/get  pull\n    targets   data\/raw\n    how       2 at a time\n.*publish  push\n    targets   all that is tracked\n    remote    \{\{ params.where \}\}\n    how       verify what is there\n/s,
	'... has what they do');
like(ok_dag(0, 'a dry run', $r, 'run', '--dry-run', 'pipe.yaml')->{out},
	qr/  1  get \(pull\)\n     would run: it has no outputs, so it runs always\n     \| dag pull --jobs=2 -- data\/raw\n  2  train \(shell\) after get\n.*\| dag push --remote=cold --verify\n/s,
	'... has their command lines, and who reads what is pulled comes after it');
ok_dag(0, 'run', $r, 'run', 'pipe.yaml');
is(slurp("$r/model"), "a\nb\nm2\n", '... works on what was pulled');
is(run_log($r, 'get'), "3 files fetched\nA\tdata/raw/\n", '... the log says what came');
is(run_log($r, 'publish'), "dag: made '$top/cold' for the remote 'cold'\n4 files pushed\n", '... and what went');
ok_dag(0, 'push to the other too', $r, 'push', '-q');
is(slurp(object("$top/cold", "a\nb\nm2\n")), "a\nb\nm2\n", '... where it was to go');
like(dag_in($r, 'show', '--json', 'pipe.yaml')->{out}, qr/"name": "get",.*"type": "pull"/s, '... JSON names the types');

# ---- what cannot be done ----

spew("$r/bad.yaml", "tasks:\n  t: {type: pull, targets: [nix, model]}\n");
ok_dag(1, 'a target that is not tracked', $r, 'run', 'bad.yaml');
is(run_log($r, 't'), "dag: error: 'nix' names nothing that is tracked\n", '... is named');
spew("$r/bad.yaml", "tasks:\n  t: {type: push, remote: nowhere}\n");
ok_dag(1, 'a remote that there is not', $r, 'run', 'bad.yaml');
like(run_log($r, 't'), qr/'nowhere'/, '... is named');
spew("$r/bad.yaml", "params: {x: '../..'}\ntasks:\n  t: {type: pull, targets: '{{ params.x }}/a'}\n");
like(ok_dag(2, 'a target that leads out', $r, 'run', 'bad.yaml')->{err}, qr/bad.yaml:3:29: error: the path '..\/..\/a' lies outside the project/, '... is refused before the run');
spew("$r/bad.yaml", "tasks:\n  a: {type: pull, outputs: x, targets: []}\n  b: {type: push, jobs: 0, force: true}\n  c: {type: push, targets: [/x, '*']}\n");
my $said = ok_dag(2, 'mistakes', $r, 'check', 'bad.yaml');
is(scalar(() = "$said->{out}$said->{err}" =~ /bad.yaml:\d+:\d+: error: /g), 6, '... are told all at once') or diag("$said->{out}$said->{err}");

spew("$r/data/raw/a.csv", "mine\n");
spew("$r/pull.yaml", "tasks:\n  t: {type: pull, targets: data/raw/a.csv}\n");
ok_dag(1, 'a pull over work that is nowhere else', $r, 'run', 'pull.yaml');
like(run_log($r, 't'), qr/data\/raw\/a\.csv/, '... is refused by name');
is(slurp("$r/data/raw/a.csv"), "mine\n", '... and the work stays');
spew("$r/force.yaml", "tasks:\n  t: {type: pull, targets: data/raw/a.csv, force: true}\n");
ok_dag(0, 'by force', $r, 'run', 'force.yaml');
is(slurp("$r/data/raw/a.csv"), "a\n", '... it is done');

# A directory that is not tracked itself, and an object that is damaged here.
remove_tree("$r/data/raw");
spew("$r/all.yaml", "tasks:\n  t: {type: pull, targets: data, recursive: true, verify: true}\n");
my $a = object("$r/.dag/cache", "a\n");
chmod(0644, $a);
spew($a, "?\n");
ok_dag(0, 'all in a directory, verified', $r, 'run', 'all.yaml');
is(slurp("$r/data/raw/a.csv") . slurp($a), "a\na\n", '... is mended and brought');

# ---- attempts like any other ----

cloned();
my $b = object($rem, "b\n");
rename($b, "$b.away") or die $!;
spew("$r/again.yaml", "tasks:\n  t: {type: pull, targets: [data/raw], retries: 1, retry_delay: 0}\n  u: {inputs: [data/raw], run: 'true'}\n");
ok_dag(1, 'an object is nowhere', $r, 'run', 'again.yaml');
like(run_log($r, 't'), qr/data\/raw\/s\/b\.csv/, '... it is named');
is(scalar(() = glob("$r/.dag/runs/" . run_id($r) . "/t.*")), 2, '... tried again');
spew("$r/some.yaml", "tasks:\n  t: {type: pull, targets: [data/raw], allow_missing: true}\n");
ok_dag(0, 'what there is', $r, 'run', 'some.yaml');
is(slurp("$r/data/raw/a.csv"), "a\n", '... is taken');
rename("$b.away", $b) or die $!;
# It failed by itself: what was there is not half of anything, for nobody.
spew("$r/read.yaml", "tasks:\n  u: {inputs: [data/raw], run: 'true'}\n");
ok_dag(0, 'others may read what a failed pull has left', $r, 'run', 'read.yaml');
ok_dag(0, 'retry', $r, 'retry', 'again');
is(slurp("$r/data/raw/s/b.csv"), "b\n", '... completes it');

# Somebody holds the lock: the pull waits, says so, and ends when it is told to.
sub hold {
	open(my $lock, '+>>', "$r/.dag/artifacts.lock") or die $!;
	flock($lock, LOCK_EX) or die $!;
	return $lock;
}
cloned();
my $lock = hold();
spew("$r/wait.yaml", "tasks:\n  t: {type: pull, targets: model, grace: 20s}\n");
my $p = start($r, 'run', 'wait.yaml');
sub events { return (glob("$r/.dag/runs/" . (run_id($r, 'wait') // 'none') . "/t.*/events"))[0] // "$top/none" }
wait_for('a progress event', sub { -s events() });
like(slurp(events()), qr/\A\{"event":"progress","done":0,"unit":"files","message":"waiting for [^"]+"\}\n/, 'progress is told as events');
kill 'TERM', $p->{pid};
is(finish($p)->{rc}, 143, 'TERM ends it');
like(run_log($r, 't'), qr/^dag: stopping; what is done is kept, and the same command goes on with the rest$/m, '... the log says so');
spew("$r/late.yaml", "tasks:\n  t: {type: pull, targets: model, timeout: 300ms}\n");
like(ok_dag(1, 'timeout', $r, 'run', 'late.yaml')->{out}, qr/timed out after 300ms/, '... ends it too');
close($lock);
ok_dag(0, 'retry', $r, 'retry', 'last');
is(slurp("$r/model"), "a\nb\nm2\n", '... brings it');

# Stopped in the midst of it: what is done is kept, a retry does the rest.
spew(sprintf("$r/many/%02d/%04d", $_ % 40, $_), "file $_\n") for 1 .. 2000;
ok_dag(0, 'many', $r, 'add', '-q', 'many');
ok_dag(0, 'push', $r, 'push', '-q', 'many');
remove_tree("$r/many", "$r/.dag/cache");
spew("$r/many.yaml", "tasks:\n  t: {type: pull, targets: many}\n");
$p = start($r, 'run', 'many.yaml');
wait_for('something to come', sub { (() = glob("$r/.dag/cache/files/md5/*/{.*,*}")) > 200 });
dag_in($r, 'cancel', 'many');
is(finish($p)->{rc} == 0 ? 1 : $p->{rc}, 1, 'a pull is cancelled in the midst');
note("it ended with $p->{rc}");
my @wrong = grep { /\/(..)\/([0-9a-f]{30})(?:\.dir)?\z/ && md5_hex(slurp($_)) ne "$1$2" } glob("$r/.dag/cache/files/md5/*/*");
is("@wrong", '', '... what has come is right');
ok_dag(0, 'retry', $r, 'retry', 'many') if $p->{rc} != 0 || $p->{out} !~ /ended: success/;
is(scalar(() = glob("$r/many/*/*")), 2000, '... and all is there');
is(ok_dag(0, 'status', $r, 'status', 'many')->{out} =~ /up to date/ ? 1 : 0, 1, '... and right');

# While it is pulled nobody reads it, in whatever run.
cloned();
$lock = hold();
$p = start($r, 'run', 'wait.yaml');
wait_for('a pull under way', sub { -s events() });
spew("$r/other.yaml", "tasks:\n  r: {inputs: [model], run: cat model}\n");
my $q = start($r, 'run', 'other.yaml');
wait_for('who reads waits', sub { dag_in($r, 'explain', 'other', 'r')->{out} =~ /`model`/ });
close($lock);
is(finish($p)->{rc}, 0, 'the pull ends') or diag($p->{out});
is(finish($q)->{rc}, 0, '... then who reads it begins') or diag($q->{out});
is(run_log($r, 'r'), "a\nb\nm2\n", '... and reads the whole');

# ---- which dag ----

# The state lies elsewhere: the verb finds it too.
{
	local $ENV{DAG_STATE} = "$top/state";
	make_path("$top/state");
	cloned();
	ok_dag(0, 'a moved state directory', $r, 'run', 'pull.yaml');
	is(slurp("$r/data/raw/a.csv"), "a\n", '... pulls');
	is(scalar(() = glob("$top/state/*/index.db")), 1, '... by the index there');
}

# It is updated while a run is under way: tasks that start then take the new one.
make_path("$top/inst/bin", "$top/inst/libexec/dag");
for ('bin/dag', map { "libexec/dag/$_" } 'dag-shim', 'dag-git.so') {
	copy(build() . "/$_", "$top/inst/$_") or die "$_: $!";
	chmod(0755, "$top/inst/$_");
}
spew("$top/inst/new", "#!/bin/sh\necho new\nexec $top/inst/bin/old \"\$@\"\n");
chmod(0755, "$top/inst/new");
spew("$r/update.yaml", <<"END");
tasks:
  update: {run: 'ln $top/inst/bin/dag $top/inst/bin/old; mv $top/inst/new $top/inst/bin/dag'}
  t: {type: pull, targets: model, needs: update}
END
unlink("$r/model");
system("cd $r && $top/inst/bin/dag run update.yaml >$top/out 2>&1");
is($?, 0, 'an update while a run is under way') or diag(slurp("$top/out"));
is(run_log($r, 't'), "new\n1 file fetched\nA\tmodel\n", '... is taken');

done_testing();
