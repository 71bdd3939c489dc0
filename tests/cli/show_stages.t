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
usage($dir, "dvc.yaml has no stage 'nope'", 'show', 'dvc.yaml:nope');
ok_dag(0, 'a DAG file', $dir, 'show', 'own.yaml');
unlink "$dir/dvc.yaml";
usage($dir, "'dag show' needs FILE|NAME: there is no dvc.yaml here", 'show');
ok(!-e "$dir/dvc.lock", 'nothing was made');
done_testing;
