#!/usr/bin/perl
# dag check: all mistakes of all files, and nothing else happens.
use strict;
use warnings;
use File::Basename qw(dirname);
use lib dirname(__FILE__);
use Cli;
use JSON::PP;
use Test::More;

my %good = (
	'dags/good.yaml' => "tasks:\n  a: {run: echo hi}\n",
	'root.yaml' => "dag: other\ntasks:\n  a: {run: echo hi}\n",
	'config.yaml' => "database: {host: x}\n",
	'dags/good/data.yaml' => "- 1\n- 2\n",
	'elsewhere/third.yaml' => "tasks:\n  a: {run: echo hi, wehn: x}\n",
);
my $dir = project(%good);
rmdir "$dir/.dag";
mkdir "$dir/.git";
my $p = ok_dag(0, 'a project without mistakes', $dir, 'check');
is($p->{out}, "2 files, no mistakes\n", 'files that are no DAGs, and folders outside, are left alone');
is($p->{err}, '', 'nothing on stderr');
ok(!-e "$dir/.dag", 'nothing is made');

$dir = project(
	%good,
	'dags/one.yaml' => "tasks:\n  a:\n    run: echo\n    retires: 3\n  b:\n    needs: [aa]\n    run: echo\n",
	'dags/deep/two.yaml' => "tasks:\n  a: {run: echo, timeout: soon}\n",
);
$p = ok_dag(2, 'two files with mistakes', $dir, 'check');
is($p->{out}, '', 'nothing on stdout');
golden('check.txt', $p->{err}, $dir);

$p = ok_dag(2, 'one of them by name', $dir, 'check', 'one');
like($p->{err}, qr/^dags\/one\.yaml:4:5: error: /m, 'its place');
unlike($p->{err}, qr/two\.yaml/, 'not the other');
$p = ok_dag(2, 'a directory', $dir, 'check', 'elsewhere');
like($p->{err}, qr/did you mean 'when'/, 'what is in it is found');
$p = ok_dag(2, 'files and names', $dir, 'check', 'good', 'elsewhere/third.yaml', './root.yaml');
like($p->{err}, qr/1 mistake in 1 of 3 files|mistakes in 1 of 3 files/, 'are counted');

$p = ok_dag(2, 'as JSON', $dir, 'check', '--json');
my $j = decode_json($p->{out});
is($p->{err}, '', 'then nothing on stderr');
is(scalar @{$j->{files}}, 4, 'files');
cmp_ok($j->{errors}, '==', scalar(grep { $_->{severity} eq 'error' } @{$j->{messages}}), 'errors are counted');
my ($m) = grep { $_->{message} =~ /retires/ } @{$j->{messages}};
is("$m->{file}:$m->{line}:$m->{column}", 'dags/one.yaml:4:5', 'the place of one');
is((grep { $_->{dag} && $_->{dag} eq 'other' } @{$j->{files}})[0]{tasks}, 1, 'facts of a good one');

$p = ok_dag(2, 'a file that is not there', $dir, 'check', 'gone.yaml', 'elsewhere/third.yaml');
like($p->{err}, qr/^dag: error: cannot open 'gone\.yaml'/m, '... is said');
like($p->{err}, qr/did you mean 'when'/, '... and the others are checked all the same');
$p = ok_dag(2, 'a name that is not there', $dir, 'check', 'goof');
like($p->{err}, qr/there is no DAG 'goof' \(did you mean 'good'\?\)/, '... with a suggestion');

# Names must be unique, or they name nothing.
$dir = project('dags/a.yaml' => "tasks: {x: {run: echo}}\n", 'dags/sub/a.yml' => "tasks: {x: {run: echo}}\n",
	'dags/b.yaml' => "dag: c\ntasks: {x: {run: echo}}\n");
$p = ok_dag(2, 'two files of one name', $dir, 'check');
like($p->{err}, qr/the DAG 'a' is also defined by 'dags\/a\.yaml'/, '... are told');
usage($dir, "two files define a DAG 'a': 'dags/a.yaml' and 'dags/sub/a.yml'; name the file", 'show', 'a');
ok_dag(0, 'the file can be named', $dir, 'show', 'dags/sub/a.yml');
ok_dag(0, 'the name of the key counts', $dir, 'show', 'c');
usage($dir, "there is no DAG 'b' in project 'DIR' ('dag list' shows what there is)", 'show', 'b');

# Values that follow from defaults are checked as when a run is created.
$dir = project(
	'v.yaml' => "params: {x: {type: string, default: 'a b'}}\ntasks:\n  a: {run: 'echo {{ params.x }}'}\n",
	'w.yaml' => "params: {x: {type: string, required: true}}\ntasks:\n  a: {run: 'echo {{ params.x }}'}\n",
);
$p = ok_dag(2, 'a default that the shell would take apart', $dir, 'check', 'v');
like($p->{err}, qr/^v\.yaml:3:/m, 'has its place');
ok_dag(0, 'without a value there is nothing to say', $dir, 'check', 'w');

# A word that leads nowhere does not hide the others; programs find it among the messages.
$dir = project('good.yaml' => "tasks: {x: {run: echo}}\n", 'bad.yaml' => "tasks: {x: {rum: echo}}\n");
$p = ok_dag(2, 'a missing file between others', $dir, 'check', '--json', 'good.yaml', 'missing.yaml', 'nix', 'bad.yaml');
my $json = decode_json($p->{out});
is(join(' ', sort map { $_->{file} } @{$json->{files}}), 'bad.yaml good.yaml missing.yaml nix', 'all are there');
my %said = map { $_->{file} => $_->{message} } @{$json->{messages}};
like($said{'missing.yaml'}, qr/cannot open 'missing\.yaml'/, 'the missing file');
like($said{nix}, qr/there is no DAG 'nix'/, 'the unknown name');
ok($said{'bad.yaml'}, 'and the mistake');
is($json->{errors}, 3 + grep({ $_->{file} eq 'bad.yaml' } @{$json->{messages}}) - 1, 'all are counted');
like(ok_dag(2, 'without --json', $dir, 'check', 'nix', 'bad.yaml')->{err}, qr/no DAG 'nix'.*bad\.yaml:1:/s, 'too');

# Odd places.
$dir = project('dags/x.yaml' => "tasks: {x: {run: echo}}\n");
symlink('../dags', "$dir/dags/loop") or die;
symlink('x.yaml', "$dir/dags/linked.yaml") or die;
mkdir "$dir/dags/d.yaml";
spew("$dir/dags/.hidden.yaml", "tasks: {x: {rum: echo}}\n");
$p = ok_dag(0, 'links to folders are not followed', $dir, 'check');
is($p->{out}, "2 files, no mistakes\n", 'links to files are');
$p = ok_dag(0, 'a project without DAGs', project(), 'check');
is($p->{out}, "0 files, no mistakes\n", 'has no mistakes');
SKIP: {
	skip 'root may read everything', 1 if $> == 0;
	chmod 0, "$dir/dags/x.yaml";
	like(ok_dag(3, 'an unreadable file', $dir, 'check', 'dags/x.yaml')->{err}, qr/ermission denied/, 'is said');
}
done_testing();
