#!/usr/bin/perl
# dag list, dag show: what there is.
use strict;
use warnings;
use File::Basename qw(dirname);
use lib dirname(__FILE__);
use Cli;
use JSON::PP;
use Test::More;

my $pipe = <<'END';
dag: pipe
description: From here to there
schedule: "0 2 * * *"
tags: [nightly]
params:
  rows: {type: integer, default: 10, minimum: 1, maximum: 99, description: How many}
  mode: {type: string, default: fast, enum: [fast, slow]}
tasks:
  fetch:
    description: Get it
    run: |
      set -x
      ./fetch "$ROWS"
    env: {ROWS: "{{ params.rows }}"}
    outputs: [data/raw.csv]
    retries: 2
    retry_delay: 5s
  stats: {run: [./stats, data/raw.csv], inputs: [data/raw.csv], tags: [slow], timeout: 1h}
  pause: {type: wait, for: 10s}
  report:
    run: ./report
    needs: [stats, pause]
    when: params.mode == 'slow'
    trigger: all_done
    allow_failure: true
END
my $dir = project('dags/pipe.yaml' => $pipe, 'dags/bad.yaml' => "tasks:\n  a: {run: x, wehn: y}\n",
	'plain.yaml' => "tasks:\n  a: {run: echo}\n");

my $p = ok_dag(0, 'dag list', $dir, 'list');
golden('list.txt', $p->{out}, $dir);
my $j = decode_json(ok_dag(0, 'as JSON', $dir, 'list', '--json')->{out});
is(join(' ', map { $_->{name} } @$j), 'bad pipe plain', 'in the order of their files');
is($j->[1]{schedule}, '0 2 * * *', 'the schedule');
is($j->[1]{tasks}, 4, 'the tasks');
is($j->[1]{tags}[0], 'nightly', 'the tags');
is($j->[1]{last_run}, undef, 'no run yet');
is($j->[0]{errors}, 1, 'mistakes are counted');
is($j->[0]{tasks}, undef, '... of what has no model');
ok(!-e "$dir/.dag/dag.db", 'looking makes no database');

$p = ok_dag(0, 'an empty project', project(), 'list');
is($p->{out}, '', 'lists nothing');
like($p->{err}, qr/\Adag: there are no DAG files in/, '... and says so');
is(ok_dag(0, 'as JSON', project(), 'list', '--json')->{out}, "[]\n", 'an empty array');

# show
$p = ok_dag(0, 'dag show', $dir, 'show', 'pipe');
golden('show.txt', $p->{out}, $dir);
is(ok_dag(0, 'by file', $dir, 'show', 'dags/pipe.yaml')->{out}, $p->{out}, 'the same');
$j = decode_json(ok_dag(0, 'as JSON', $dir, 'show', 'pipe', '--json')->{out});
my %t = map { $_->{name} // $_->{task} => $_ } @{$j->{tasks}};
is_deeply([sort @{$t{report}{needs}}], ['pause', 'stats'], 'edges by needs');
is_deeply($t{stats}{needs}, ['fetch'], 'edges by paths');
is($t{report}{level}, 2, 'levels');
my $dot = ok_dag(0, 'as dot', $dir, 'show', '--dot', 'pipe')->{out};
like($dot, qr/\Adigraph\b/, 'a graph');
like($dot, qr/"fetch"\s*->\s*"stats"/, '... with its edges');
$p = ok_dag(2, 'a file with mistakes', $dir, 'show', 'bad');
is($p->{out}, '', 'is not shown');
like($p->{err}, qr/^dags\/bad\.yaml:2:15: error: /m, '... but what is wrong');

# Parts of it, in every format.
$p = ok_dag(0, 'tasks by name', $dir, 'list', 'pipe');
is($p->{out}, "fetch\nstats\npause\nreport\n", '... in topological order');
$p = ok_dag(0, 'a part', $dir, 'list', 'pipe', '-s', '+report', '-x', 'tag:slow pause');
is($p->{out}, "fetch\nreport\n", '... without some');
$j = decode_json(ok_dag(0, 'as JSON', $dir, 'list', 'pipe', '-s', 'p*', '--json')->{out});
is(join(' ', map { "$_->{name}/$_->{type}" } @$j), 'pause/wait', 'tasks as objects');
usage($dir, '--select and --exclude choose tasks: name the DAG whose tasks are to be listed', 'list', '-s', 'x');
usage($dir, "option '--exclude': task 'paus' does not exist in pipe; did you mean 'pause'?", 'show', 'pipe', '-x', 'paus');
$p = ok_dag(0, 'a part of the graph', $dir, 'show', 'pipe', '-s', 'fetch+1', '--dot');
like($p->{out}, qr/"fetch" -> "stats"/, 'has its edges');
unlike($p->{out}, qr/report/, '... and no others');
$p = ok_dag(0, 'a part of the list', $dir, 'show', 'pipe', '-x', 'fetch');
unlike($p->{out}, qr/^  fetch/m, 'without what is excluded');
like($p->{out}, qr/^  stats/m, '... and with the rest');
$p = ok_dag(0, 'a flowchart', $dir, 'show', 'pipe', '--format', 'mermaid');
is($p->{out}, <<'END', 'for Mermaid');
flowchart LR
    t0["fetch"]
    t1["stats"]
    t2(["pause"])
    t3["report"]
    t0 --> t1
    t1 --> t3
    t2 --> t3
END
usage($dir, '--format, --json, --dot and --md exclude each other', 'show', 'pipe', '--dot', '--format', 'dot');

# Drawings.
my $fan = "tasks:\n  start: {run: x}\n"
	. join('', map { sprintf("  part_%03d: {run: x, needs: [start]}\n", $_) } 1 .. 198)
	. "  finish: {run: x, needs: [" . join(', ', map { sprintf('part_%03d', $_) } 1 .. 198) . "]}\n";
my $big = "tasks:\n  t0: {run: x}\n" . join('', map { "  t$_: {run: x, needs: [t" . int($_ / 3) . "]}\n" } 1 .. 2100);
my $art = project('dags/etl30.yaml' => slurp(source() . '/tests/data/etl30.yaml'), 'dags/fan.yaml' => $fan,
	'dags/big.yaml' => $big, 'dags/demo.yaml' => slurp(source() . '/dags/demo.yaml'));
for my $dag ('etl', 'fan', 'demo') {
	$p = ok_dag(0, "a drawing of $dag", $art, 'show', $dag, '--format', 'graph');
	golden("graph_$dag.txt", $p->{out}, $art);
}
for my $cols (80, 160) {
	$p = pty($art, ['--size', "24x$cols"], '--color', 'never', 'show', 'etl');
	$p->{out} =~ s/\r//g;
	golden("graph_etl_$cols.txt", $p->{out}, $art);
}
{
	local $ENV{LC_ALL} = 'C';
	$p = ok_dag(0, 'without UTF-8', $art, 'show', 'etl', '-f', 'graph');
	golden('graph_etl_ascii.txt', $p->{out}, $art);
	unlike($p->{out}, qr/[^\x00-\x7f]/, 'all is ASCII');
}
$p = pty($art, ['--size', '24x100'], '--color', 'always', 'show', 'fan');
like($p->{out}, qr/\e\[2m/, 'lines are dim');
$p = ok_dag(0, 'too large to be drawn', $art, 'show', 'big', '--format', 'graph', '-x', 't2100');
like($p->{out}, qr/^  t7  shell$/m, 'it is listed');
like($p->{err}, qr/\Adag: the graph is too large to be drawn legibly in 100 columns/, '... with a word about it');
$p = ok_dag(0, 'a part of it', $art, 'show', 'big', '--format', 'graph', '-s', '+t30+1');
like($p->{out}, qr/^ +t30$/m, 'is drawn');
is($p->{err}, '', '... as asked');

# From inside the project, and from outside.
mkdir "$dir/sub";
$p = ok_dag(0, 'from a folder below', "$dir/sub", 'list');
like($p->{out}, qr/\.\.\/dags\/pipe\.yaml/, 'paths are relative to here');
$p = ok_dag(0, 'from elsewhere', '/', '-C', $dir, 'show', 'pipe');
like($p->{out}, qr/\Q$dir\E\/dags\/pipe\.yaml|dags\/pipe\.yaml/, 'by -C');

# A narrow terminal.
for my $cols (40, 60, 80) {
	for my $args (['list'], ['show', 'pipe']) {
		$p = pty($dir, ['--size', "24x$cols"], '--color', 'never', @$args);
		utf8::decode($p->{out});
		my @wide = grep { length > $cols } split /\r?\n/, $p->{out};
		is("@wide", '', "dag @$args at $cols columns");
	}
}

# Names at a glance: quotes, comments, byte order mark, flow style.
$dir = project(
	'dags/1.yaml' => "\"dag\": 'quoted'   # why not\ntasks: {a: {run: echo}}\n",
	'dags/2.yaml' => "\xef\xbb\xbfdag: bom # c\ntasks: {a: {run: echo}}\n",
	'dags/3.yaml' => "# dag: no\nparams:\n  dag: {default: 1}\ntasks: {a: {run: echo}}\n",
	'dags/4.yaml' => "{dag: flow, tasks: {a: {run: echo}}}\n",
	'dags/five.dag.yml' => "tasks: {a: {run: echo}}\n",
);
for my $name ('quoted', 'bom', 'flow') {
	like(ok_dag(0, "the DAG '$name'", $dir, 'show', $name)->{out}, qr/\A\Q$name\E /, 'is found');
}
like(ok_dag(0, 'a stem with a dot', $dir, 'list')->{out}, qr/five/, 'is listed');
done_testing();
