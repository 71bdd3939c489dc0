#!/usr/bin/perl
# dag retry --latest: what may change in the file, what is refused, what is recorded.
use strict;
use warnings;
use File::Basename qw(dirname);
use lib dirname(__FILE__);
use Cli;
use JSON::PP;
use Test::More;

my $first = <<'END';
dag: job
params: {n: {type: integer, default: 1}}
tasks:
  ok: {run: 'echo ok {{ params.n }} >> trace'}
  bad: {run: 'echo bad >> trace; exit 3', needs: [ok]}
  end: {run: 'echo end >> trace', needs: [bad]}
END
my $dir = project('job.yaml' => $first);
sub write_job { spew("$dir/job.yaml", $_[0]) }
sub run { decode_json((dag($dir, 'runs', 'last', '--json'))[1]) }
sub trace { join ' ', split /\n/, slurp("$dir/trace") // '' }

ok_dag(1, 'it fails', $dir, 'run', 'job', '-p', 'n=7');
my $was = run();
my $id = substr($was->{run}, -8);

# Refused, and nothing changes.
my $before = slurp("$dir/trace");
sub refused {
	my ($name, $yaml, $re) = @_;
	write_job($yaml);
	my $p = ok_dag(2, $name, $dir, 'retry', 'last', '--latest');
	like($p->{err}, $re, '... and why');
	is(run()->{definition}, $was->{definition}, '... and nothing has changed');
}
refused('a task less', $first =~ s/^  end.*\n//mr, qr/\Adag: error: the tasks of job\.yaml are not those of run \S+ any more: `end` is gone; 'dag run job' starts a new run\n/);
refused('a task more', "$first  new: {run: echo}\n", qr/any more: `new` is new; /);
refused('one renamed', $first =~ s/^  end/  fin/mr, qr/any more: `end` is gone, `fin` is new; /);
refused('many', join("\n", "dag: job", "params: {n: {type: integer, default: 1}}", "tasks:", map { "  t$_: {run: echo}" } 1 .. 20) . "\n", qr/`end` is gone, `t1` is new, .*`t5` is new \.\.\.; /);
refused('another name', $first =~ s/dag: job/dag: toil/r, qr/job\.yaml is the DAG toil now, run \S+ is one of job; 'dag run toil' starts a new run/);
refused('a mistake', $first =~ s/needs/neds/r, qr/^job\.yaml:5:\d+: error: /m);
refused('a parameter that is gone', $first =~ s/^params.*\n//mr =~ s/\{\{ params.n \}\}/1/r, qr/\Adag: error: the parameters of run \Q$id\E do not fit job\.yaml: .*\bn\b/s);
refused('one that is not right any more', $first =~ s/default: 1/default: 1, maximum: 5/r, qr/do not fit job\.yaml: .*\bn\b.*5/s);
refused('a value that may not stand there', $first =~ s/params: \{n:.*\}\}/params: {n: {type: integer, default: 1}, s: {type: string, default: 'a b'}}/r =~ s/echo bad/echo {{ params.s }}/r, qr/^job\.yaml:\d+:\d+: error: the value 'a b' cannot enter the shell command/m);
unlink "$dir/job.yaml";
like(ok_dag(2, 'no file', $dir, 'retry', 'last', '--latest')->{err} // '', qr/\Adag: error: run \Q$id\E cannot be retried by its file: .*job\.yaml/, 'says so');
is(slurp("$dir/trace"), $before, 'nothing was run');

# The same file: a retry as any other.
write_job($first);
my $p = ok_dag(1, 'the same file', $dir, 'retry', 'last', '--latest');
like($p->{err}, qr/\Adag: job\.yaml has not changed since run \Q$id\E began\n/, 'is told');
is(run()->{definition}, $was->{definition}, 'is the same definition');
is(trace(), 'ok 7 bad bad', 'what failed was run');

# Repaired: commands, edges, a new parameter; what has succeeded stays, changed as it may be.
write_job(<<'END');
dag: job
params: {n: {type: integer, default: 1}, word: {type: string, default: new}}
tasks:
  ok: {run: 'echo changed {{ params.n }} >> trace'}
  bad: {run: 'echo {{ params.word }}-{{ params.n }} >> trace', needs: [ok], retries: 2}
  end: {run: 'echo end >> trace', needs: [ok, bad]}
END
$p = ok_dag(1, 'without --latest', $dir, 'retry', 'last');
like($p->{err}, qr/job\.yaml has changed since run \Q$id\E began; a retry keeps to what the run began with \('--latest' takes the file as it is\)/, 'a word about it');
is(trace(), 'ok 7 bad bad bad', 'the old command');
$p = ok_dag(0, 'with --latest', $dir, 'retry', 'last', '--latest');
like($p->{err}, qr/\Adag: has changed, but has succeeded and is not run again: ok \('--from TASK' runs it, and what follows it\)\n/, 'what stays is told');
is(trace(), 'ok 7 bad bad bad new-7 end', 'the new command, the old parameter, a new one');
my $now = run();
is($now->{run}, $was->{run}, 'the same run');
isnt($now->{definition}, $was->{definition}, 'is one of the new definition');
is(join(' ', map { "$_->{task}:$_->{attempt}" } @{$now->{tasks}}), 'ok:1 bad:4 end:1', 'attempts are counted on');
is($now->{params}{n}, 7, 'its parameters are its own');
$p = ok_dag(0, 'from the start', $dir, 'retry', 'last', '--latest', '--from', 'ok');
is(trace(), 'ok 7 bad bad bad new-7 end changed 7 new-7 end', '... by the new file');

# From several.
my $wide = project('w.yaml' => "tasks:\n  a1: {run: echo, tags: [t]}\n  a2: {run: echo}\n  b: {run: echo, tags: [t]}\n  c: {run: echo, needs: [b]}\n  d: {run: echo}\n");
ok_dag(0, 'a run of a part', $wide, 'run', 'w', '-x', 'd');
sub tries { join ' ', map { "$_->{task}:$_->{attempt}" } @{decode_json((dag($wide, 'runs', 'last', '--json'))[1])->{tasks}} }
ok_dag(0, 'from a glob', $wide, 'retry', 'last', '--from', 'a*');
is(tries(), 'a1:2 a2:2 b:1 c:1 d:0', '... all that match');
ok_dag(0, 'from a tag and a name', $wide, 'retry', 'last', '--from', 'tag:t d a1');
is(tries(), 'a1:3 a2:2 b:2 c:2 d:0', '... with what follows, and only what the run selected');
like(ok_dag(2, 'none of them', $wide, 'retry', 'last', '--from', 'd+')->{err}, qr/what is named by `d\+` was not selected when run/, 'is refused');
like(ok_dag(2, 'a glob without a match', $wide, 'retry', 'last', '--from', 'x*')->{err}, qr/no task of w matches 'x\*'/, 'too');

# Crashed in the retry: resume goes on by the new file.
write_job($first =~ s/exit 3/exit 4/r);
ok_dag(1, 'another run', $dir, 'run', 'job');
write_job($first =~ s/exit 3/touch begun; until test -e go; do sleep 0.05; done/r);
my $r = start($dir, 'retry', 'last', '--latest');
wait_for('it runs', sub { -e "$dir/begun" });
like(ok_dag(2, 'of one that goes on', $dir, 'retry', 'last', '--latest')->{err}, qr/\Adag: error: run \w+ of job is going on: --latest takes the file for a run that has ended \('dag cancel \w+' ends it\)/, 'is refused');
kill 'KILL', $r->{pid};
finish($r);
write_job("tasks: {}\n");
spew("$dir/go", '');
ok_dag(0, 'resumed', $dir, 'resume', 'last');
is(run()->{status}, 'success', 'it ends by the file of its retry');
done_testing();
