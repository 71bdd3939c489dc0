#!/usr/bin/perl
# dag run of dvc.yaml: which stages the words mean, how their commands run, how a run is taken up again.
use strict;
use warnings;
use File::Basename qw(dirname);
use lib dirname(__FILE__);
use Cli;
use JSON::PP;
use Test::More;

my $dvc = <<'END';
stages:
  train:
    cmd:
    - echo train >> ../log
    - cat feat.txt > model
    wdir: work
    deps: [feat.txt]
    outs: [model]
  feat:
    cmd: |
      x=1; echo feat >> log
      echo "[$x] $DVC_STAGE $DVC_ROOT $(pwd)" > work/feat.txt
    deps: [data]
    outs: [work/feat.txt]
    meta: {dag: {retries: 1, retry_delay: 10ms}}
  other:
    cmd: echo other >> log && test -e may && echo o > o
    outs: [o]
END
my $sub = <<'END';
stages:
  show: {cmd: cat ../work/model > shown, deps: [../work/model], outs: [shown]}
  each: {foreach: [1, b], do: {cmd: 'echo ${item} > e${item}', outs: ['e${item}']}}
END

sub repo {
	my $dir = project('dvc.yaml' => $dvc, 'sub/dvc.yaml' => $sub, data => "d\n", 'work/.keep' => '', @_);
	return $dir;
}

# The stages of the last run that were selected, with how they ended.
sub ended {
	my ($dir) = @_;
	my $run = decode_json(dag_in($dir, 'runs', 'last', '--json')->{out});
	return join ' ', map { "$_->{task}=" . ($_->{result} // $_->{state}) }
		grep { ($_->{result} // '') ne 'skipped' } @{$run->{tasks}};
}

# The stages that the words select.
sub planned {
	my ($dir, @words) = @_;
	my $p = dag_in($dir, 'run', '--dry-run', @words);
	return "exit $p->{rc}: $p->{err}" if $p->{rc} != 0;
	return join ' ', $p->{out} =~ /^  +\d+  (\S+) \(shell\)/mg;
}

my $dir = repo(may => '');
my $p = ok_dag(0, 'all stages of the dvc.yaml here', $dir, 'run', '-j1');
is(ended($dir), 'train=success feat=success other=success', 'they ran');
like(slurp("$dir/work/model"), qr/^\[\] feat \Q$dir\E \Q$dir\E\n\z/, 'each line has a shell of its own, DVC_STAGE and DVC_ROOT');
like(slurp("$dir/log"), qr/feat\n.*train\n/s, 'in order');
ok_dag(0, 'the DAG is called dvc.yaml', $dir, 'logs', 'dvc.yaml', 'train');

for (
	[['dvc.yaml'], 'feat train other'],
	[['train'], 'feat train'],
	[['dvc.yaml', '--select', 'feat'], 'feat'],
	[['dvc.yaml:train'], 'feat train'],
	[['-s', 'train'], 'train'],
	[['train', '-s'], 'train'],
	[['-s', 'train', 'other'], 'train other'],
	[['-p', 'train'], 'feat train sub/dvc.yaml:show'],
	[['train', '--pipeline'], 'feat train sub/dvc.yaml:show'],
	[['train', '-p', '-f'], 'feat train sub/dvc.yaml:show'],
	[['-P'], 'feat train other sub/dvc.yaml:show sub/dvc.yaml:each@1 sub/dvc.yaml:each@b'],
	[['-R', '.'], 'feat train other sub/dvc.yaml:show sub/dvc.yaml:each@1 sub/dvc.yaml:each@b'],
	[['-R', 'sub'], 'feat train sub/dvc.yaml:show sub/dvc.yaml:each@1 sub/dvc.yaml:each@b'],
	[['train', '--downstream'], 'train sub/dvc.yaml:show'],
	[['--glob', 'f*'], 'feat'],
	[['sub/dvc.yaml:each'], 'sub/dvc.yaml:each@1 sub/dvc.yaml:each@b'],
	[['-s', '+train'], 'feat train'],
	[['--select', 'feat+', '--exclude', 'train'], 'feat sub/dvc.yaml:show'],
	[['--exclude', 'other'], 'feat train'],
) {
	my ($words, $want) = @$_;
	is(planned($dir, @$words), $want, "@$words");
}
is(planned("$dir/sub"), 'feat train sub/dvc.yaml:show sub/dvc.yaml:each@1 sub/dvc.yaml:each@b', 'in a directory below');
is(planned("$dir/sub", 'show'), 'feat train sub/dvc.yaml:show', '... a stage of its file');
is(planned('/', "$dir/dvc.yaml:feat"), 'feat', 'from anywhere');
spew("$dir/data.dvc", "outs:\n- md5: e29311f6f1bf1af907f9ef9f44b8328b\n  size: 2\n  hash: md5\n  path: data\n");
is(planned($dir, '--downstream', 'data.dvc'), 'feat train sub/dvc.yaml:show', 'what follows a source');
$p = ok_dag(0, 'what nobody makes', $dir, 'run', 'data.dvc');
like($p->{err}, qr/nothing to run/, '... is nothing to run');

for (
	[['trian'], qr/dvc\.yaml has no stage 'trian' \(did you mean 'train'\?\)/],
	[['no/dvc.yaml'], qr/no\b/],
	[['x.yaml', '--downstream'], qr/option '--downstream' is for stages of dvc\.yaml/],
	[['a.yaml', 'b.yaml'], qr/one word too many for 'dag run': 'b\.yaml'/],
	[['train', '-k', '--fail-fast'], qr/opposites/],
	[['train', '-p', 'x=1'], qr/x/],
) {
	my ($words, $want) = @$_;
	$p = dag_in($dir, 'run', @$words);
	is($p->{rc}, 2, "@$words is refused");
	like($p->{err}, $want, '... and why');
}
my $plain = project('x.yaml' => "tasks: {a: {run: pwd}}\n");
$p = dag_in($plain, 'run');
is($p->{rc}, 2, 'without a word and a dvc.yaml');
like($p->{err}, qr/needs FILE\|NAME: there is no dvc\.yaml here/, '... it is asked which');
spew("$dir/dags/train.yaml", "tasks: {a: {run: 'echo dag > ran'}}\n");
ok_dag(0, 'a DAG of that name', $dir, 'run', 'train');
ok(-e "$dir/ran", '... comes before the stage');
is(planned($dir, 'train', 'feat'), 'feat train', 'but is none of several words');

# The first failure ends the run, as it ends repro; what was done stays done.
$dir = repo('work/.keep' => '');
ok_dag(1, 'a stage fails', $dir, 'run', '-j1', 'other', 'dvc.yaml');
my $how = ended($dir);
like($how, qr/other=failed/, 'it failed');
ok_dag(1, 'with --keep-going', $dir, 'run', '-j1', '-k');
is(ended($dir), 'train=cached feat=cached other=failed', 'what had ended well is not run again');
# What is run again is what was meant then, though the file is another now.
my $text = $dvc =~ s/cat feat.txt/cat nothing/r;
spew("$dir/dvc.yaml", "stages: {}\n");
spew("$dir/may", '');
ok_dag(0, 'a retry goes by the definition of the run', $dir, 'retry', 'last');
is(ended($dir), 'train=cached feat=cached other=success', 'all ended well');
$p = dag_in($dir, 'run');
is($p->{rc}, 2, 'no stages');
like($p->{err}, qr/there is no 'dvc\.yaml' with stages/, '... are told');

# What is not there is no change, with the option.
$dir = repo('dvc.yaml' => "stages:\n  a: {cmd: echo a >o, outs: [o]}\n  b: {cmd: cat o >p, deps: [o], outs: [p]}\n");
ok_dag(0, 'two stages', $dir, 'run', '-j1');
unlink "$dir/o";
system('rm', '-rf', "$dir/.dvc/cache", "$dir/.dag/cache") == 0 or die;
ok_dag(0, 'an output is nowhere, with --allow-missing', $dir, 'run', '-j1', '--allow-missing');
is(ended($dir), 'a=cached b=cached', '... nothing runs');
ok(!-e "$dir/o", '... nor makes it');
ok_dag(0, 'without', $dir, 'run', '-j1');
is(slurp("$dir/o"), "a\n", '... it is made');

# Mistakes in any file, with their places.
$dir = repo('sub/dvc.yaml' => "stages:\n  a: {cmd: x, outs: [../o]}\n  b: {cmd: x, deps: [c], outs: [d]}\n  c: {cmd: x, deps: [d], outs: [c]}\n");
$p = dag_in($dir, 'check', 'dvc.yaml');
is($p->{rc}, 2, 'an output of two stages');
like($p->{err} . $p->{out}, qr/'o' is tracked twice/, '... is named');
spew("$dir/sub/dvc.yaml", "stages:\n  b: {cmd: x, deps: [c], outs: [d]}\n  c: {cmd: x, deps: [d], outs: [c]}\n");
$p = dag_in($dir, 'check', 'sub/dvc.yaml');
is($p->{rc}, 2, 'a cycle');
like($p->{err} . $p->{out}, qr{^sub/dvc\.yaml:2:3: error: stages wait for each other: sub/dvc\.yaml:c -> sub/dvc\.yaml:b -> sub/dvc\.yaml:c$}m, '... is shown');
spew("$dir/sub/dvc.yaml", "vars: [p.py]\nstages: {b: {cmd: 'x \${a}'}}\n");
spew("$dir/sub/p.py", "a = 1\n");
$p = dag_in($dir, 'check', 'dvc.yaml');
is($p->{rc}, 2, 'params in Python');
like($p->{err} . $p->{out}, qr/Python/, '... are refused by name');

# Params that are not there stop a stage before its command; those that another stage makes may come.
$dir = project('dvc.yaml' => <<'END', 'params.yaml' => "lr: 1\n");
stages:
  a: {cmd: echo a > a && touch ran, params: [lr, momentum, lr], outs: [a]}
  made: {cmd: 'echo "k: 1" > p.yaml', outs: [p.yaml]}
  b: {cmd: echo b > b, params: [{p.yaml: [k]}], outs: [b]}
END
for my $more ([], ['--allow-missing'], ['-f']) {
	$p = dag_in($dir, 'run', '-j1', @$more, 'a');
	is($p->{rc}, 1, "a param is missing, @$more");
	like($p->{out}, qr/^  a: 'momentum' is missing from 'params.yaml'$/m, '... and named');
	ok(!-e "$dir/ran", '... and nothing has run');
}
my %plan = map { $_->{task} => $_ } @{ decode_json(ok_dag(0, 'dry run', $dir, 'run', '--dry-run', '--json')->{out})->{tasks} };
is("$plan{a}{state}: $plan{a}{why}", "fails: 'momentum' is missing from 'params.yaml'", '... foresees it');
is($plan{b}{state}, 'run', '... and knows what will be made');
ok_dag(0, 'params that a stage makes', $dir, 'run', '-j1', 'b');
spew("$dir/params.yaml", "lr: 1\nmomentum: 2\n");
ok_dag(0, 'a param that is there', $dir, 'run', 'a');
is(() = slurp("$dir/dvc.lock") =~ /lr: 1/g, 1, '... is recorded once, though named twice');

# What is frozen does not run, and has to be there.
$dir = project('dvc.yaml' => "stages:\n  ice: {cmd: touch ice, frozen: true, outs: [ice]}\n");
my ($ice) = @{ decode_json(ok_dag(0, 'dry run of what is frozen', $dir, 'run', '--dry-run', '--json')->{out})->{tasks} };
is("$ice->{state}: $ice->{why}", "fails: it is frozen, and its output 'ice' does not exist", '... foresees that it is not there');
$p = dag_in($dir, 'run');
is($p->{rc}, 1, '... and it fails');
like($p->{out}, qr/^  ice: 'ice' is frozen, so it does not run, and its output 'ice' does not exist: bring it back, or do not freeze it$/m, '... with the reason');
spew("$dir/ice", "cold\n");
($ice) = @{ decode_json(ok_dag(0, 'dry run once it is there', $dir, 'run', '--dry-run', '--json')->{out})->{tasks} };
is($ice->{state}, 'frozen', '... knows');
ok_dag(0, 'its result is what is there', $dir, 'run');

done_testing();
