#!/usr/bin/perl
# The lock file of a DAG, the values that tasks publish, and what others do meanwhile, where tasks
# do not run again.
use strict;
use warnings;
use Digest::MD5 qw(md5_hex);
use File::Basename qw(dirname);
use File::Path qw(remove_tree);
use lib dirname(__FILE__);
use Cli qw(:DEFAULT home git object);
use Test::More;

home(project());
$ENV{PATH} = build() . "/bin:$ENV{PATH}";

# The names of the tasks that a run has run, which they append to the file `ran`; sorted.
my $ended;
sub ran {
	my ($dir, @args) = @_;
	unlink("$dir/ran");
	$ended = dag_in($dir, 'run', @args);
	note("dag $ended->{args}\n$ended->{out}\n$ended->{err}") if $ended->{rc} != 0;
	return ($ended->{rc} ? "$ended->{rc}: " : '') . join(' ', sort split(/\n/, slurp("$dir/ran") // ''));
}

sub why { my ($dir, $task) = @_; return dag_in($dir, 'explain', 'last', $task)->{out} }
sub edit { my ($path, $from, $to) = @_; my $s = slurp($path); $s =~ s/\Q$from\E/$to/ or die "$path: no '$from'"; spew($path, $s) }

# ---- what the file says ----

my $d = project('in' => "1\n", 'p.yaml' => <<'END');
params: {size: 3, day: ''}
tasks:
  b: {inputs: [a.out], outputs: [b.out], run: 'echo b >> ran; cat a.out a.out > b.out'}
  a: {inputs: [in], outputs: [a.out], env: {S: "{{ params.size }}"}, run: 'echo a >> ran; cat in > a.out; echo $S >> a.out'}
END
is(ran($d, 'p.yaml'), 'a b', 'a run');
my $sha = '4e07408562bedb8b60ce05c1decfe3ad16b72230967de01f640b7e4729b49fce';
my $lock = <<"END";
schema: '2.0'
stages:
  a:
    cmd: echo a >> ran; cat in > a.out; echo \$S >> a.out
    deps:
    - path: in
      hash: md5
      md5: @{[md5_hex("1\n")]}
      size: 2
    params:
      :env:
        S: $sha
      :params:
        size: 3
    outs:
    - path: a.out
      hash: md5
      md5: @{[md5_hex("1\n3\n")]}
      size: 4
  b:
    cmd: echo b >> ran; cat a.out a.out > b.out
    deps:
    - path: a.out
      hash: md5
      md5: @{[md5_hex("1\n3\n")]}
      size: 4
    outs:
    - path: b.out
      hash: md5
      md5: @{[md5_hex("1\n3\n1\n3\n")]}
      size: 8
END
is(slurp("$d/p.dag.lock"), $lock, 'its lock is as a dvc.lock, in the order of the work');
is(ran($d, '-f', 'p.yaml'), 'a b', 'once more');
is(slurp("$d/p.dag.lock"), $lock, '... it stays to the byte');
spew("$d/p.dag.lock", "# kept\n$lock");
spew("$d/in", "2\n");
is(ran($d, 'p.yaml'), 'a b', 'after a change');
(my $two = $lock) =~ s/@{[md5_hex("1\n")]}/md5_hex("2\n")/e;
$two =~ s/@{[md5_hex("1\n3\n")]}/md5_hex("2\n3\n")/eg;
$two =~ s/@{[md5_hex("1\n3\n1\n3\n")]}/md5_hex("2\n3\n2\n3\n")/e;
is(slurp("$d/p.dag.lock"), "# kept\n$two", '... what has changed is other, and comments stay');
spew("$d/in", "1\n");
is(ran($d, 'p.yaml'), '', 'back again');
is(slurp("$d/p.dag.lock"), "# kept\n$lock", '... and what was found is in the lock');

# What is about one day, or with another param, is no state of the project.
is(ran($d, 'p.yaml', '-p', 'size=4'), 'a b', 'with another param');
is(slurp("$d/p.dag.lock"), "# kept\n$lock", '... the lock is not written');
is(ran($d, 'p.yaml', '-p', 'size=4'), '', '... but what was run is known');
is(slurp("$d/a.out"), "1\n4\n", '... and its outputs are there');
is(ran($d, 'p.yaml'), '', 'without it');
is(slurp("$d/a.out"), "1\n3\n", '... the others come back');
is(ran($d, 'p.yaml', '-p', 'size=3'), '', 'a param that is given as it is anyway');
spew("$d/in", "9\n");
is(ran($d, 'p.yaml', '--date', '2026-01-02'), 'a b', 'with a date');
is(slurp("$d/p.dag.lock"), "# kept\n$lock", '... the lock is not written');
spew("$d/in", "1\n");

# A date that only the command's own environment tells is another date.
spew("$d/day.yaml", "tasks:\n  day: {outputs: [day.out], run: 'echo day >> ran; echo \$DAG_LOGICAL_DATE > day.out'}\n");
is(ran($d, 'day.yaml', '--date', $_), 'day', "the day $_") for qw(2026-01-02 2026-01-03);
is(slurp("$d/day.out"), "2026-01-03T00:00:00Z\n", '... is not the one before');
is(ran($d, 'day.yaml', '--date', '2026-01-02'), '', 'a day that was run');
is(slurp("$d/day.out"), "2026-01-02T00:00:00Z\n", '... comes back');

# A lock in another directory, of a DAG that lies there; another extension.
spew("$d/dags/q.yml", "tasks:\n  q: {inputs: [in], outputs: [q.out], run: echo q >> ran; cp in q.out}\n");
is(ran($d, 'dags/q.yml'), 'q', 'a DAG in a directory');
like(slurp("$d/dags/q.dag.lock") // '', qr/- path: in\n/, '... has its lock beside it, with paths as the file has them');
is(dag_in("$d/dags", 'run', 'q.yml')->{out} =~ /q: unchanged/ ? 1 : 0, 1, '... from wherever it is run');

# ---- a lock that cannot be ----

spew("$d/p.dag.lock", "schema: '2.0'\nstages:\n  a:\n    cmd: [\n");
isnt(dag_in($d, 'run', 'p.yaml')->{rc}, 0, 'a lock with mistakes is no lock');
like(why($d, 'a'), qr/p\.dag\.lock/, '... and is named') or diag(why($d, 'a'));
is(slurp("$d/p.dag.lock"), "schema: '2.0'\nstages:\n  a:\n    cmd: [\n", '... and stays');
ok(-s "$d/a.out", '... nothing is removed');
unlink("$d/p.dag.lock");
is(ran($d, 'p.yaml'), '', 'without a lock results are found all the same');
is(slurp("$d/p.dag.lock"), $lock, '... and it is written anew');
unlink("$d/p.dag.lock");
mkdir("$d/p.dag.lock");
spew("$d/in", "5\n");
my $p = dag_in($d, 'run', 'p.yaml');
like("$p->{out}$p->{err}" . why($d, 'a'), qr/p\.dag\.lock/, 'a directory in its place is named');
rmdir("$d/p.dag.lock");
unlike(ran($d, 'p.yaml'), qr/\d/, '... and without it all is well');
like(slurp("$d/p.dag.lock") // '', qr/@{[md5_hex("5\n")]}/, '... the lock says what was run');

# It cannot be written: the work is done, and the next run tells the lock.
$d = project('in' => "1\n", 'sub/r.yaml' => "tasks:\n  a: {inputs: [in], outputs: [a.out], run: 'echo a >> ran; cp in a.out; test -e go || mv sub away'}\n");
is(ran($d, 'sub/r.yaml'), 'a', 'a lock that cannot be written');
like("$ended->{out}$ended->{err}", qr/sub\/r\.dag\.lock cannot be written: .*; what it should say is kept, and written by the next run/,
	'... is told, and the run ends well');
rename("$d/away", "$d/sub") or die $!;
is(ran($d, 'sub/r.yaml'), '', '... the next runs nothing');
like(slurp("$d/sub/r.dag.lock") // '', qr/- path: a\.out/, '... and writes it');
spew("$d/in", "2\n");
is(ran($d, 'sub/r.yaml'), 'a', '... once more');
rename("$d/away", "$d/sub") or die $!;
spew("$d/t.yaml", "tasks:\n  t: {outputs: [t.out], run: touch t.out}\n");
is(ran($d, 't.yaml'), '', 'another DAG');
unlike(slurp("$d/sub/r.dag.lock"), qr/@{[md5_hex("2\n")]}/, '... does not care for it');
is(ran($d, 'sub/r.yaml'), '', 'the DAG itself');
like(slurp("$d/sub/r.dag.lock"), qr/@{[md5_hex("2\n")]}/, '... does');

# ---- retry ----

$d = project('in' => "1\n", 'p.yaml' => <<'END');
tasks:
  a: {inputs: [in], outputs: [a.out], run: 'echo a >> ran; cp in a.out'}
  b: {inputs: [a.out], outputs: [b.out], run: 'echo b >> ran; test -e mended; cp a.out b.out'}
  c: {inputs: [b.out], outputs: [c.out], run: 'echo c >> ran; cp b.out c.out'}
END
is(ran($d, 'p.yaml'), '1: a b', 'a task that fails');
unlike(slurp("$d/p.dag.lock"), qr/  b:/, '... is not in the lock');
is(ran($d, 'p.yaml'), '1: b', '... and runs again');
spew("$d/mended", '');
unlink("$d/ran");
ok_dag(0, 'retry', $d, 'retry', 'last');
is(slurp("$d/ran"), "b\nc\n", '... runs what failed and what follows');
unlink("$d/ran");
ok_dag(0, 'retry from a task', $d, 'retry', 'last', '--from', 'a');
is((slurp("$d/ran") // '') =~ s/\n/ /gr, 'a ', '... runs it, changed or not; what follows only if it has changed');
is(ran($d, 'p.yaml'), '', '... the lock holds');

# Spoilt while a task runs: its work is not lost.
$d = project('in' => "1\n", 'p.yaml' => "tasks:\n  a: {inputs: [in], outputs: [a.out], run: 'echo a >> ran; cp in a.out; echo [ > p.dag.lock'}\n");
is(ran($d, 'p.yaml'), 'a', 'a lock that is spoilt while a task runs');
like("$ended->{out}$ended->{err}", qr/p\.dag\.lock/, '... is named');
unlink("$d/p.dag.lock");
is(ran($d, 'p.yaml'), '', '... and the work is known');
like(slurp("$d/p.dag.lock") // '', qr/- path: a\.out/, '... also to the lock');

# ---- values ----

$d = project('in' => "1\n", 'p.yaml' => <<'END');
tasks:
  a: {inputs: [in], outputs: [a.out], run: 'echo a >> ran; cp in a.out; echo n=$(cat in) >> $DAG_OUTPUT; echo "t=two words" >> $DAG_OUTPUT'}
  b: {needs: [a], env: {N: '{{ outputs.a.n }}', T: '{{ outputs.a.t }}'}, run: 'echo b >> ran; echo "$N $T" > b.txt'}
  c: {needs: [a], when: outputs.a.n | int > 1, outputs: [c.out], run: echo c >> ran; touch c.out}
END
is(ran($d, 'p.yaml'), 'a b', 'a task that publishes values');
is(slurp("$d/b.txt"), "1 two words\n", '... for those that use them');
unlink("$d/b.txt");
is(ran($d, 'p.yaml'), 'b', 'one that is not run again');
is(slurp("$d/b.txt"), "1 two words\n", '... has them still');
spew("$d/in", "2\n");
is(ran($d, 'p.yaml'), 'a b c', 'others');
spew("$d/in", "1\n");
is(ran($d, 'p.yaml'), 'b', 'an earlier state');
is(slurp("$d/b.txt"), "1 two words\n", '... has the values of then, also for conditions');
like(ok_dag(0, 'values', $d, 'runs', 'last', '--json')->{out}, qr/"a".*two words|two words/s, '... and in the record');
# The history is gone, the results are not.
unlink(glob("$d/.dag/*.db*"));
remove_tree("$d/.dag/runs");
my $again = ran($d, 'p.yaml');
is(slurp("$d/b.txt"), "1 two words\n", 'without any history');
is($again, 'a b', '... the task runs, as nobody knows its values');

# ---- others meanwhile ----

my $slow = "tasks:\n  a: {inputs: [in], outputs: [a.out], run: 'echo a >> ran; touch busy; until test -e go; do sleep 0.02; done; cp in a.out'}\n"
	. "  b: {inputs: [a.out], outputs: [b.out], run: 'echo b >> ran; cp a.out b.out'}\n";
$d = project('in' => "1\n", 'p.yaml' => $slow);
my @two = (start($d, 'run', 'p.yaml'));
wait_for('a task at work', sub { -e "$d/busy" });
push @two, start($d, 'run', 'p.yaml');
wait_for('two runs of one DAG', sub { dag_in($d, 'explain', 'last', 'a')->{out} =~ /is in use by/ });
spew("$d/go", '');
is(join(' ', map { finish($_)->{rc} } @two), '0 0', 'two runs of one DAG at once') or diag(map { "$_->{out}$_->{err}" } @two);
is(slurp("$d/ran"), "a\nb\n", '... run each task once') or diag(map { $_->{out} } @two);
is(ran($d, 'p.yaml'), '', '... and the lock says so');

# Inputs that change while the task runs: it is not right for what is there now.
unlink("$d/go", "$d/busy");
spew("$d/in", "2\n");
my $r = start($d, 'run', 'p.yaml');
wait_for('a task at work', sub { -e "$d/busy" });
spew("$d/in", "333\n");
spew("$d/go", '');
is(finish($r)->{rc}, 0, 'an input that changes meanwhile');
like(ran($d, 'p.yaml'), qr/^a/, '... has the task run again') or diag(slurp("$d/p.dag.lock"));
is(slurp("$d/b.out"), "333\n", '... with what there is');

# ... also where the edit is taken back: what it made is of another input.
unlink("$d/go", "$d/busy");
spew("$d/in", "before\n");
$r = start($d, 'run', 'p.yaml');
wait_for('a task at work', sub { -e "$d/busy" });
spew("$d/in", "meanwhile\n");
spew("$d/go", '');
is(finish($r)->{rc}, 0, 'an input that is edited meanwhile');
is(slurp("$d/a.out"), "meanwhile\n", '... and read as it is by then');
spew("$d/in", "before\n");
like(dag_in($d, 'run', '--dry-run', 'p.yaml')->{out}, qr/'in' was changed while it ran/, '... is told');
like(ran($d, 'p.yaml'), qr/^a/, '... and the task runs again where that is taken back') or diag(slurp("$d/p.dag.lock"));
is(slurp("$d/b.out"), "before\n", '... with what there is');
is(ran($d, 'p.yaml'), '', '... for good');

# Two DAGs that share an input, and one that uses what the other makes.
spew("$d/q.yaml", "tasks:\n  q: {inputs: [in, a.out], outputs: [q.out], run: 'echo q >> ran; cat in a.out > q.out'}\n");
spew("$d/s.yaml", "tasks:\n  s: {inputs: [in], outputs: [s.out], run: 'echo s >> ran; cp in s.out'}\n");
spew("$d/in", "4\n");
unlink("$d/ran");
my @all = map { start($d, 'run', $_) } qw(p.yaml s.yaml q.yaml);
is(join(' ', map { finish($_)->{rc} } @all), '0 0 0', 'three DAGs at once') or diag(map { "$_->{out}$_->{err}" } @all);
is(ran($d, 's.yaml') . ran($d, 'p.yaml'), '', '... whose results hold');
like(ran($d, 'q.yaml'), qr/^q?$/, '... and what reads what others make comes to its end');
is(slurp("$d/q.out"), "4\n4\n", '... with that');
is(ran($d, 'q.yaml'), '', '... for good');

# dag add of what a task makes.
unlink("$d/go", "$d/busy");
spew("$d/in", "5\n");
$r = start($d, 'run', 'p.yaml');
wait_for('a task at work', sub { -e "$d/busy" });
my $other = dag_in($d, 'add', 'a.out');
isnt($other->{rc}, 0, 'an output is not added while its task makes it') or diag("$other->{out}$other->{err}");
like($other->{err}, qr/a\.out/, '... and is named');
spew("$d/go", '');
is(finish($r)->{rc}, 0, '... and the run ends well') or diag("$r->{out}$r->{err}");
is(slurp("$d/b.out"), "5\n", '... with its result');
is(ran($d, 'p.yaml'), '', '... that holds');

done_testing();
