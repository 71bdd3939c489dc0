#!/usr/bin/perl
# --progress json: every line is as docs/progress.md says, and the stream ends where the run
# does; readers that are slow or go away.
use strict;
use warnings;
use File::Basename qw(dirname);
use lib dirname(__FILE__);
use Cli;
use JSON::PP;
use Test::More;

my $dir = project(
	'all.yaml' => <<'END',
params: {ok: {type: boolean, default: false}}
tasks:
  good: {run: 'echo n=1 >>"$DAG_OUTPUT"'}
  slow:
    run: |
      echo '{"event":"progress","done":1,"total":4}' >>"$DAG_EVENTS"
      sleep 1.2
      echo '{"event":"progress","done":3}' >>"$DAG_EVENTS"
      sleep 1.2
  bad: {run: exit 3, retries: 1, retry_delay: 50ms}
  meant: {run: exit 1, allow_failure: true}
  after: {run: "true", needs: [bad]}
  never: {run: "true", when: params.ok and not params.ok, needs: [good]}
  pause: {type: wait, for: 100ms}
  apart: {run: "true"}
END
	'toggle.yaml' => "tasks:\n  a: {run: 'true'}\n  b: {run: 'test -e now', needs: [a]}\n  c: {run: 'true', needs: [b]}\n",
	'many.yaml' => "tasks:\n" . join('', map { "  task_$_: {run: 'true'}\n" } 1 .. 60)
		. "  last: {run: 'touch ended', trigger: all_done, needs: [task_1, task_60]}\n",
);

my $docs = ok_dag(0, 'the page', $dir, 'help', '--markdown', 'progress')->{out};
my $path = source() . '/docs/progress.md';
spew($path, $docs) if ($ENV{DAG_GOLDEN} // '') eq 'update';
is($docs, slurp($path), 'docs/progress.md is what the table says (DAG_GOLDEN=update makes it anew)');

# The page, read as a program would: event -> [[field, type]].
my (%table, @common, $event);
for (split /\n/, $docs) {
	$event = $1 if /^## `(\w+)`$/;
	next unless /^\| `(\w+)` \| ([a-z ]+) \|/;
	push @{defined $event ? $table{$event} //= [@common] : \@common}, [$1, $2];
}
is(join(' ', map { $_->[0] } @common), 'v event at', 'fields of all events');
is(join(' ', sort keys %table), 'gap notice progress run_began run_ended task', 'the events');

my %is = (
	string => sub { defined $_[0] && !ref $_[0] && $_[1] =~ /^"/ },
	number => sub { defined $_[0] && $_[1] =~ /^-?\d/ },
	integer => sub { defined $_[0] && $_[1] =~ /^-?\d+$/ },
	boolean => sub { JSON::PP::is_bool($_[0]) },
	instant => sub { defined $_[0] && $_[1] =~ /^"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z"$/ },
);

# Check each line against the table; return them.
sub stream {
	my ($text, $name) = @_;
	my (@lines, @wrong);
	for my $line (split /\n/, $text) {
		my $x = eval { decode_json($line) } or push(@wrong, "no JSON: $line"), next;
		push @lines, $x;
		my $fields = $table{$x->{event} // ''} or push(@wrong, "unknown event: $line"), next;
		my @order = $line =~ /"(\w+)":(?:"(?:[^"\\]|\\.)*"|[^,}]*)/g;
		push @wrong, "@order in $line" if "@order" ne join ' ', map { $_->[0] } @$fields;
		for my $f (@$fields) {
			my ($key, $type) = @$f;
			my ($raw) = $line =~ /"\Q$key\E":("(?:[^"\\]|\\.)*"|[^,}]*)/;
			my $null = $type =~ s/ or null$//;
			push @wrong, "$key is no $type: $line" unless $is{$type}->($x->{$key}, $raw) || $null && $raw eq 'null';
		}
		push @wrong, "version: $line" if $x->{v} != 1;
	}
	is(join("\n", @wrong[0 .. ($#wrong > 2 ? 2 : $#wrong)]), '', "$name: every line is as the page says");
	return @lines;
}

# The last line of each task is how the run's row has it.
sub same_end {
	my ($name, $lines, $run) = @_;
	my (%last, @wrong);
	$last{$_->{task}} = $_ for grep { $_->{event} eq 'task' } @$lines;
	for my $t (@{$run->{tasks}}) {
		my $x = delete $last{$t->{task}};
		if (!$t->{selected}) {
			push @wrong, "$t->{task} is not selected" if $x;
			next;
		}
		for (qw(state result attempt tries reason started_at ended_at next_try_at map)) {
			my ($have, $want) = map { $_ // 'null' } $x->{$_}, $t->{$_} // ($_ eq 'reason' ? '' : undef);
			push @wrong, "$t->{task}: $_ is $have, in the end $want" if $have ne $want;
		}
	}
	push @wrong, "no such task: $_" for keys %last;
	is(join("\n", @wrong), '', "$name: tasks end as in the database");
	my ($end) = grep { $_->{event} eq 'run_ended' } @$lines;
	is("$end->{run} $end->{result} $end->{reason}", "$run->{run} $run->{result} " . ($run->{reason} // ''), '... and so does the run');
}

sub last_run { decode_json((dag($dir, 'runs', 'last', '--json'))[1]) }

my $p = ok_dag(1, 'a run with everything', $dir, 'run', 'all', '--progress', 'json', '-x', 'apart', '-j4');
my @lines = stream($p->{out}, 'a run');
is($p->{err}, '', '... and stderr is empty');
same_end('a run', \@lines, last_run());
is($lines[0]{event}, 'run_began', '... first it begins');
is($lines[-1]{event}, 'run_ended', '... last it ends');
my %of;
push @{$of{$_->{task}}}, $_ for grep { $_->{event} eq 'task' } @lines;
is($of{bad}[-1]{attempt}, 2, '... a task is tried twice');
ok((grep { $_->{state} eq 'up_for_retry' && $_->{next_try_at} && $_->{reason} } @{$of{bad}}), '... waits in between, and says why');
is($of{$_->[0]}[-1]{result}, $_->[1], "... $_->[0] is $_->[1]")
	for ['good', 'success'], ['meant', 'failed'], ['after', 'upstream_failed'], ['never', 'skipped'];
ok($of{meant}[-1]{allow_failure} && !$of{bad}[-1]{allow_failure}, '... and a failure that is allowed can be told');
is(join(' ', map { $_->{done} . '/' . ($_->{total} // '-') } grep { $_->{event} eq 'progress' } @lines), '1/4 3/-', '... progress as it is reported');
my @twice = grep { my $i = $_; $i > 0 && encode_json({%{$lines[$i]}, at => 0, elapsed_s => 0}) eq encode_json({%{$lines[$i - 1]}, at => 0, elapsed_s => 0}) } 1 .. $#lines;
is(scalar @twice, 0, '... nothing is said twice');

# A run that is retried: who reads need not know what was before.
ok_dag(1, 'a run that fails', $dir, 'run', 'toggle', '--progress', 'none');
spew("$dir/now", '');
$p = ok_dag(0, 'retry', $dir, 'retry', 'last', '--progress', 'json');
@lines = stream($p->{out}, 'retry');
ok($lines[0]{retried} && !$lines[0]{resumed}, '... says so');
is(join(' ', map { "$_->{task}:" . ($_->{result} // $_->{state}) } @lines[1 .. 3]), 'a:success b:failed c:upstream_failed', '... tells how all tasks stood');
same_end('retry', \@lines, last_run());

# Where it goes.
$p = ok_dag(0, '--json', $dir, 'run', 'toggle', '--progress', 'json', '--json');
@lines = stream($p->{err}, 'with --json it is on stderr');
same_end('... and', \@lines, decode_json($p->{out}));
$p = ok_dag(2, 'a mistake on the command line', $dir, 'run', 'toggle', '--progress', 'json', '-p', 'x=1');
is($p->{out}, '', '... has no stream');
my $dag = build() . '/bin/dag';
my $all = `cd '$dir' && '$dag' run toggle --progress json 2>&1`;
stream($all, 'both outputs in one pipe');

# A reader that goes away: the run does not.
$all = `cd '$dir' && { '$dag' run many --progress json; echo "status \$?" >&2; } 2>&1 >/dev/null | cat`;
is($all, "status 0\n", 'nobody looks');
unlink "$dir/ended";
$all = `cd '$dir' && { { '$dag' run many --progress json; echo "status \$?" >&2; } | head -n 3 >/dev/null; } 2>&1`;
is($all, "status 0\n", 'a reader that goes away: the status is that of the run, and no complaint');
ok(-e "$dir/ended", '... which went on to its end');
is(last_run()->{status}, 'success', '... and well');
for my $how ('plain', 'none') {
	$all = `cd '$dir' && { { sleep 0.3; '$dag' run toggle --progress $how; echo "status \$?" >&2; } | :; } 2>&1`;
	is($all, "status 0\n", "... also with --progress $how");
}

# A reader that does not read: the run does not wait for it, and nothing is lost.
unlink "$dir/ended";
pipe(my $r, my $w) or die "pipe: $!";
my $pid = fork // die "fork: $!";
if ($pid == 0) {
	chdir($dir) or die;
	open(STDIN, '<', '/dev/null');
	open(STDOUT, '>&', $w);
	open(STDERR, '>&', $w);
	close($r);
	exec($dag, 'run', 'many', '--progress', 'json') or die;
}
close($w);
ok(wait_for('the end of a run that nobody reads about', sub { -e "$dir/ended" }), 'a slow reader holds up nothing');
ok(wait_for('its end in the database', sub { last_run()->{state} eq 'done' }), '... the run ends');
is(waitpid($pid, POSIX::WNOHANG()), 0, '... dag waits for the reader then');
my $text = do { local $/; <$r> };
waitpid($pid, 0);
is($?, 0, '... and ends');
cmp_ok(length $text, '>', 66_000, '... there was more than a pipe holds');
same_end('... nothing is missing', [stream($text, '... all of it')], last_run());

# A terminal that was stopped with Ctrl-S.
for my $how ('live', 'plain') {
	unlink "$dir/ended";
	$p = pty($dir, ['--size', '24x80', '--expect', 'many', '--send', '\x13', '--deaf', "$dir/ended",
		'--send', '\x11'], 'run', 'many', '-j1', '--progress', $how);
	is($p->{rc}, 0, "Ctrl-S does not stop the run: --progress $how") or diag($p->{out}, $p->{err});
	like($p->{out}, qr/many [0-9a-f]{8}: (?:\e\[32m)?success/, '... and gets its end at last');
}
done_testing();
