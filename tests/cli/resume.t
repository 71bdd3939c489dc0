#!/usr/bin/perl
# dag resume, retry, cancel: from this terminal and from another.
use strict;
use warnings;
use File::Basename qw(dirname);
use lib dirname(__FILE__);
use Cli;
use JSON::PP;
use Test::More;
use Time::HiRes qw(time);

my $dir = project(
	'slow.yaml' => <<'END',
tasks:
  a: {run: "echo a >> order"}
  b: {run: "echo b >> order; until test -e go; do sleep 0.05; done; echo B >> order", needs: [a]}
  c: {run: "echo c >> order", needs: [b]}
END
	'flaky.yaml' => <<'END',
tasks:
  a: {run: "echo a >> flaky"}
  b: {run: "echo b >> flaky; test -e fixed", needs: [a]}
  c: {run: "echo c >> flaky", needs: [b]}
  d: {run: "echo d >> flaky"}
END
);

# The run, or nothing where it is not there yet.
sub run {
	my ($rc, $out) = dag($dir, 'runs', $_[0] // 'last', '--json');
	return $rc == 0 ? decode_json($out) : {tasks => []};
}
sub task { my ($r, $name) = @_; (grep { $_->{task} eq $name } @{$r->{tasks}})[0] }

sub begin {
	unlink "$dir/order", "$dir/go";
	my $r = start($dir, 'run', 'slow', @_);
	wait_for('b runs', sub { (slurp("$dir/order") // '') =~ /b/ });
	return $r;
}

sub killed {
	my $r = begin();
	kill 'KILL', $r->{pid};
	is(finish($r)->{rc}, 137, 'the owner is killed');
	return $r;
}

# Killed, and looked at: readers write nothing and say how to go on.
killed();
my $id = run_id($dir);
my $short = substr($id, -8);
my $note = "dag: run $short of slow was interrupted: dag resume $short\n";
my $p = ok_dag(0, 'runs', $dir, 'runs');
like($p->{out}, qr/^\Q$short\E +slow +interrupted /m, 'shows it');
is($p->{err}, $note, 'says how to go on');
is((dag($dir, 'runs', 'last'))[2], $note, '... for one run too');
is(run()->{state}, 'running', 'nothing was written');
like((dag($dir, 'explain', 'last'))[1], qr/^It was interrupted: nobody owns it\. `dag resume \Q$short\E` goes on with it\.\n.*its process is alive/ms, 'explain');
like((dag($dir, 'doctor'))[1], qr/^runs +warn run \Q$short\E of slow was interrupted/m, 'doctor');
is(ok_dag(0, 'logs', $dir, 'logs', 'last')->{err}, $note, 'logs');
usage($dir, 'run ID of slow has not ended, it was interrupted: dag resume ID', 'retry', 'last');

# Resumed: b is adopted, nothing runs twice.
my $r = start($dir, 'resume');
wait_for('it has an owner', sub { run()->{status} eq 'running' });
$p = dag_in($dir, 'resume', 'last');
is($p->{rc}, 3, 'a run that has an owner is not resumed');
like($p->{err}, qr/\Adag: error: .*\b$r->{pid}\b/, '... who is named');
is(ok_dag(0, 'resume all', $dir, 'resume')->{out}, "no run is interrupted\n", 'and there is no other');
spew("$dir/go", '');
is(finish($r)->{rc}, 0, 'the resumed run succeeds');
like($r->{out}, qr/^\d\d:\d\d:\d\d slow: run \Q$id\E is resumed, 3 tasks$/m, '... and says so');
is(slurp("$dir/order"), "a\nb\nB\nc\n", 'each task ran once');
$p = ok_dag(0, 'resume of what has ended', $dir, 'resume', 'last');
is($p->{err}, "dag: run $short of slow has ended already: success\n", 'is said');

# A new run names the interrupted one.
killed();
$short = substr(run_id($dir), -8);
spew("$dir/go", '');
spew("$dir/quick.yaml", "tasks: {q: {run: 'true'}}\n");
like(ok_dag(0, 'another run', $dir, 'run', 'quick')->{err}, qr/was interrupted: dag resume/, 'names the interrupted one');
$p = ok_dag(0, 'resume --json', $dir, 'resume', '--json');
is(scalar @{decode_json($p->{out})}, 1, 'is an array');
is_deeply([map { $_->{status} } @{decode_json($p->{out})}], ['success'], '... with how they ended');
is(ok_dag(0, 'none is left', $dir, 'resume', '--json')->{out}, "[]\n", 'an empty array');

# Retry.
ok_dag(1, 'a run that fails', $dir, 'run', 'flaky', '-j1');
$id = run_id($dir);
spew("$dir/fixed", '');
$p = ok_dag(0, 'retry', $dir, 'retry', 'flaky');
like($p->{out}, qr/run \Q$id\E is retried/, 'is the same run');
like($p->{out}, qr/^flaky \w+: success after \S+ \(since it was retried\)$/m, 'what the time is of is said');
is(join('', sort split //, slurp("$dir/flaky") =~ tr/\n//dr), 'abbcd', 'only what failed, and what follows');
is(task(run($id), 'b')->{attempt}, 2, 'attempts are counted on');
$p = ok_dag(0, 'retry of a success', $dir, 'retry', 'flaky');
like($p->{err}, qr/nothing in run .* has failed; '--from TASK'/, 'has nothing to do');
ok_dag(0, 'retry --from', $dir, 'retry', 'flaky', '--from', 'b');
is(join('', sort split //, slurp("$dir/flaky") =~ tr/\n//dr), 'abbbccd', 'that task and what follows');
like(ok_dag(2, 'an unknown task', $dir, 'retry', 'flaky', '--from', 'bb')->{err},
	qr/of flaky has no task 'bb' \(did you mean 'b'\?\)/, 'is refused, with a suggestion');

# A file that was repaired is not what a retry takes: that is said, for it surprises.
spew("$dir/fix.yaml", "tasks:\n  a: {run: exit 1}\n");
ok_dag(1, 'a wrong command', $dir, 'run', 'fix');
unlike(ok_dag(1, 'retried', $dir, 'retry', 'fix')->{err}, qr/has changed/, 'says nothing of changes');
spew("$dir/fix.yaml", "# why\ndescription: a word\ntasks:\n  a: {run: exit 1}\n");
unlike(ok_dag(1, 'words aside', $dir, 'retry', 'fix')->{err}, qr/has changed/, '... nor of such');
spew("$dir/fix.yaml", "tasks:\n  a: {run: exit 0}\n");
like(ok_dag(1, 'once repaired', $dir, 'retry', 'fix')->{err}, qr/^dag: fix\.yaml has changed since run \w+ began; .*'--latest' takes/m,
	'it says so');
unlink "$dir/fix.yaml";
ok_dag(1, 'and without its file', $dir, 'retry', 'fix');

# Cancel, from another terminal.
$r = begin();
$p = ok_dag(0, 'cancel', $dir, 'cancel', 'last');
like($p->{out}, qr/\Arun [0-9a-f]{8} of slow has ended: cancelled\n\z/, 'waits for the end');
is(finish($r)->{rc}, 1, 'its owner ends');
is(run()->{status}, 'cancelled', 'the run is cancelled');
is(task(run(), 'c')->{status}, 'cancelled', '... and what had not begun');
$p = ok_dag(0, 'cancel again', $dir, 'cancel', 'last');
like($p->{err}, qr/has ended already: cancelled/, 'is no error');

# The owner is stopped: said within 2 s, with the way out.
$r = begin();
kill 'STOP', $r->{pid};
my $began = time;
$p = dag_in($dir, 'cancel', 'last');
cmp_ok(time - $began, '<', 2, 'told within 2 s');
is($p->{rc}, 3, 'a stopped owner is status 3');
like($p->{err}, qr/pid $r->{pid}.* is stopped.*kill -CONT $r->{pid}/, '... with its pid and the way out');
like((dag($dir, 'explain', 'last'))[1], qr/which is stopped/, 'explain knows');
kill 'CONT', $r->{pid};
is(finish($r)->{rc}, 1, 'when it goes on it does what was asked');
is(run()->{status}, 'cancelled', '... and the run is cancelled');

# Nobody owns it: the verb does it itself.
$r = killed();
$p = ok_dag(0, 'cancel of an interrupted run', $dir, 'cancel', 'last');
like($p->{out}, qr/has ended: cancelled/, 'ends it');
is(task(run(), 'b')->{status}, 'cancelled', 'its task too');
unlike(slurp("$dir/order"), qr/B/, '... which did not get to its end');

# A task that would not hear: --kill.
spew("$dir/deaf.yaml", "tasks: {d: {run: \"trap '' TERM; touch deaf; while :; do sleep 0.1; done\", grace: 50s}}\n");
$r = start($dir, 'run', 'deaf');
wait_for('it runs', sub { -e "$dir/deaf" });
$began = time;
ok_dag(0, 'cancel --kill', $dir, 'cancel', '--kill', 'deaf');
cmp_ok(time - $began, '<', 10, 'does not wait for its grace');
finish($r);

# Retry of a run that goes on: the owner is asked.
spew("$dir/two.yaml", "tasks:\n  bad: {run: 'echo x >> tries; test -e ok2'}\n"
	. "  long: {run: 'until test -e go3; do sleep 0.05; done'}\n");
$r = start($dir, 'run', 'two', '-j2');
wait_for('bad has failed', sub { task(run('two'), 'bad') && task(run('two'), 'bad')->{status} eq 'failed' });
spew("$dir/ok2", '');
$p = ok_dag(0, 'retry of a live run', $dir, 'retry', 'two');
like($p->{err}, qr/retrying/, 'is answered');
wait_for('bad succeeds', sub { task(run('two'), 'bad')->{status} eq 'success' });
$p = ok_dag(0, 'retry where nothing has failed', $dir, 'retry', 'two');
like($p->{err}, qr/nothing to retry: no task has failed so far/, '... says so');
$p = dag_in($dir, 'retry', 'two', '--from', 'long');
is($p->{rc}, 2, 'retry from what still works is refused');
like($p->{err}, qr/has not ended yet/, '... in words');
$p = ok_dag(0, 'retry from what has ended', $dir, 'retry', 'two', '--from', 'bad');
like($p->{err}, qr/retrying/, '... is done');
wait_for('bad succeeds again', sub { task(run('two'), 'bad')->{attempt} == 3 && task(run('two'), 'bad')->{status} eq 'success' });
$p = dag_in($dir, 'retry', 'two', '--from', 'nix');
is($p->{rc}, 2, 'an unknown task is refused');
like($p->{err}, qr/refused: .*no such task/, '... by the owner');
spew("$dir/go3", '');
is(finish($r)->{rc}, 0, 'the run ends well');
done_testing();
