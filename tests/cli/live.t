#!/usr/bin/perl
# The live table on a terminal, and the keys that stop a run.
use strict;
use warnings;
use utf8;
use File::Basename qw(dirname);
use lib dirname(__FILE__);
use Cli;
use JSON::PP;
use Test::More;

my $dir = project(
	'few.yaml' => <<'END',
tasks:
  quick: {run: "true"}
  steps:
    run: |
      for i in 1 2 3 4 5 6; do
        echo "{\"event\":\"progress\",\"done\":$i,\"total\":6}" >> "$DAG_EVENTS"
        sleep 0.15
      done
  bad: {run: exit 5, needs: [quick]}
  "after": {run: "true", needs: [bad]}
END
	'many.yaml' => "tasks:\n" . join('', map { "  task_$_: {run: 'sleep 0.05'}\n" } 1 .. 60)
		. "  broken: {run: exit 1}\n",
	'slow.yaml' => <<'END',
tasks:
  s: {run: "trap 'echo asked; exit 1' TERM; touch begun; sleep 30 & wait"}
  t: {run: "true", needs: [s]}
END
	'stubborn.yaml' => <<'END',
tasks:
  s: {run: "trap '' TERM; touch begun; while :; do sleep 0.1; done"}
END
);

sub status { decode_json((dag($dir, 'runs', 'last', '--json'))[1])->{status} }

# All tasks fit.
my $p = pty($dir, ['--size', '24x80'], 'run', 'few', '-j2');
is($p->{rc}, 1, 'the exit code');
is(norm(screen($p->{out}, 24, 80)->{odd}), '', 'nothing that the screen does not know');
my $end = screen($p->{out}, 40, 80);
like($end->{lines}[0], qr/^few [0-9a-f]{8}  failed [\d.]+m?s  4 of 4 done, 1 failed$/, 'the head, at last');
like($end->{lines}[1], qr/^  quick +success +\d+ms$/, 'tasks in the order of the file');
like($end->{lines}[2], qr/^  steps +success +/, '...');
like($end->{lines}[3], qr/^  bad +failed +\S+ +exit status 5$/, '... with their reason');
like($end->{lines}[4], qr/^  after +upstream_failed +`bad` did not succeed$/, '...');
is($end->{lines}[5], '', 'an empty line');
like($end->{lines}[6], qr/^few [0-9a-f]{8}: failed after /, 'then the summary');
like($p->{out}, qr/\[#+-+\]\s+\d+% [\d.]+\/s ETA \S+/, 'a bar, a rate, an end while it ran');
unlike($p->{out}, qr/\e\[\?25l|\e\[\?1049h|\e\[\?7l/, 'no mode of the terminal is changed');
is(scalar(() = $p->{out} =~ /\e\[\?2026h/g), scalar(() = $p->{out} =~ /\e\[\?2026l/g), 'every frame is closed');

# More tasks than lines: never more lines than the terminal has, never a line too wide.
for my $size ([10, 40], [6, 20], [4, 100], [2, 30]) {
	my ($rows, $cols) = @$size;
	$p = pty($dir, ['--size', "${rows}x$cols"], 'run', 'many', '-j4', '--progress', 'live');
	my $table = $p->{out} =~ s/\e\[\?2026l(?!.*\e\[\?2026h).*//sr;
	my $s = screen("$table\e[?2026l", $rows, $cols);
	is($s->{scrolled}, 0, "$rows x $cols: nothing scrolls away");
	is($s->{odd}, '', '... no line is too wide');
	like($s->{lines}[0], qr/^many/, '... the head is at the top');
	like($s->{text}, qr/broken/, '... what failed is shown') if $rows > 2 && $cols > 20;
}

# What runs, what failed, what is tried again and when, what waits and for what; on a wide
# terminal and on a narrow one.  Each step is looked at on the screen, not in bytes.
my $mixed = <<'END';
tasks:
  fetch_everything: {run: sleep 3}
  broken: {run: "exit 4"}
  again: {run: "exit 5", retries: 1, retry_delay: 60s}
  clean: {run: "true", needs: [fetch_everything]}
  report: {run: "true", needs: [clean, again]}
  made: {run: "true", outputs: ["d\u00e9j\u00e0 \u65e5\u672c\u8a9e.csv"]}
END
utf8::encode($mixed);
spew("$dir/mixed.yaml", $mixed);
for my $cols (79, 40, 20) {
	my $out = pty($dir, ['--size', "12x$cols", '--expect', 'broken', '--sleep', 1800, '--send', '\x03'],
		'run', 'mixed', '-j4', '--progress', 'live', '--color', 'never')->{out};
	$out =~ s/\^C.*//s;
	my $s = screen($out, 12, $cols);
	is("$s->{scrolled} $s->{odd}", '0 ', "mixed at $cols columns: nothing scrolls or wraps");
	my @want = $cols > 40
		? (qr/^mixed [0-9a-f]{8}  running 1s  2 of 6 done, 2 failed$/, qr/^  fetch_everything +running +1s$/,
			qr/^  broken +failed +\d+ms +exit status 4$/, qr/^  again +up_for_retry +\d+ms +next try in (?:1m)?\d+s.*$/,
			qr/^  clean +waiting +for fetch_everythi(?:ng|…)$/, qr/^  report +waiting +for (?:again, cle(?:an|…)|clean, aga(?:in|…))$/,
			qr/^  made +failed +\d+ms +\S.*$/)
		: $cols == 40
		? (qr/^mixed 2\/6 2 failed 1s$/, qr/^ fetch_everything running +1s$/, qr/^ broken +failed +\d+ms /,
			qr/^ again +retry +(?:5\ds|1m0\ds)/, qr/^ clean +waiting/, qr/^ report +waiting/, qr/^ made +failed/)
		: (qr/^mixed 2\/6 2 failed…$/, qr/^ fetch_e… running$/, qr/^ broken   failed$/, qr/^ again    retry$/,
			qr/^ clean    waiting$/, qr/^ report   waiting$/, qr/^ made     failed$/);
	like($s->{lines}[$_], $want[$_], "... line $_") for 0 .. $#want;
}

# The terminal changes its size while it is drawn on.
$p = pty($dir, ['--size', '30x100', '--expect', 'running', '--resize', '8x33', '--sleep', 400,
	'--resize', '20x70'], 'run', 'many', '-j2');
is($p->{rc}, 1, 'a terminal that is resized');
like($p->{out}, qr/^many [0-9a-f]{8}: \e\[31mfailed/m, '... gets its summary');

# Ctrl-C: TERM, the run is cancelled.
unlink "$dir/begun";
$p = pty($dir, ['--expect', 's ', '--sleep', 500, '--send', '\x03'], 'run', 'slow');
is($p->{rc}, 130, 'Ctrl-C is status 130');
is(status(), 'cancelled', 'the run is cancelled');
like($p->{out}, qr/dag: stopping 1 task/, 'it is said');
like((dag($dir, 'logs', 'last', 's'))[1], qr/asked/, 'the task was asked first');
like(screen($p->{out}, 40, 80)->{text}, qr/^  s +cancelled .*\n  t +cancelled /m, 'the table shows it');

# Twice: KILL.
$p = pty($dir, ['--expect', 'running', '--sleep', 500, '--send', '\x03', '--expect', 'stopping', '--sleep', 200,
	'--send', '\x03'], 'run', 'stubborn');
is($p->{rc}, 130, 'Ctrl-C twice is status 130');
is(status(), 'cancelled', '... and the run is cancelled though the task would not');

# Ctrl-Z and fg, by a shell with job control.
unlink "$dir/begun";
$p = pty($dir, ['--expect', '$ ', '--send', build() . '/bin/dag run few\r', '--expect', 'running', '--send', '\x1a',
	'--expect', 'topped', '--sleep', 300, '--send', 'fg\r', '--expect', 'Next', '--expect', '$ ',
	'--send', 'echo status $?\r', '--expect', 'status 1', '--send', 'exit\r'],
	'--', 'env', 'PS1=$ ', 'bash', '--norc', '--noprofile', '-i');
like($p->{out}, qr/status 1/, 'a stopped run goes on');
is(status(), 'failed', '... to its end');

# The terminal goes away: tasks go on, the run can be resumed.
unlink "$dir/begun";
$p = pty($dir, ['--expect', 'running', '--sleep', 300, '--hangup'], 'run', 'slow');
is($p->{rc}, 129, 'a hangup is status 129');
is(status(), 'interrupted', 'the run is not cancelled');
my ($at) = grep { $_->{task} eq 's' } @{decode_json((dag($dir, 'runs', 'last', '--json'))[1])->{attempts}};
is($at->{state}, 'running', 'its task goes on');
ok_dag(0, 'cancel ends what lives', $dir, 'cancel', 'last');
is(status(), 'cancelled', '... and the run');

# No live table where there is no terminal for it.
{
	local $ENV{KEEP_TERM} = 1;
	$p = pty($dir, [], 'run', 'few');
	unlike($p->{out}, qr/\e/, 'a dumb terminal gets plain lines');
	like($p->{out}, qr/^\d\d:\d\d:\d\d steps: running/m, '... of what happens');
}
{
	local $ENV{NO_COLOR} = 1;
	$p = pty($dir, [], 'run', 'few');
	unlike($p->{out}, qr/\e\[[\d;]*m/, 'NO_COLOR: a table without colours');
	like($p->{out}, qr/\e\[\?2026h/, '... but a table');
}
$p = pty($dir, [], 'run', 'few', '--progress', 'plain', '--color', 'never');
unlike($p->{out}, qr/\e/, '--progress plain is plain on a terminal');

# Whatever is printed on a terminal is no wider than it.
spew("$dir/a_dag_with_a_rather_long_name.yaml", <<'END');
tasks:
  a_task_with_a_name_that_is_long:
    run: "echo a line of output that is certainly wider than a terminal of forty columns; exit 9"
  another_one_after_it: {run: "true", needs: [a_task_with_a_name_that_is_long]}
END
for my $args (['run', 'a_dag_with_a_rather_long_name', '--progress', 'plain'], ['explain', 'last'], ['runs'],
	['runs', 'last'], ['list'], ['doctor'], ['show', 'a_dag_with_a_rather_long_name'],
	['run', 'few', '--dry-run'], ['bogus']) {
	for my $cols (40, 61) {
		my $out = pty($dir, ['--size', "24x$cols"], @$args)->{out};
		$out =~ s/\e\[[\d;]*m//g;
		utf8::decode($out);
		my @wide = grep { length > $cols } split /\r?\n/, $out;
		is(join("\n", @wide), '', "dag @$args at $cols columns");
	}
}
# How a run went is told before when.
for my $cols (40, 61) {
	like(pty($dir, ['--size', "24x$cols"], 'runs', '-n1', '--color', 'never')->{out}, qr/ failed/, "runs at $cols columns");
	like(pty($dir, ['--size', "24x$cols"], 'list', '--color', 'never')->{out}, qr/^a_dag.* failed/m, "list at $cols columns");
}
done_testing();
