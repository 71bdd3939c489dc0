#!/usr/bin/perl
# dag run: what it takes, what it prints, how it ends.
use strict;
use warnings;
use File::Basename qw(dirname);
use lib dirname(__FILE__);
use Cli;
use JSON::PP;
use Test::More;

my %files = (
	'ok.yaml' => <<'END',
params:
  who: {type: string, default: world}
  n: {type: integer, default: 1, minimum: 1, maximum: 9}
tasks:
  make:
    env: {WHO: "{{ params.who }}"}
    run: |
      mkdir -p out
      echo "$WHO {{ ds }} {{ params.n }}" > out/made
      echo "size=5" >> "$DAG_OUTPUT"
    outputs: [out/made]
  use: {run: "cat out/made; echo {{ outputs.make.size }}", inputs: [out/made], needs: [make], tags: [last]}
  never: {run: "false", when: "outputs.make.size | int > 9", needs: [make]}
END
	'fail.yaml' => <<'END',
tasks:
  good: {run: "true"}
  bad:
    run: |
      echo first line
      printf '1%%\r50%%\r100%%\n'
      printf 'a \033[31mred\033[0m word, no newline' >&2
      exit 3
    needs: [good]
    retries: 1
    retry_delay: 100ms
  after: {run: "true", needs: [bad]}
  shrug: {run: exit 7, allow_failure: true, needs: [good]}
END
);

# A task that ends at once may do so before it was seen running.
sub ends { $_[0] =~ s/^[\d:]+ \w+: running.*\n//mgr }

my $dir = project(%files);
my $p = ok_dag(0, 'a run', $dir, 'run', '-j1', 'ok.yaml', '-p', 'who=Zoë', '--date', '2026-02-03');
golden_run('run_ok.txt', ends($p->{out}), $dir);
is($p->{err}, '', 'nothing on stderr');
is(slurp("$dir/out/made"), "Zoë 2026-02-03 1\n", 'parameters and date arrive');
$p = ok_dag(1, 'a run that fails', $dir, 'run', '-j1', 'fail');
golden_run('run_fail.txt', ends($p->{out}), $dir);
my $id = run_id($dir);
like($p->{out}, qr/^  dag logs \Q@{[substr $id, -8]}\E bad$/m, 'the next command names the run');

# A directory that has never seen us.
my $empty = project('x.yaml' => "tasks: {a: {run: pwd}}\n");
rmdir "$empty/.dag";
ok_dag(0, 'a file in an empty directory', $empty, 'run', 'x.yaml');
is((dag($empty, 'logs', 'last', 'a'))[1], "$empty\n", 'its directory is the project');
ok_dag(0, 'from elsewhere', '/', 'run', "$empty/x.yaml");
like((dag('/', 'run', "$empty/x.yaml"))[1], qr/^  dag -C \Q$empty\E runs [0-9a-f]{8}$/m, 'the next commands say where');

# Parameters.
for my $bad (['-p', 'woh=x'], ['-p', 'n=ten'], ['-p', 'n=10'], ['-p', 'n=0']) {
	$p = ok_dag(2, "run ok @$bad", $dir, 'run', 'ok', @$bad);
	like($p->{err}, qr/\Adag: error: /, '... says why');
}
like((dag($dir, 'run', 'ok', '-p', 'woh=x'))[2], qr/did you mean 'who'/, 'a suggestion');
$p = ok_dag(2, 'two mistakes', $dir, 'run', 'ok', '-p', 'woh=x', '-p', 'n=10');
like($p->{err}, qr/woh.*\n.*n/s, '... both are told');
is(scalar(() = (dag($dir, 'runs', '--json'))[1] =~ /\n/g), 2, 'no run came of them');
spew("$dir/p.yaml", "who: [yaml]\n");
is((dag($dir, 'run', 'ok', '--params-file', 'p.yaml'))[0], 2, 'a list for a string');
spew("$dir/p.yaml", "who: from yaml\nn: 3\n");
ok_dag(0, 'a YAML file', $dir, 'run', 'ok', '--params-file', 'p.yaml', '--date', '2026-02-03');
is(slurp("$dir/out/made"), "from yaml 2026-02-03 3\n", 'its values');
spew("$dir/p.json", "{\"who\":\n\t\"from json\"}");
ok_dag(0, 'a JSON file, and -p', $dir, 'run', 'ok', '--params-file=p.json', '-p', 'n=4', '-p', 'n=5',
	'--date', '2026-02-03T01:02:03Z');
is(slurp("$dir/out/made"), "from json 2026-02-03 5\n", '-p goes before it, the last one wins');
for my $bad ("- 1\n", "who: a\nwho: b\n", "who: [\n", "") {
	spew("$dir/p.yaml", $bad);
	$p = ok_dag(2, 'a params file of ' . encode_json([$bad]), $dir, 'run', 'ok', '--params-file', 'p.yaml');
	like($p->{err}, qr/p\.yaml/, '... is named');
}
spew("$dir/p.json", '{"who": }');
like(ok_dag(2, 'broken JSON', $dir, 'run', 'ok', '--params-file', 'p.json')->{err}, qr/p\.json: line 1/, 'its place');
like(ok_dag(2, 'no file', $dir, 'run', 'ok', '--params-file', 'q')->{err}, qr/cannot open 'q'/, 'is said');

# Selection, dry run.
$p = ok_dag(0, 'dry run', $dir, 'run', 'ok', '--dry-run', '--date', '2026-02-03');
golden('dry_run.txt', $p->{out}, $dir);
like(ok_dag(2, '... of a part that cannot be', $dir, 'run', 'ok', '--dry-run', '-s', 'tag:last')->{err},
	qr/'make' is not selected/, 'says why');
$p = ok_dag(0, '... of a part', $dir, 'run', 'ok', '--dry-run', '--select', '+use', '--json');
my $j = decode_json($p->{out});
is(join(' ', map { $_->{task} } @{$j->{tasks}}), 'make use', 'what is selected, in order');
is($j->{tasks}[0]{argv}[0], '/bin/sh', 'rendered as far as known');
is($j->{tasks}[1]{argv}, undef, '... what needs outputs is not');
is_deeply($j->{tasks}[0]{outputs}, ['out/made'], 'paths');
my $fresh = project(%files);
rmdir "$fresh/.dag";
ok_dag(0, 'dry run in a fresh directory', $fresh, 'run', 'ok.yaml', '--dry-run');
ok(!-e "$fresh/.dag", '... makes nothing');
like(ok_dag(2, 'an unknown selector', $dir, 'run', 'ok', '--select', 'mak')->{err}, qr/did you mean 'make'/, 'suggests');
ok_dag(0, 'a run of a part', $dir, 'run', 'ok', '--select', 'make');
$j = decode_json((dag($dir, 'runs', 'last', '--json'))[1]);
is(join(' ', map { $_->{status} } @{$j->{tasks}}), 'success deselected deselected', 'the rest is deselected');

# A mistake: nothing is started, nothing is made.
$fresh = project('b.yaml' => "tasks: {a: {run: touch made, x: 1}}\n");
rmdir "$fresh/.dag";
$p = ok_dag(2, 'a file with a mistake', $fresh, 'run', 'b.yaml');
like($p->{err}, qr/^b\.yaml:1:\d+: error: /, 'is told with its place');
ok(!-e "$fresh/made" && !-e "$fresh/.dag", '... and nothing is made');

# Ways to watch.
for my $how ('plain', 'none', 'live') {
	$p = ok_dag(0, "--progress $how", $dir, 'run', 'ok', '--progress', $how);
	unlike($p->{out}, qr/\e/, '... without escapes in a pipe');
	like($p->{out}, qr/^ok [0-9a-f]{8}: success after /m, '... ends with a summary');
	is(scalar(() = ends($p->{out}) =~ /^\d\d:\d\d:\d\d /mg), $how eq 'none' ? 0 : 5, '... lines') or diag($p->{out});
}
$p = ok_dag(1, '--progress json', $dir, 'run', 'fail', '--progress', 'json');
my @lines = map { decode_json($_) } split /\n/, $p->{out};
is($lines[0]{event}, 'run_began', 'first the run begins');
is("$lines[-1]{event} $lines[-1]{result}", 'run_ended failed', 'last it ends');
my @bad = grep { ($_->{task} // '') eq 'bad' } @lines;
is((grep { $_->{state} eq 'up_for_retry' } @bad)[0]{reason} =~ /3/, 1, 'why it is tried again');
is("$bad[-1]{state} $bad[-1]{result} $bad[-1]{attempt}", 'done failed 2', 'how a task ends');
is((grep { !$_->{at} || !$_->{event} } @lines), 0, 'all lines have event and time');

$p = ok_dag(1, '--json', $dir, 'run', 'fail', '--json');
$j = decode_json($p->{out});
is($j->{status}, 'failed', 'the run as JSON');
is(scalar @{$j->{attempts}}, 4, '... with its attempts');
is($j->{counts}{upstream_failed}, 1, '... and counts');
like($p->{err}, qr/^\d\d:\d\d:\d\d bad: failed/m, 'progress is on stderr');
is_deeply(decode_json((dag($dir, 'runs', 'last', '--json'))[1]), $j, 'what runs --json says');
$p = ok_dag(0, '--json --progress json', $dir, 'run', 'ok', '--json', '--progress=json');
decode_json($_) for split /\n/, $p->{err};
is(scalar(() = $p->{out} =~ /\n/g), 1, 'the end is one line then');

# Fail fast.
spew("$dir/ff.yaml", "tasks:\n  a: {run: exit 1}\n  b: {run: sleep 0.5}\n  c: {run: touch c, needs: [b]}\n");
ok_dag(1, '--fail-fast', $dir, 'run', 'ff', '--fail-fast', '-j2');
ok(!-e "$dir/c", '... starts nothing more');

# Output that takes nothing does not stop the run.
my $dag = build() . '/bin/dag';
my $out = `cd '$dir' && '$dag' run ok -p who=full 2>&1 >/dev/full; echo \$?`;
like($out, qr/\Adag: error: cannot write to standard output: .*\n3\n\z/, 'a full disk for the output is status 3');
like(slurp("$dir/out/made"), qr/^full /, '... but the run went on');
is(decode_json((dag($dir, 'runs', 'last', '--json'))[1])->{status}, 'success', '... to its end');
$out = `cd '$dir' && { '$dag' run ok -p who=pipe; echo \$? >&2; } 2>&1 >/dev/null | cat`;
like($out, qr/0\n\z/, 'without a mistake 0');

# A file that is not there, a name that is not there.
like(ok_dag(2, 'no such file', $dir, 'run', 'gone.yaml')->{err}, qr/cannot open 'gone\.yaml': No such file/, 'is said');
like(ok_dag(2, 'no such directory', $dir, 'run', 'no/gone.yaml')->{err}, qr/dag: error: .*no\/gone\.yaml/, 'is said');
like(ok_dag(2, 'a directory', $dir, 'run', './out')->{err}, qr/dag: error: .*out/, 'is no file');
usage($dir, "there is no DAG 'okk' (did you mean 'ok'?)", 'run', 'okk');
spew("$dir/plain_file", "tasks: {a: {run: echo}}\n");
ok_dag(0, 'a file without an ending', $dir, 'run', 'plain_file');
done_testing();
