#!/usr/bin/perl
# Tasks of DAG files that do not run where nothing has changed: what makes them run again, by its
# name; results that come back; options and keys.
use strict;
use warnings;
use Digest::MD5 qw(md5_hex);
use File::Basename qw(dirname);
use File::Find;
use File::Path qw(make_path remove_tree);
use lib dirname(__FILE__);
use Cli qw(:DEFAULT home git object);
use JSON::PP;
use Test::More;

home(project());
$ENV{PATH} = build() . "/bin:$ENV{PATH}";

# All files of a project with what they hold, but for SQLite's own: a look writes nothing.
sub contents {
	my ($dir) = @_;
	my @all;
	find({no_chdir => 1, wanted => sub {
		return if /-(shm|wal)\z/;
		my @st = lstat($_);
		push @all, -d _ ? $_ : join(' ', $_, @st[1, 2, 7, 9], md5_hex(slurp($_)));
	}}, $dir);
	return join("\n", sort @all);
}

# What a dry run says of each task, before the run, and whether the run then does so.
my ($looks, @wrong, %said) = (0);
sub look {
	my ($dir, @args) = @_;
	my $before = contents($dir);
	my $p = dag_in($dir, 'run', 'pipe.yaml', '--dry-run', '--json', @args);
	$looks++;
	%said = ();
	push @wrong, "look $looks: exit $p->{rc} $p->{err}" if $p->{rc} != 0;
	my $after = contents($dir);
	push @wrong, "look $looks: something was written: $before\n$after" if $after ne $before;
	%said = map { $_->{task} => $_ } @{decode_json($p->{out})->{tasks}} if $p->{rc} == 0;
}

sub agree {
	my (@ran) = @_;
	my %ran = map { $_ => 1 } @ran;
	for my $task (sort keys %said) {
		my $state = $said{$task}{state};
		next if $state ne 'fails' && ($state eq 'may_run' || ($state eq 'run') == !!$ran{$task});
		push @wrong, "look $looks: $task: '$state: $said{$task}{why}', and it " . ($ran{$task} ? 'ran' : 'did not run');
	}
}

# The names of the tasks that a run of pipe.yaml has run, sorted.
my $ended;
sub ran {
	my ($dir, @args) = @_;
	unlink("$dir/ran");
	look($dir, @args);
	$ended = dag_in($dir, 'run', 'pipe.yaml', @args);
	agree(split(/\n/, slurp("$dir/ran") // '')) if $ended->{rc} == 0;
	diag("dag $ended->{args}\n$ended->{out}\n$ended->{err}") if $ended->{rc} != 0;
	return ($ended->{rc} ? "$ended->{rc}: " : '') . join(' ', sort split(/\n/, slurp("$dir/ran") // ''));
}

# How a dry run would say it.
sub foreseen { my ($task) = @_; return "$said{$task}{state}: $said{$task}{why}" }
sub why { my ($dir, $task) = @_; return dag_in($dir, 'explain', 'last', $task)->{out} }
sub lock_of { return slurp("$_[0]/pipe.dag.lock") }
sub edit { my ($path, $from, $to) = @_; my $s = slurp($path); $s =~ s/\Q$from\E/$to/ or die "$path: no '$from'"; spew($path, $s) }

my $pipe = <<'END';
params: {n: 2, m: 1}
env: {GREET: hello}
tasks:
  first:
    inputs: [in.txt, 'more/*.txt']
    code: [lib.sh]
    outputs: [first.txt]
    run: |
      echo first >> ran
      . ./lib.sh
      cat more/*.txt > first.txt
      head -n {{ params.n }} in.txt >> first.txt
      echo rows=$(wc -l < first.txt) >> "$DAG_OUTPUT"
  second:
    inputs: [first.txt]
    outputs: [out/second.txt, list]
    env: {ROWS: '{{ outputs.first.rows }}'}
    run: |
      echo second >> ran
      mkdir -p out list/deep; echo $ROWS > list/deep/rows; echo x > list/x
      echo $GREET $ROWS > out/second.txt
  third: {inputs: [out/second.txt], outputs: [third.txt], run: 'echo third >> ran; wc -c < out/second.txt > third.txt'}
  other: {outputs: [other.txt], params: [m], run: 'echo other >> ran; echo $DAG_TASK > other.txt'}
END
my %files = ('pipe.yaml' => $pipe, 'in.txt' => "1\n2\n3\n", 'more/a.txt' => "a\n", 'lib.sh' => ":\n");

# ---- nothing has changed; each thing that changes ----

my $d = project(%files);
is(ran($d), 'first other second third', 'the first run runs all');
like(why($d, 'first'), qr/^`first` succeeded\. .*Why it ran: no run of it is recorded\./, '... as none is recorded');
my $lock = lock_of($d);
is(ran($d), '', 'the second runs nothing');
is(() = $ended->{out} =~ /: unchanged after/g, 4, '... all are unchanged');
like($ended->{out}, qr/ended: success.*4 tasks: 4 unchanged/s, '... and it is a success');
like(why($d, 'first'), qr/^`first` was not run: nothing has changed\.$/m, '... which is said');
is(lock_of($d), $lock, '... the lock stays to the byte');
is(foreseen('second'), 'unchanged: nothing has changed', '... and a dry run says it, of a task with values of another');
my @before = map { (stat("$d/$_"))[1, 9] } qw(first.txt out/second.txt pipe.dag.lock);
ran($d);
is("@before", join(' ', map { (stat("$d/$_"))[1, 9] } qw(first.txt out/second.txt pipe.dag.lock)), '... and no file is written');

spew("$d/in.txt", "1\n2\n3\n4\n");
is(ran($d), 'first', 'an input that changes runs who reads it, but not who follows: the output is the same');
like(why($d, 'first'), qr/Why it ran: 'in\.txt' changed: 6 bytes -> 8, was [0-9a-f]{8}\.\.\., is [0-9a-f]{8}/, '... its name, sizes and hashes are said')
	or diag(why($d, 'first'));
like(foreseen('first'), qr/^run: 'in\.txt' changed: 6 bytes -> 8, was [0-9a-f]{8}\.\.\., is [0-9a-f]{8}/, '... before it, by a dry run');
is(foreseen('second'), 'may_run: it uses values of `first`', '... and what that means for who follows');
is(foreseen('third'), "may_run: it reads 'out/second.txt', which `second` makes", '... and for who follows that');
is_deeply([map { "$_->{kind} $_->{change} $_->{path} $_->{was}{size} $_->{is}{size}" } @{$said{first}{changes}}],
	['dep modified in.txt 6 8'], '... as JSON');
spew("$d/in.txt", "0\n2\n3\n4\n");
is(ran($d), 'first second', '... and with another output also who follows it, as far as outputs change');
like(why($d, 'second'), qr/Why it ran: 'first\.txt' changed/, '... which is said');
spew("$d/more/b.txt", "b\n");
is(ran($d), 'first second third', 'a file that a glob meets now');
like(why($d, 'first'), qr/Why it ran: 'more\/b\.txt' is new/, '... is named') or diag(why($d, 'first'));
unlink("$d/more/a.txt");
is(ran($d), 'first second', 'a file that a glob meets no more');
like(why($d, 'first'), qr/Why it ran: .*'more\/a\.txt'/, '... is named') or diag(why($d, 'first'));
spew("$d/lib.sh", "true\n");
is(ran($d), 'first', 'a file of code');
like(why($d, 'first'), qr/'lib\.sh' changed/, '... is named');
edit("$d/pipe.yaml", 'n: 2', 'n: 1');
is(ran($d), 'first second third', 'a param that a template names');
like(why($d, 'first'), qr/param.*\bn\b.*2.*1/, '... is named, with its values') or diag(why($d, 'first'));
edit("$d/pipe.yaml", 'm: 1', 'm: 7');
is(ran($d), 'other', 'a param that the task names');
like(why($d, 'other'), qr/\bm\b.*1.*7/, '... is named');
edit("$d/pipe.yaml", 'GREET: hello', 'GREET: hallo');
is(ran($d), 'first other second third', 'a value of env, of all tasks');
like(why($d, 'second'), qr/GREET/, '... is named');
unlike(why($d, 'second'), qr/hallo/, '... without its value, which may be anything');
edit("$d/pipe.yaml", "echo third >> ran;", "echo third >> ran; true;");
is(ran($d), 'third', 'a command');
like(why($d, 'third'), qr/Why it ran: .*command/, '... is said');
edit("$d/pipe.yaml", "outputs: [third.txt], run:", "outputs: [third.txt], shell: bash, run:");
is(ran($d), 'third', 'a shell');
like(why($d, 'third'), qr/shell/, '... is said') or diag(why($d, 'third'));
edit("$d/pipe.yaml", "shell: bash, run: 'echo third >> ran; true; wc -c < out/second.txt > third.txt'",
	"workdir: out, run: 'echo third >> ../ran; wc -c < second.txt > ../third.txt'");
is(ran($d), 'third', 'a workdir');
like(why($d, 'third'), qr/workdir/, '... is said') or diag(why($d, 'third'));
edit("$d/pipe.yaml", 'outputs: [third.txt]', 'outputs: [third.txt], description: the third, retries: 2, tags: [x], timeout: 1h, priority: 3');
is(ran($d), '', 'what does not change the result runs nothing');
edit("$d/pipe.yaml", 'echo third >> ../ran;', 'echo third >> ../ran; echo > ../fourth.txt;');
is(ran($d), 'third', 'a command that makes one more file');
edit("$d/pipe.yaml", 'outputs: [third.txt]', 'outputs: [third.txt, fourth.txt]');
is(ran($d), 'third', 'another output');
like(why($d, 'third'), qr/'fourth\.txt'/, '... is named') or diag(why($d, 'third'));
is(ran($d), '', '... and then it rests');

# What needs no run needs no slot either: it ends before who has the only one.
my $e = project('pipe.yaml' => "tasks:\n  slow: {priority: 9, run: 'echo slow >> ran; sleep 0.2'}\n" .
	"  other: {outputs: [o], run: 'echo other >> ran; echo > o'}\n" .
	"  last: {inputs: [o], outputs: [p], run: 'echo last >> ran; cp o p'}\n");
ran($e, '-j1');
like($ended->{out}, qr/slow: success.*other: success/s, 'one slot: one after the other');
ran($e, '-j1');
like($ended->{out}, qr/other: unchanged.*last: unchanged.*slow: success/s, '... and what has not changed does not wait for it');
ran($e, '-j1', '--exclude', 'other');
like($ended->{out}, qr/last: unchanged.*slow: success/s, '... nor where what it follows is not selected');

# ---- outputs that are not as they were ----

my %was = map { $_ => slurp("$d/$_") } qw(first.txt list/deep/rows list/x);
unlink("$d/first.txt");
is(ran($d), '', 'an output that is gone comes back without a run');
is(slurp("$d/first.txt"), $was{'first.txt'}, '... as it was');
like(why($d, 'first'), qr/was not run: nothing has changed; its outputs were brought back from the cache/, '... which is said');
is(foreseen('first'), 'restored: nothing has changed; its outputs come back from the cache', '... before it, too');
is(foreseen('second'), 'unchanged: nothing has changed', '... and who reads it is known to have no need');
remove_tree("$d/list");
is(ran($d), '', '... and so does a directory');
is(slurp("$d/list/deep/rows"), $was{'list/deep/rows'}, '... with what was in it');
unlink("$d/list/x");
is(ran($d), '', '... and a file in one') or diag(why($d, 'second'));
is(slurp("$d/list/x"), $was{'list/x'}, '... as it was');
spew("$d/third.txt", "by hand\n");
my $after = ran($d);
unlike(slurp("$d/third.txt"), qr/by hand/, 'an output that was edited by hand is what the task makes');
like(why($d, 'third'), qr/third\.txt|brought back/, '... which is said') or diag(why($d, 'third'));
note("it ran: '$after'");

# Back to an earlier state.
spew("$d/in.txt", "new\n");
is(ran($d), 'first second', 'a new state');
spew("$d/in.txt", "0\n2\n3\n4\n");
is(ran($d), '', 'back to an earlier one nothing runs');
is(slurp("$d/first.txt"), $was{'first.txt'}, '... and the outputs are those of then');
like(why($d, 'first'), qr/it was run before as it is now; its outputs were brought back from the cache/, '... which is said');
spew("$d/in.txt", "new\n");
is(ran($d, '--no-run-cache'), 'first second', '--no-run-cache does not look for it');
is(ran($d), '', '... once');
is(ran($d, '--force'), 'first other second third', '--force runs all');
like(why($d, 'first'), qr/Why it ran: .*force/i, '... which is said') or diag(why($d, 'first'));
is(ran($d, '-f', '-s', 'third'), 'third', '--force of one task');

# The cache has lost it.
remove_tree("$d/.dag/cache");
is(ran($d), '', 'an empty cache alone runs nothing');
remove_tree("$d/.dag/cache");
unlink("$d/first.txt");
is(ran($d), 'first', '... with an output that is gone, its task');
remove_tree("$d/.dag/cache");
is(ran($d), '', '... the cache is filled from what is there');
unlink("$d/first.txt");
is(ran($d), '', '... and gives it back');
my $object = object("$d/.dag/cache", md5_hex(slurp("$d/first.txt")));
unlink("$d/first.txt");
chmod(0644, $object);
spew($object, "damaged\n");
ran($d);
like(shift @wrong, qr/'restored: .*it ran/, 'what is damaged in the cache a dry run does not see');
unlike(slurp("$d/first.txt"), qr/damaged/, 'what is damaged in the cache is no result');

# ---- --no-cache, cache, persist, frozen ----

$lock = lock_of($d);
is(ran($d, '--no-cache'), 'first other second third', '--no-cache runs all');
unlike($ended->{out}, qr/unchanged/, '... nothing is unchanged');
is(lock_of($d), $lock, '... and the lock is not written');
spew("$d/in.txt", "nocache\n");
is(ran($d, '--no-cache', '-s', 'first'), 'first', '... of one task');
ok(!-e object("$d/.dag/cache", md5_hex(slurp("$d/first.txt"))), '... what it makes does not go into the cache');
is(ran($d), 'first second', '... nobody takes it for a result');

spew("$d/in.txt", "nocommit\n");
is(ran($d, '--no-commit'), 'first second', '--no-commit runs what changed');
ok(!-e object("$d/.dag/cache", md5_hex(slurp("$d/first.txt"))), '... what it makes does not go into the cache');
is(ran($d), '', '... and is a result');

$d = project('in' => "1\n", 'pipe.yaml' => <<'END');
tasks:
  always: {inputs: [in], outputs: [a], cache: false, run: echo always >> ran; cp in a}
  plain: {inputs: [in], run: echo plain >> ran}
  check: {inputs: [in], cache: true, run: echo check >> ran; test -s in}
  grow: {inputs: [in], outputs: [sum], persist: true, run: echo grow >> ran; cat in >> sum}
  cold: {inputs: [in], outputs: [c], frozen: true, run: echo cold >> ran; cp in c}
END
spew("$d/c", "old\n");
is(ran($d), 'always check grow plain', 'what is not cached, what is without outputs, what persists; what is frozen does not run');
is(ran($d), 'always plain', '... the second time: what is not cached, or has no outputs');
is(slurp("$d/sum"), "1\n", '... what persists is left alone');
spew("$d/in", "2\n");
is(ran($d), 'always check grow plain', 'their input changes');
is(slurp("$d/sum") . slurp("$d/c"), "1\n2\nold\n", '... what persists is added to, what is frozen stays');
spew("$d/in", "1\n");
is(ran($d), 'always check grow plain', 'an earlier state: what has no outputs leaves nothing to bring back; what persists is added to')
	or diag(why($d, 'grow'), why($d, 'check'));
is(slurp("$d/sum"), "1\n2\n1\n", '... to what is there');
unlink("$d/c");
look($d);
like(foreseen('cold'), qr/^fails: it is frozen, and its output 'c' does not exist/, 'a dry run of a frozen task whose result is gone') or diag(foreseen('cold'));
isnt((dag($d, 'run', 'pipe.yaml', '-s', 'cold'))[0], 0, 'a frozen task whose result is gone');
like(why($d, 'cold'), qr/'c'/, '... cannot end well, and names it') or diag(why($d, 'cold'));

# With links into the cache: what is changed in place is no object.
$d = project('in' => "1\n", 'pipe.yaml' => "tasks:\n  grow: {inputs: [in], outputs: [sum], persist: true, run: echo grow >> ran; cat in >> sum}\n");
ok_dag(0, 'links', $d, 'config', 'cache.type', 'hardlink');
ran($d);
$object = object("$d/.dag/cache", md5_hex("1\n"));
is((stat("$d/sum"))[1], (stat($object))[1], '... of an output');
spew("$d/in", "2\n");
is(ran($d), 'grow', '... that is changed in place');
is(slurp($object), "1\n", '... leave the object whole');
is(slurp("$d/sum"), "1\n2\n", '... and what was added is there');

# ... and programs in a directory stay programs: a cache cannot bring them back, so they are made again.
spew("$d/pipe.yaml", "tasks:\n  make: {inputs: [in], outputs: [bin], run: 'echo make >> ran; mkdir bin; cp in bin/x; chmod +x bin/x'}\n");
is(ran($d), 'make', 'a directory with a program');
ok(-x "$d/bin/x", '... can be run');
is(ran($d), '', '... is unchanged while it is there');
unlink("$d/bin/x");
rmdir("$d/bin");
is(ran($d), 'make', '... and made again where it is gone');
ok(-x "$d/bin/x", '... as a program');

# What is only known when a run has begun.
$d = project('in' => "1\n", 'pipe.yaml' => <<'END');
tasks:
  get: {inputs: [in], outputs: [a], run: 'cp in a; echo n=$(cat in) >> "$DAG_OUTPUT"'}
  when: {needs: [get], when: outputs.get.n | int > 1, outputs: [w], run: echo when >> ran; touch w}
  after: {inputs: [w], outputs: [x], run: cp w x}
  off: {when: false, run: 'true'}
  behind: {needs: [off], run: 'true'}
  miss: {inputs: [gone], outputs: [m], run: cp gone m}
  lost: {inputs: [m], outputs: [l], run: cp m l}
  sorry: {needs: [miss], trigger: one_failed, run: 'true'}
  least: {needs: [get], trigger: all_done, run: 'true'}
END
look($d);
is(foreseen('when'), 'may_run: its `when` is known when `get` has ended', 'a `when` that is not known');
is(foreseen('after'), 'may_run: it follows a task that may be skipped', '... and who follows');
is(foreseen('off') . ', ' . foreseen('behind'), 'skipped: `when` is false: false, skipped: it follows `off`, which is skipped', 'one that is');
is(foreseen('miss') . ', ' . foreseen('lost'), 'fails: its input `gone` does not exist, fails: it follows `miss`, which cannot run',
	'an input that nobody makes');
look($d, '--allow-missing');
is(foreseen('miss'), 'fails: its input `gone` does not exist', '... also where one may be missing, as it is to run');
look($d);
is(foreseen('sorry'), 'may_run: its `trigger` is one_failed', 'a trigger that looks at failures');
is(foreseen('least'), 'run: it has no outputs, so it runs always', '... and one that does not care');
dag_in($d, 'run', 'pipe.yaml', '-s', '+when');
look($d);
is(foreseen('when'), 'skipped: `when` is false: outputs.get.n | int > 1', 'with the values of then a `when` is known');
look($d, '--force', '-s', 'get');
is(foreseen('get'), 'run: it is forced', '--force');
look($d, '--no-cache', '-s', 'get');
is(foreseen('get'), 'run: --no-cache: nothing counts as unchanged', '--no-cache');
spew("$d/pipe.dag.lock", "schema: '2.0'\nstages: [\n");
look($d);
like(foreseen('get'), qr/^fails: .*pipe\.dag\.lock/, 'a lock file with a mistake') or diag(foreseen('get'));

# Lines are counted where git has what was there; the project lies in a directory of the repository.
my $repo = project() . "/repo";
$d = "$repo/in here";
make_path("$d/.dag");
spew("$d/$_->[0]", $_->[1]) for ['in.txt', "1\n2\n3\n"], ['copy.txt', "1\n"],
	['pipe.yaml', "tasks:\n  t: {inputs: [in.txt, copy.txt], outputs: [o], run: echo t >> ran; cat in.txt copy.txt > o}\n"];
git($repo, 'init', '-q');
git($repo, 'add', '.');
git($repo, 'commit', '-qm', 'x');
is(ran($d), 't', 'a project in git');
spew("$d/in.txt", "1\n2\n3\n4\n");
my $lines = qr/'in\.txt' changed: 3 lines -> 4, was [0-9a-f]{8}\.\.\., is [0-9a-f]{8}\.\.\./;
look($d);
like(foreseen('t'), qr/^run: $lines$/, 'what git has is counted in lines');
git($repo, 'commit', '-qam', 'y');
spew("$d/other", "z\n");
git($repo, 'add', '.');
git($repo, 'commit', '-qm', 'z');
is(ran($d), 't', '... also where it was committed since');
like(foreseen('t'), qr/^run: $lines$/, '... a dry run says it');
like(why($d, 't'), qr/Why it ran: $lines/, '... and so does explain');
spew("$d/in.txt", "5\n");
spew("$d/copy.txt", "1\0\n");
is(ran($d), 't', 'what was never committed');
like(why($d, 't'), qr/'in\.txt' changed: 4 lines -> 1, .*'copy\.txt' changed: 2 bytes -> 3,/, '... is not; nor what is no text') or diag(why($d, 't'));
spew("$d/in.txt", "6\n");
is(ran($d), 't', '... and of what was there before it');
like(why($d, 't'), qr/'in\.txt' changed: 2 bytes, was/, '... has its size');

# core.autostage: the lock file and .gitignore are in git's index then.
sub staged { my @all = `git -C '$d' diff --cached --name-only --relative`; chomp @all; git($repo, 'commit', '-q', '--allow-empty', '-mx'); return "@all" }
git($repo, 'add', '.');
staged();
ok_dag(0, 'core.autostage', $d, 'config', 'core.autostage', 'true');
edit("$d/pipe.yaml", 'outputs: [o]', 'outputs: [o, sub/p]');
edit("$d/pipe.yaml", '> o}', '> o; mkdir -p sub; cp o sub/p}');
is(ran($d), 't', '... of a task with one more output');
is(staged(), 'pipe.dag.lock sub/.gitignore', '... stages the lock file and .gitignore');
is(ran($d) . staged(), '', '... nothing where nothing was written');
edit("$d/pipe.yaml", 'run: echo', 'run: false; echo');
dag($d, 'run', 'pipe.yaml');
is(staged(), '', '... nor where a run has failed');

is(join("\n", @wrong), '', "$looks dry runs before runs: each said what came, and wrote nothing");

done_testing();
