#!/usr/bin/perl
# dag runs, logs, explain, list with a history.
use strict;
use warnings;
use File::Basename qw(dirname);
use lib dirname(__FILE__);
use Cli;
use JSON::PP;
use Test::More;

my $dir = project(
	'a.yaml' => <<'END',
tasks:
  one: {run: "printf 'line %s\n' 1 2 3 4 5; printf 'bar 1\rbar 2'"}
  two: {run: "echo two >&2; echo k=v >> $DAG_OUTPUT", needs: [one]}
  off: {run: echo off, when: "1 > 2"}
END
	'b.yaml' => <<'END',
tasks:
  x: {run: "echo try $DAG_ATTEMPT; exit 2", retries: 1, retry_delay: 50ms}
  y: {run: echo y, needs: [x]}
END
);

# Nothing yet.
my $p = ok_dag(0, 'no history', $dir, 'runs');
is($p->{out}, '', 'nothing');
is($p->{err}, "dag: nothing has been run in project '$dir' yet\n", '... and that is said');
is(ok_dag(0, 'as JSON', $dir, 'runs', '--json')->{out}, "", 'no line');
usage($dir, "nothing has been run in project 'DIR' yet", $_, 'last') for qw(runs logs explain retry cancel resume);
is(ok_dag(0, 'resume', $dir, 'resume')->{out}, "no run is interrupted\n", 'nothing to resume');
ok(!-e "$dir/.dag/dag.db", 'and no database was made');

my %id;
for (1 .. 2) {
	ok_dag(0, 'a', $dir, 'run', 'a', '-j1');
	push @{$id{a}}, run_id($dir);
	ok_dag(1, 'b', $dir, 'run', 'b');
	push @{$id{b}}, run_id($dir);
}
my @newest = ($id{b}[1], $id{a}[1], $id{b}[0], $id{a}[0]);

# The list.
sub rows { map { decode_json($_) } split /\n/, (dag($dir, 'runs', '--json', @_))[1] }
sub ids { map { $_->{run} } rows(@_) }
is_deeply([ids()], \@newest, 'newest first');
is_deeply([ids('-n', 3)], [@newest[0 .. 2]], '-n');
is_deeply([ids('-n', 2, '--after', $newest[1])], [@newest[2, 3]], '--after: the next page');
$p = ok_dag(0, 'a page', $dir, 'runs', '-n', 2);
is($p->{err}, "dag: there are more: the next page with --after $newest[1]\n", 'tells of the next');
is(ok_dag(0, 'the last page', $dir, 'runs', '-n', 2, '--after', $newest[1])->{err}, '', '... which has none');
is(ok_dag(0, 'all', $dir, 'runs', '-n', 4)->{err}, '', 'nor have all on one');
{
	my @made = map { $_->{created_at} } rows();
	is_deeply([ids('--since', $made[1])], [@newest[0, 1]], '--since an instant, which is in');
	is_deeply([ids('--until', $made[1])], [@newest[2, 3]], '--until an instant, which is out');
	is_deeply([ids('--since', $made[2], '--until', $made[0])], [@newest[1, 2]], 'both');
	is_deeply([ids('--since', $made[2], '-n1', '--after', $newest[1])], [$newest[2]], 'with pages');
	is_deeply([ids('--since', '1h', '--dag', 'a', '--result', 'success')], [@newest[1, 3]], 'so long ago');
	is_deeply([ids('--until', '1h')], [], '... and before');
	is_deeply([ids('--until', '2026-01-01')], [], 'a date');
	is_deeply([ids('--since', '2999-01-01')], [], 'that has not come');
}
usage($dir, "option '--since' takes an instant (2026-11-22, INSTANT) or how long ago (30m, 2d), not 'soon'", 'runs', '--since', 'soon');
usage($dir, "option '--until' takes an instant (2026-11-22, INSTANT) or how long ago (30m, 2d), not ''", 'runs', '--until', '');
usage($dir, 'with a RUN only --json may be given', 'runs', 'last', '--since', '1d');
is((rows('-n1'))[0]{counts}{upstream_failed}, 1, 'a line has the counts');
is((rows('-n1'))[0]{tasks}, undef, '... and no tasks');
is_deeply([ids('--dag', 'a')], [@{$id{a}}[1, 0]], '--dag');
is_deeply([ids('--result', 'failed')], [@{$id{b}}[1, 0]], '--result');
is_deeply([ids('--state', 'done', '-n1')], [$newest[0]], '--state done');
is_deeply([ids('--state', 'running')], [], '--state running');
is_deeply([ids('--state', 'interrupted')], [], '--state interrupted');
is_deeply([ids('--dag', 'c')], [], 'a DAG that never ran');
$p = ok_dag(0, 'for people', $dir, 'runs');
golden_run('runs.txt', $p->{out} =~ s/ {2,}/  /gr, $dir);
golden_run('list_runs.txt', ok_dag(0, 'dag list', $dir, 'list')->{out} =~ s/ {2,}/  /gr, $dir);
is(decode_json((dag($dir, 'list', '--json'))[1])->[1]{last_run}{run}, $id{b}[1], 'list knows the last run');

# Naming a run.
for my $ref ($id{a}[0], substr($id{a}[0], -12), substr($id{a}[0], -6)) {
	is(decode_json((dag($dir, 'runs', $ref, '--json'))[1])->{run}, $id{a}[0], "by $ref");
}
is(run_id($dir, 'last'), $newest[0], 'last');
is(run_id($dir, 'a'), $id{a}[1], 'by DAG');
for my $bad ('zzz', substr($id{a}[0], -5), 'ffffffffffff') {
	like(ok_dag(2, "no run '$bad'", $dir, 'runs', $bad)->{err}, qr/\Adag: error: /, 'is an error');
}

# One run.
golden_run('runs_one.txt', ok_dag(0, 'one', $dir, 'runs', 'b')->{out} =~ s/ {2,}/  /gr, $dir);
my $j = decode_json((dag($dir, 'runs', 'a', '--json'))[1]);
is("$j->{status} $j->{state} $j->{result} $j->{dag} $j->{file}", 'success done success a a.yaml', 'facts');
is($j->{counts}{success} + $j->{counts}{skipped}, 3, 'counts');
is_deeply([map { "$_->{task} $_->{status} $_->{attempt}" } @{$j->{tasks}}],
	['one success 1', 'two success 1', 'off skipped 0'], 'tasks in the order of the file');
is_deeply($j->{outputs}, [{task => 'two', map => -1, key => 'k', value => 'v'}], 'outputs');
my ($one) = grep { $_->{task} eq 'one' } @{$j->{attempts}};
is("$one->{exit_status} $one->{executor}", '0 local', 'attempts');
like($one->{id}, qr/^[0-9a-f-]{36}$/, '... have ids');
cmp_ok($one->{maxrss_kib}, '>', 0, '... and what they used');

# Logs.
my @args = ('logs', $id{a}[1], 'one');
is((dag($dir, @args))[1], "line 1\nline 2\nline 3\nline 4\nline 5\nbar 1\rbar 2", 'bytes as they came');
is((dag($dir, @args, '-n', 0))[1], '', '--tail 0');
is((dag($dir, @args, '-n', 1))[1], "bar 1\rbar 2", '--tail: a last line without its end counts');
is((dag($dir, @args, '--tail=3'))[1], "line 4\nline 5\nbar 1\rbar 2", '--tail 3');
is((dag($dir, @args, '--tail', 100))[1], (dag($dir, @args))[1], '--tail more than there is');
is((dag($dir, @args, '--from', 35))[1], "bar 1\rbar 2", '--from');
is((dag($dir, @args, '--from', 46))[1], '', '--from the end');
is((dag($dir, @args, '--from', 1000))[1], '', '--from behind the end');
is((dag($dir, 'logs', 'b', 'x'))[1], "try 2\n", 'the latest attempt');
is((dag($dir, 'logs', 'b', 'x', '--attempt', 1))[1], "try 1\n", '--attempt');
is((dag($dir, 'logs', '-f', 'b', 'x'))[1], "try 2\n", '-f of what has ended ends');
is((dag($dir, 'logs', 'a'))[1],
	"==> one (attempt 1) <==\nline 1\nline 2\nline 3\nline 4\nline 5\nbar 1\rbar 2\n==> two (attempt 1) <==\ntwo\n",
	'all tasks, under headers');
spew("$dir/order.yaml", "tasks:\n  b: {run: echo b}\n  a: {run: echo a, needs: [b]}\n  c: {run: echo c}\n");
ok_dag(0, 'names that are not in order', $dir, 'run', 'order');
is((dag($dir, 'logs', 'order'))[1],
	join("\n", map { "==> $_ (attempt 1) <==\n$_\n" } qw(b a c)), '... in the order of the file');
usage($dir, "there is no attempt 3: task 'x' has had 2 attempts so far", 'logs', 'b', 'x', '--attempt', 3);
usage($dir, "task 'y' has not been started: upstream_failed, `x` did not succeed", 'logs', 'b', 'y');
like((dag($dir, 'logs', 'b', 'xx'))[2], qr/has no task 'xx' \(did you mean 'x'\?\)/, 'a suggestion');

# A log above its limit: the first and the last half are there, and the size of the gap.
spew("$dir/big.yaml", "tasks:\n  t: {run: 'head -c 70000000 /dev/zero | tr \"\\\\0\" x; echo; echo the end'}\n");
ok_dag(0, 'a task that writes 70 MB', $dir, 'run', 'big');
$p = ok_dag(0, 'its log', $dir, 'logs', 'big', 't');
cmp_ok(length($p->{out}), '<', 68_000_000, 'is shorter');
like($p->{out}, qr/x\nthe end\n\z/, 'ends as it ended');
like($p->{err}, qr/\Adag: t \(attempt 1\): [\d.]+ MiB of the log are not kept \(bytes \d+ to \d+\)\n\z/, 'the gap is told');
is((dag($dir, 'logs', 'big', 't', '-n1'))[1], "the end\n", '--tail reads the ring');

# Explain.
golden_run('explain.txt', ok_dag(0, 'explain', $dir, 'explain', 'b')->{out}, $dir);
like(ok_dag(0, 'a task', $dir, 'explain', 'a', 'off')->{out}, qr/\A`off` was skipped because its `when` is false: `[^`]+`(?:, and params\.\w+ is [^,]+)?\.\n\z/, 'why it was skipped');
like(ok_dag(0, 'a run', $dir, 'explain', 'a')->{out}, qr/\ARun \S+ of a succeeded after \S+\.\n.*`off` was skipped because/s, 'that ended well');
like((dag($dir, 'explain', 'b', 'z'))[2], qr/has no task 'z'; its tasks: dag runs \w{8}\n/, 'a task that is not there');

# One attempt takes as long wherever it is shown; a run that is retried began anew everywhere.
for my $ref ('a', 'b') {
	my $shown = (dag($dir, 'runs', $ref))[1];
	my $told = (dag($dir, 'explain', $ref, $ref eq 'a' ? 'two' : 'x'))[1];
	my ($took) = $told =~ / It took ([^,\n ]+),/;
	like($shown, qr/^\w+ +\d +\w+ +\S+ \S+ +\Q$took\E(?: |$)/m, "runs and explain of $ref: $took");
}
sleep 1;
ok_dag(1, 'retry', $dir, 'retry', 'b');
my ($began) = (dag($dir, 'runs', '--dag', 'b', '-n1'))[1] =~ /(\d{4}-\S+ \S+)/;
like((dag($dir, 'list'))[1], qr/^b +2 +\Q$began\E /m, 'list and runs agree on when it began');

# A failure that is allowed is called so.
spew("$dir/may.yaml", "tasks:\n  m: {run: exit 3, allow_failure: true}\n  n: {run: 'true'}\n");
$p = ok_dag(0, 'a failure that is allowed', $dir, 'run', 'may');
like($p->{out}, qr/ m: failed \(allowed\) after /, '... is called so as it happens');
like((dag($dir, 'runs', 'may'))[1], qr/^m +1 +failed \(allowed\) /m, '... by runs');
like((dag($dir, 'explain', 'may'))[1], qr/^`m` failed: exit status 3\. .*That is allowed/m, '... by explain');
is(decode_json((dag($dir, 'runs', 'may', '--json'))[1])->{tasks}[0]{status}, 'failed', 'JSON has the word of the state');
like((dag($dir, 'runs', '-n1'))[1], qr/ 1 of 2 ok, 1 allowed to fail$/m, '... by the list');
is((rows('-n1'))[0]{failures_allowed}, 1, '... and its lines');
spew("$dir/may2.yaml", "tasks:\n  m: {run: exit 3, allow_failure: true}\n  n: {run: 'false'}\n");
ok_dag(1, 'one that is not', $dir, 'run', 'may2');
like((dag($dir, 'runs', '-n1'))[1], qr/ 0 of 2 ok, 1 failed, 1 allowed to fail$/m, 'is told apart');

# A run under way.
spew("$dir/slow.yaml", <<'END');
tasks:
  s: {run: "echo begun; until test -e go; do sleep 0.05; done; echo done"}
  t: {run: echo t, needs: [s]}
  w: {type: wait, for: 1h}
  o: {run: echo o >o.txt, outputs: [o.txt], needs: [s]}
END
my $run = start($dir, 'run', 'slow');
wait_for('it runs', sub { (dag($dir, 'logs', 'slow', 's'))[1] =~ /begun/ });
# That it runs is written within a tenth of a second, in company.
wait_for('the rows say so', sub { 2 == (() = (dag($dir, 'explain', 'last'))[1] =~ /^`[sw]` (?:is running|waits until)/mg) });
$p = ok_dag(0, 'the list', $dir, 'runs', '--state', 'running');
like($p->{out}, qr/ slow +running .* 0 of 4 ok, 2 running/, 'shows it');
$p = ok_dag(0, 'explain', $dir, 'explain', 'last');
like($p->{out}, qr/ of slow has been running for \S+\.\nIt is owned by pid $run->{pid}\.\n/, 'its owner');
like($p->{out}, qr/^`t` waits for `s` \(running for [\d.]+m?s\)\.$/m, 'what a task waits for');
like($p->{out}, qr/^`w` waits until \d{4}-\S+ \S+, in \d+m\d+s\.$/m, 'until when a wait waits');
my $follow = start($dir, 'logs', '-f', 'slow', 's');
my $all = start($dir, 'logs', '-f', 'slow');
spew("$dir/go", '');
$p = finish($follow);
is("$p->{rc} $p->{out}", "0 begun\ndone\n", 'logs -f TASK ends with the attempt');
wait_for('the rest', sub { (dag($dir, 'runs', 'slow'))[1] =~ /^o +1 +success/m });
ok_dag(0, 'cancel', $dir, 'cancel', 'slow');
$p = finish($all);
like($p->{out}, qr/\A==> s \(attempt 1\) <==\nbegun\ndone\n/, 'logs -f RUN shows what comes');
like($p->{out}, qr/^==> t \(attempt 1\) <==\nt\n/m, '... of all tasks');
is($p->{rc}, 0, '... until the run has ended');
is(finish($run)->{rc}, 1, 'a cancelled run is no success');

# Who holds what.
spew("$dir/hold.yaml", "tasks:\n  t: {run: 'echo x > h.txt; until test -e go2; do sleep 0.05; done', outputs: [h.txt]}\n");
my @runs = map {
	my $r = start($dir, 'run', 'hold');
	my $n = $_;
	wait_for("run $n", sub {
		my $rows = [map { decode_json((dag($dir, 'runs', $_, '--json'))[1]) } ids('--dag', 'hold')];
		@$rows == $n && ($rows->[0]{tasks}[0]{state} eq 'running' || ($rows->[0]{tasks}[0]{reason} // '') =~ /use/);
	});
	$r;
} 1 .. 2;
my ($second, $first) = ids('--dag', 'hold');
$p = ok_dag(0, 'explain', $dir, 'explain', $second, 't');
like($p->{out}, qr/\A`t` has all that it needs, but `h\.txt` is in use by task `t` of run \Q@{[substr($first, -8)]}\E of hold, since \d{4}-\S+ \S+ \(for \S+\)\. It starts when that has ended\.$/m, 'a path lock names its holder') or diag($p->{out});
spew("$dir/go2", '');
is(finish($_)->{rc}, 0, 'it ends') for @runs;
like($runs[1]{out}, qr/^\d\d:\d\d:\d\d t: ready: `h\.txt` is in use by /m, 'plain progress tells of the lock');
done_testing();
