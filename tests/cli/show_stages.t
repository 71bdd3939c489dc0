#!/usr/bin/perl
# dag show of stages of dvc.yaml: those of all files, drawn by what they make and need.
use strict;
use warnings;
use File::Basename qw(dirname);
use lib dirname(__FILE__);
use Cli;
use JSON::PP;
use Test::More;

my $dir = project('raw' => "r\n", 'params.yaml' => "lr: 1\n", 'own.yaml' => "dag: own\ntasks:\n  t:\n    run: echo\n",
	'dvc.yaml' => <<'HERE', 'sub/dvc.yaml' => <<'BELOW');
stages:
  prep:
    cmd: cp raw a
    deps: [raw]
    outs: [a]
  train:
    foreach: [1, 2]
    do:
      cmd: cp a b${item}
      deps: [a]
      params: [lr]
      outs: ["b${item}"]
HERE
stages:
  eval:
    cmd: cat ../b1 > m
    deps: [../b1]
    metrics: [m]
  alone:
    cmd: echo
BELOW

# The names of the tasks that are shown, with what each needs.
sub shown {
	my ($where, @words) = @_;
	my $j = decode_json(ok_dag(0, "show @words", $where, 'show', '--json', @words)->{out});
	return join ' ', map { $_->{name} . '(' . join(',', @{$_->{needs}}) . ')' } @{$j->{tasks}};
}
my $all = 'prep() train@1(prep) train@2(prep) sub/dvc.yaml:eval(train@1) sub/dvc.yaml:alone()';
is(shown($dir), $all, 'the dvc.yaml here is meant, with all of the repository');
is(shown($dir, 'dvc.yaml'), $all, '... by its name');
is(shown("$dir/sub"), $all, '... from another');
is(shown($dir, 'sub/dvc.yaml'), $all, '... and by that');
is(shown($dir, 'sub/dvc.yaml:eval'), 'prep() train@1(prep) sub/dvc.yaml:eval(train@1)', 'one, with what it follows');
is(shown("$dir/sub", '../dvc.yaml:train'), 'prep() train@1(prep) train@2(prep)', 'a group');
is(shown($dir, '-s', 'train@2'), 'train@2(prep)', 'by selector, of all');
is(shown($dir, 'dvc.yaml:train@2', '-x', 'prep'), 'train@2(prep)', 'left out');
like(ok_dag(0, 'drawn', $dir, 'show', '-f', 'graph', 'dvc.yaml:train@1')->{out}, qr/prep\n.*\n.*train\@1\n\z/s, 'below what it needs');
like(ok_dag(0, 'mermaid', $dir, 'show', '-f', 'mermaid', 'dvc.yaml:train@1')->{out}, qr/t0 --> t1\n\z/, 'mermaid');
is(shown($dir, 'train@2'), 'prep() train@2(prep)', 'a name alone');
is(shown($dir, ':train@2'), 'prep() train@2(prep)', '... behind a colon');
is(shown($dir, 'prep'), 'prep()', 'one without any');
is(shown($dir, '--full', 'prep'), 'prep() train@1(prep) train@2(prep) sub/dvc.yaml:eval(train@1)', '--full: all that hang together');
is(shown("$dir/sub", 'alone', '--full'), 'sub/dvc.yaml:alone()', '... with it');
is(shown($dir, 'own.yaml'), 't()', 'the name of a file is that of a file');
is(shown($dir, 'own'), 't()', '... and that of a DAG comes first');
is(ok_dag(0, 'md', $dir, 'show', '--md', 'train@1')->{out}, "```mermaid\nflowchart LR\n    t0[\"prep\"]\n    t1[\"train\@1\"]\n    t0 --> t1\n```\n", '--md');
is(ok_dag(0, 'outs', $dir, 'show', '--outs', '--dot', 'sub/dvc.yaml:eval')->{out},
	"digraph \"dvc.yaml\" {\n\trankdir=LR;\n\tnode [shape=box];\n\t\"a\";\n\t\"b1\";\n\t\"sub/m\";\n" .
	"\t\"a\" -> \"b1\";\n\t\"b1\" -> \"sub/m\";\n}\n", '--outs: what is made, and of what');
like(ok_dag(0, 'outs', $dir, 'show', '-o', '-f', 'graph', 'train@1')->{out}, qr/2 outputs in 2 levels\n\n  a\n.*\n  b1\n\z/s, '... drawn');
like(ok_dag(0, 'outs', $dir, 'show', '-o')->{out}, qr/4 outputs in 3 levels.*level 1\n\n  b1  shell\n    needs     a\n\n  b2/s, '... listed');
my $two = project('x.yaml' => "tasks:\n  a: {outputs: [\"q\\\"x/1\", 'd/a'], run: echo}\n  b: {inputs: ['d/*'], outputs: [o], run: echo}\n  c: {needs: [b], run: echo}\n");
like(ok_dag(0, 'outs of a DAG file', $two, 'show', '-o', '--dot', 'x')->{out}, qr/\t"q\\"x\/1";\n\t"d\/a";\n\t"o";\n\t"d\/a" -> "o";\n\}/,
	'... by globs too, quoted') or diag(ok_dag(0, 'again', $two, 'show', '-o', '--dot', 'x')->{out});
usage($dir, '--full is for a stage of dvc.yaml: dag show --full STAGE', 'show', '--full', @$_) for [], ['own'], ['dvc.yaml'];
usage($dir, '--outs is for people: --json has the outputs of each task', 'show', '--outs', '--json');
usage($dir, "dvc.yaml has no stage 'nope'", 'show', 'dvc.yaml:nope');
ok_dag(0, 'a DAG file', $dir, 'show', 'own.yaml');
unlink "$dir/dvc.yaml";
usage($dir, "'dag show' needs FILE|NAME: there is no dvc.yaml here", 'show');
ok(!-e "$dir/dvc.lock", 'nothing was made');
done_testing;
