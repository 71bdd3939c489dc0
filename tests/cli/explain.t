#!/usr/bin/perl
# dag explain: whole sentences, and the same as facts.
use strict;
use warnings;
use File::Basename qw(dirname);
use lib dirname(__FILE__);
use Cli;
use JSON::PP;
use Test::More;

my $dir = project('ended.yaml' => <<'END', 'busy.yaml' => <<'END2', 'lost.yaml' => <<'END3');
params: {full: {type: boolean, default: false}}
tasks:
  x: {run: "echo one; printf 'two\\033[1m\\n' >&2; exit 3", retries: 1, retry_delay: 50ms}
  y: {run: echo, needs: [x]}
  z: {run: echo, needs: [y, ok]}
  zz: {run: echo, needs: [z], trigger: one_success}
  ok: {run: 'echo rows=10 >> "$DAG_OUTPUT"'}
  report: {run: echo, needs: [ok], when: params.full == true}
  few: {run: echo, needs: [ok], when: outputs.ok.rows | int > 100 and params.full}
  after: {run: echo, needs: [report]}
  last: {run: echo, needs: [after]}
  may: {run: exit 4, allow_failure: true}
END
max_active_tasks: 2
tasks:
  s: {run: "until test -e go; do sleep 0.05; done", retries: 2, timeout: 1h}
  t: {run: echo t, needs: [s]}
  u: {run: echo t, needs: [t], trigger: all_done}
  r: {run: "exit 1", retries: 3, retry_delay: 1m}
  q: {run: "until test -e go; do sleep 0.05; done", needs: [w]}
  w: {type: wait, for: 1ms}
  o: {run: echo o, needs: [w], priority: -1}
END2
tasks:
  a: {run: "kill -9 $(sed -n 's/.*pid=\\([0-9]*\\).*/\\1/p' \"${DAG_OUTPUT%/*}/shim\"); sleep 60"}
  b: {run: echo, needs: [a]}
END3

sub says {
	my ($name, $re, @args) = @_;
	my $p = ok_dag(0, $name, $dir, 'explain', @args);
	like($p->{out}, $re, "... $name");
	return $p->{out};
}

# What has ended.
ok_dag(1, 'a run', $dir, 'run', 'ended');
golden_run('explain_ended.txt', ok_dag(0, 'its story', $dir, 'explain', 'last')->{out}, $dir);
says('a failure', qr/\A`x` failed \(attempt 2 of 2\): exit status 3\. It took .* Attempt 1 failed: exit status 3\.\n  The last lines of its log:\n      \| one\n      \| two\n  All of it: `dag logs \w+ x`\.\n`dag retry \w+` runs it again/, 'last', 'x');
says('one that is allowed', qr/\A`may` failed: exit status 4\. .* That is allowed: the run goes on without it\.\n  It has written nothing\.\n/, 'last', 'may');
says('a chain', qr/\A`z` did not run: it needs `y`, which needs `x`, which failed \(exit status 3\)\.\n/, 'last', 'z');
says('a trigger', qr/\A`zz` did not run: it needs `z`, which needs `y`, which needs `x`, which failed .* Its trigger is one_success\.\n/, 'last', 'zz');
says('a condition', qr/\A`report` was skipped because its `when` is false: `params\.full == true`, and params\.full is false\.\n\z/, 'last', 'report');
says('with outputs', qr/: `outputs\.ok\.rows \| int > 100 and params\.full`, and outputs\.ok\.rows is '10', params\.full is false\.\n\z/, 'last', 'few');
says('what follows it', qr/\A`last` was skipped: it needs `after`, which needs `report`, which was skipped because its `when` is false: /, 'last', 'last');
says('a success', qr/\A`ok` succeeded\. It took /, 'last', 'ok');
my $j = decode_json(ok_dag(0, 'as facts', $dir, 'explain', 'last', '--json')->{out});
is($j->{status}, 'failed', 'the run');
is($j->{owner}, undef, 'nobody owns it');
my %t = map { $_->{task} => $_ } @{$j->{tasks}};
is("@{$t{z}{because_of}}", 'y x', 'the chain');
is("@{$t{z}{waits_for}}", '', 'nothing to wait for');
like($t{report}{text}, qr/\A`report` was skipped because/, 'the sentences');
$j = decode_json(ok_dag(0, 'one task', $dir, 'explain', 'last', 'x', '--json')->{out});
is("$j->{task} $j->{result}", 'x failed', 'its facts');

# What goes on.
my $run = start($dir, 'run', 'busy');
wait_for('three are as they are to be', sub {
	my $out = (dag($dir, 'explain', 'busy'))[1];
	$out =~ /^`s` is running/m && $out =~ /^`q` is running/m && $out =~ /^`r` failed/m;
});
says('a task at work', qr/\A`s` is running for [\d.]+m?s \(attempt 1 of 3\), pid \d+; it is stopped if it takes longer than 1h\d*m?\.\nIt is owned by pid $run->{pid}\.\n\z/, 'last', 's');
says('one that waits', qr/\A`t` waits for `s` \(running for [\d.]+m?s, attempt 1 of 3\)\.\n/, 'last', 't');
says('behind it', qr/\A`u` waits for `t` \(waiting itself\)\. In the end that hangs on `s` \(running for .*\)\. Its trigger is all_done\.\n/, 'last', 'u');
says('a retry', qr/\A`r` failed \(attempt 1 of 4\): exit status 1\. It is tried again at \d{4}-\S+ \S+, in (?:1m)?\d+s\.\n/, 'last', 'r');
says('no slot', qr/\A`o` has all that it needs and waits for one of the 2 tasks at work to end: max_active_tasks is 2\.\n/, 'last', 'o');
$j = decode_json(ok_dag(0, 'as facts', $dir, 'explain', 'last', '--json')->{out});
is($j->{owner}{pid}, $run->{pid}, 'its owner');
%t = map { $_->{task} => $_ } @{$j->{tasks}};
is("@{$t{u}{waits_for}}", 't', 'what a task waits for');
kill 'KILL', $run->{pid};
finish($run);
my $out = says('an interrupted run', qr/^It was interrupted: nobody owns it\. `dag resume \w+` goes on with it\.\n/m, 'last');
like($out, qr/^`s` was running when the run was interrupted; its process is alive and will be taken over\.$/m, 'what lives');
like($out, qr/^`t` waits for `s` \(at work when the run was interrupted\)\. Nothing starts before the run is resumed\.$/m, 'what waits');
like($out, qr/^`r` failed \(attempt 1 of 4\): exit status 1\. It is tried again when the run is resumed\.$/m, 'what is tried again');
spew("$dir/go", '');
ok_dag(0, 'cancelled', $dir, 'cancel', 'last', '--kill');
says('a cancelled run', qr/\ARun \S+ of busy was cancelled after .*^To go on: `dag retry \w+` runs again what was cancelled/ms, 'last');

# What is lost.
ok_dag(1, 'a shim that is killed', $dir, 'run', 'lost');
says('a lost task', qr/\A`a` was lost: /, 'last', 'a');
says('and what needs it', qr/\A`b` did not run: it needs `a`, which was lost \(/, 'last', 'b');
done_testing();
