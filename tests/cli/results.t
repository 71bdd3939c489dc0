#!/usr/bin/perl
# What tasks of DAG files have made is data like any other: the verbs know it from the lock files.
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

my $top = abs_path(tempdir('dag-results-XXXXXX', -w '/dev/shm' ? (DIR => '/dev/shm') : (TMPDIR => 1), CLEANUP => 1));
my ($r, $c, $rem) = ("$top/r", "$top/c", "$top/rem");
home($top);
$ENV{PATH} = build() . "/bin:$ENV{PATH}";

sub run { return ok_dag(0, "a run of $_[1]", $_[0], 'run', $_[1], '--progress', 'none')->{out} }
sub commit { git($_[0], qw(add -A)); git($_[0], qw(commit -qm), $_[1]) }
sub has { return -e object("$_[0]", md5_hex($_[1])) ? 1 : 0 }
sub gc { my ($dir, @args) = @_; return ok_dag(0, "gc @args", $dir, 'gc', '-f', '--grace', '0', @args) }

my $p = <<'END';
tasks:
  b: {inputs: [a.out], outputs: [b.d], run: 'mkdir b.d; cp a.out b.d/x; echo y > b.d/y'}
  a: {inputs: [in], outputs: [a.out], run: 'cat in > a.out; echo A >> a.out'}
END
spew("$r/in", "1\n");
spew("$r/dags/p.yaml", $p);
git($r, qw(init -q -b main));
run($r, 'dags/p.yaml');
is(ok_dag(0, 'status after a run', $r, 'status')->{out}, "all tracked data is up to date\n", '... knows the results');
like(ok_dag(0, '... --data', $r, 'status', '--data')->{out}, qr/added: a\.out\n\s+added: b\.d\/\n/, '... that git does not have yet');
ok_dag(0, 'a remote', $r, 'remote', 'add', '-q', '-d', 'r', '../rem');
is(ok_dag(0, 'status --cloud', $r, 'status', '-c')->{out}, join('', map { "\tnew:                $_\n" } qw(a.out b.d b.d/x b.d/y)), '... all is new');
like(ok_dag(0, 'push', $r, 'push')->{out}, qr/^3 files pushed$/m, '... sends them: one content is there twice');
like(ok_dag(0, 'push --run-cache', $r, 'push', '--run-cache')->{out}, qr/^2 files pushed$/m, '... and runs');
commit($r, 'one');
is(ok_dag(0, 'diff', $r, 'diff')->{out}, '', '... nothing differs from the commit');

# A clone has none of it, and gets it.
git($top, qw(clone -q r c));
is(ok_dag(0, 'status in a clone', $c, 'status')->{out}, <<'END', '... names tasks and outputs');
dags/p.dag.lock:a:
	changed outs:
		not in cache:       a.out
dags/p.dag.lock:b:
	changed outs:
		not in cache:       b.d
END
is(dag_in($c, 'status', '-q')->{rc}, 1, '... and its exit status says so');
like(ok_dag(0, 'pull in a clone', $c, 'pull')->{out}, qr/^3 files fetched\nA\tb\.d\/\nA\ta\.out\n/m, '... brings the data');
is(slurp("$c/a.out") . slurp("$c/b.d/x") . slurp("$c/b.d/y"), "1\nA\n1\nA\ny\n", '... all of it');
like(run($c, 'dags/p.yaml'), qr/2 unchanged/, '... and no task runs again');
unlink("$c/a.out");
spew("$c/b.d/y", "z\n");
like(ok_dag(0, 'status', $c, 'status')->{out}, qr/p\.dag\.lock:a:\n\tchanged outs:\n\t\tdeleted:            a\.out\n.*modified:           b\.d/s, 'what is gone and what was edited');
is(ok_dag(0, 'diff', $c, 'diff')->{out} =~ /^\s+b\.d\/y$/m ? 1 : 0, 1, '... file by file');
ok_dag(0, 'checkout of one', $c, 'checkout', 'a.out');
ok(-e "$c/a.out" && slurp("$c/b.d/y") eq "z\n", '... is that one');
ok_dag(1, 'checkout', $c, 'checkout', 'dags/p.yaml');
is(slurp("$c/b.d/y"), "z\n", '... does not overwrite what is nowhere else');
ok_dag(0, '... but with --force', $c, 'checkout', '--force', 'dags/p.yaml:b');
is(slurp("$c/b.d/y"), "y\n", '... by the name of the task');
ok_dag(2, 'a task that is not there', $c, 'checkout', 'dags/p.yaml:zz');

# Without a clone.
is(ok_dag(0, 'ls', $top, 'ls', '-R', $r)->{out}, join('', map { "$_\n" } '.gitignore', 'a.out', 'b.d/x', 'b.d/y', 'dags/p.dag.lock', 'dags/p.yaml', 'in'), '... lists results');
ok_dag(0, 'get', $top, 'get', $r, 'b.d/y');
is(slurp("$top/y"), "y\n", '... copies one');

# ---- branches ----

git($r, qw(switch -qc two));
spew("$r/in", "2\n");
run($r, 'dags/p.yaml');
commit($r, 'two');
git($r, qw(switch -q main));
like(ok_dag(0, 'checkout after a switch', $r, 'checkout')->{out}, qr/^M\tb\.d\/\nM\ta\.out\n/, '... brings the results of the branch');
is(slurp("$r/a.out"), "1\nA\n", '... as they were');
like(ok_dag(0, 'push --all-branches', $r, 'push', '-a')->{out}, qr/^2 files pushed$/m, '... sends those of the other branch, too');
ok_dag(0, 'fetch --all-branches', $c, 'fetch', '-q', '-a');
gc($r, '-w');
ok(has("$r/.dag/cache", "2\nA\n") && has("$r/.dag/cache", "1\nA\n"), '... keeps what branches name');
git($r, qw(tag three two));
git($r, qw(branch -qD two));
gc($r, '-w');
ok(has("$r/.dag/cache", "2\nA\n"), '... and tags');
my $id = `git -C $r rev-parse three`;
chomp $id;
git($r, qw(tag -d three));
gc($r, '-w', '--rev', $id);
ok(has("$r/.dag/cache", "2\nA\n"), '... and a commit that is named');
gc($r, '-w', '--cloud');
ok(!has("$r/.dag/cache", "2\nA\n") && has("$r/.dag/cache", "1\nA\n"), '... what nobody names goes');
ok(!has($rem, "2\nA\n") && has($rem, "1\nA\n"), '... on the remote, too');

# ---- what no longer counts ----

spew("$r/dags/p.yaml", $p =~ s/^  b:.*\n//mr);
like(ok_dag(0, 'diff without a task', $r, 'diff')->{out}, qr/^Deleted:\n\s+b\.d\/\n/, 'a task that is gone has made nothing');
like(ok_dag(0, 'checkout', $r, 'checkout')->{out}, qr/^D\tb\.d\/$/m, '... what it left, and checkout had put there, goes');
gc($r, '-w', '--rev', 'HEAD');
ok(has("$r/.dag/cache", "y\n"), '... the lock and the branch still keep it');
spew("$r/dags/p.yaml", $p);
unlink("$r/dags/p.yaml");
like(ok_dag(0, 'checkout without the DAG file', $r, 'checkout')->{out}, qr/^A\tb\.d\/$/m, 'without the DAG file the lock counts');
spew("$r/dags/p.yaml", $p =~ s/outputs: \[a/cache: false, outputs: [a/r);
is(ok_dag(0, 'status', $r, 'status')->{out}, "all tracked data is up to date\n", 'a task that is not cached any more');
spew("$r/a.out", "mine\n");
is(ok_dag(0, 'status', $r, 'status')->{out}, "all tracked data is up to date\n", '... is asked for nothing');
spew("$r/dags/p.yaml", $p);
ok_dag(0, 'back', $r, 'checkout', '--force');

# ---- a lock with mistakes ----

my $lock = slurp("$r/dags/p.dag.lock");
spew("$r/dags/p.dag.lock", "schema: '2.0'\nstages:\n  a:\n    cmd: [\n");
for my $verb (['push'], ['status'], ['checkout'], ['gc', '-w', '-f', '--grace', '0']) {
	like(ok_dag(2, "a lock with mistakes: @$verb", $r, @$verb)->{err}, qr/^dags\/p\.dag\.lock:4:\d+: error: /m, '... is named with its place');
}
ok(has("$r/.dag/cache", "1\nA\n") && has("$r/.dag/cache", "y\n"), '... nothing is removed');
spew("$r/raw", "raw\n");
like(ok_dag(0, 'add', $r, 'add', 'raw')->{out}, qr/^raw\b/, 'whoever has nothing to do with it works');
unlink("$r/raw.dvc");
git($r, qw(add dags/p.dag.lock));
git($r, qw(commit -qm broken));
spew("$r/dags/p.dag.lock", $lock);
like(ok_dag(2, 'gc of a branch with such a lock', $r, 'gc', '-w', '-f', '--grace', '0', '--all-branches')->{err}, qr/^dags\/p\.dag\.lock:4:.*?^note: that is in the commit [0-9a-f]{10}$/ms, '... stops, and says where');
git($r, qw(commit -qam), 'whole again');
spew("$r/dags/e.dag.lock", $lock =~ s/path: a\.out/path: .git\/hooks\/post-checkout/r);
like(ok_dag(2, 'a lock of evil', $r, 'pull')->{err}, qr/dags\/e\.dag\.lock:\d+:\d+: '\.git\/hooks\/post-checkout' lies in '\.git', where no task has its outputs/, '... is refused');
unlink("$r/dags/e.dag.lock");

# ---- who has a path ----

# What is recorded by a pointer is the pointer's.
ok_dag(0, 'add of a result', $r, 'add', '-q', 'a.out');
spew("$r/in", "3\n");
run($r, 'dags/p.yaml');
like(ok_dag(0, 'status', $r, 'status')->{out}, qr/^a\.out\.dvc:\n\tchanged outs:\n\t\tmodified:           a\.out\n\z/, 'the pointer says what belongs there');
like(ok_dag(0, 'push', $r, 'push')->{out}, qr/^2 files pushed$/m, '... but what the task made is sent');
ok(has($rem, "3\nA\n"), '... all of it');
ok_dag(0, 'checkout', $r, 'checkout', '-q');
is(slurp("$r/a.out"), "1\nA\n", '... and checked out is what the pointer says');
unlink("$r/a.out.dvc");
# Two DAGs that make the same path, each with its own content.
spew("$r/q.yaml", "tasks:\n  q: {outputs: [a.out], run: 'echo q > a.out'}\n");
run($r, 'q.yaml');
is(ok_dag(0, 'checkout', $r, 'checkout')->{out}, '', 'what two DAGs make is left as it is');
is(slurp("$r/a.out"), "q\n", '... by whoever came last');
ok_dag(0, 'push', $r, 'push', '-q');
ok(has($rem, "q\n"), '... and both are sent');
gc($r, '-w');
ok(has("$r/.dag/cache", "q\n") && has("$r/.dag/cache", "3\nA\n"), '... and kept');
like(run($r, 'dags/p.yaml'), qr/unchanged/, '... each brings back its own');
is(slurp("$r/a.out"), "3\nA\n", '... from the cache');

# ---- in a run ----

unlink("$r/q.yaml", "$r/q.dag.lock");
run($r, 'dags/p.yaml');
spew("$r/f.yaml", <<'END');
tasks:
  wipe: {run: 'rm -r b.d a.out'}
  all: {type: pull, needs: [wipe]}
  one: {type: pull, targets: [b.d], needs: [all]}
  see: {needs: [one], run: 'test -e b.d/x && test ! -e a.out'}
END
run($r, 'f.yaml');
spew("$r/need.yaml", "tasks:\n  n: {inputs: [a.out], run: 'cat a.out'}\n");
like(dag_in($r, 'run', 'need.yaml')->{out}, qr/its input `a\.out` is tracked \(dags\/p\.dag\.lock\), but not here: 'dag pull a\.out' brings it/, 'an input that another DAG makes');

# What git ignores is not shared; as long as the lock lies there it is kept.
spew("$r/.gitignore", "*.dag.lock\n" . slurp("$r/.gitignore"));
ok_dag(0, 'a lock that git ignores', $r, 'checkout', '-q');
ok(!-e "$r/a.out", '... is nothing that is tracked');
gc($r, '-w');
ok(has("$r/.dag/cache", "3\nA\n"), '... but what it names stays');

# ---- what runs leave behind ----

# A checkout takes away what stages made, where no dvc.yaml has them any more; not what a task made of which no lock tells.
my $w = "$top/w";
make_path("$w/.dvc");
spew("$w/in", "1\n");
spew("$w/dvc.yaml", "stages:\n  s: {cmd: cp in s.out, deps: [in], outs: [s.out]}\n  t: {cmd: cp in t.out, deps: [in], outs: [t.out]}\n" .
	"  g: {cmd: cp in g.out, deps: [in], outs: [{g.out: {cache: false}}]}\n");
spew("$w/p.yaml", "tasks:\n  p: {inputs: [in], outputs: [p.out], run: cp in p.out}\n");
git($w, qw(init -q -b main));
sub links { join ' ', map { /(\S+)$/ } split /\n/, slurp("$w/.dag/links") // '' }
run($w, 'dvc.yaml');
is(links(), 's.out t.out', 'a run of stages remembers what they have left');
ok_dag(0, 'a run with a date', $w, 'run', 'p.yaml', '--date', '2026-01-02');
is(links(), 's.out t.out', '... one of tasks does not');
unlink("$w/.dag/links", "$w/s.out", "$w/t.out");
run($w, 'dvc.yaml');
is(links(), 's.out t.out', 'what is brought back is remembered, too');
unlink("$w/.dag/links");
spew("$w/s.out", "2\n");
ok_dag(0, 'commit of a stage', $w, 'commit', '-f', '-q', 's');
is(links(), 's.out', '... remembers what it has recorded');
run($w, 'dvc.yaml');
commit($w, 'one');
git($w, qw(switch -qc other));
spew("$w/dvc.yaml", "stages:\n  t: {cmd: cp in t.out, deps: [in], outs: [t.out]}\n");
commit($w, 'two');
ok_dag(0, 'checkout on another branch', $w, 'checkout', '-q');
ok(!-e "$w/s.out" && -e "$w/t.out" && -e "$w/g.out" && -e "$w/p.out", '... takes what that has not, and nothing else');
run($w, 'p.yaml');
ok_dag(0, 'checkout', $w, 'checkout', '-q');
ok(links() =~ /p\.out/, 'a checkout remembers what tasks have made');
git($w, qw(rm -q --cached p.yaml));
rename("$w/p.yaml", "$w/q.yaml");
unlink("$w/p.dag.lock");
ok_dag(0, 'checkout without the lock', $w, 'checkout', '-q');
ok(!-e "$w/p.out", '... takes it');
done_testing();
