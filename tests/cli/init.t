#!/usr/bin/perl
# dag init: from nothing to a first run.
use strict;
use warnings;
use File::Basename qw(dirname);
use lib dirname(__FILE__);
use Cli;
use Test::More;

my $dir = project();
rmdir "$dir/.dag";
my $p = ok_dag(0, 'dag init', $dir, 'init');
golden('init.txt', $p->{out}, $dir);
golden('init.yaml', slurp("$dir/dags/hello.yaml"));
is(slurp("$dir/.dag/.gitignore"), "*\n", 'what dag keeps is not for git');
is(ok_dag(0, 'it is right', $dir, 'check')->{out}, "1 file, no mistakes\n", 'no mistakes');
$p = ok_dag(0, 'and it runs', $dir, 'run', 'hello', '-p', "name=Ada & Bob's");
is(slurp("$dir/out/greeting.txt"), "Hello, Ada & Bob's\n", 'any name is safe');
is((dag($dir, 'logs', 'last', 'report'))[1], "8 words were written\n", 'values go from task to task');
like((dag($dir, 'explain', 'last', 'publish'))[1], qr/because its `when` is false: `params\.publish`, and params\.publish is false\./, 'a condition');
ok_dag(0, 'with it', $dir, 'run', 'hello', '-p', 'publish=true');
is(slurp("$dir/published/greeting.txt"), "Hello, world\n", '... it is published');
my @try = slurp("$dir/dags/hello.yaml") =~ /^#   dag (show|run) (.*?)(?: {2,}.*)?$/mg;
cmp_ok(scalar(@try), '>=', 8, 'commands to try');
while (my ($verb, $rest) = splice(@try, 0, 2)) {
	ok_dag(0, "dag $verb $rest", $dir, $verb, split / /, $rest);
}

my $before = slurp("$dir/dags/hello.yaml");
usage($dir, "'dags/hello.yaml' exists already; 'dag init NAME' makes one of another name", 'init');
is(slurp("$dir/dags/hello.yaml"), $before, 'nothing is overwritten');
symlink('nowhere', "$dir/dags/dangling.yaml") or die;
is((dag($dir, 'init', 'dangling'))[0], 2, 'not even a link that leads nowhere');
ok_dag(0, 'another name', $dir, 'init', 'nightly');
like(slurp("$dir/dags/nightly.yaml"), qr/^dag: nightly$/m, '... is its name');

my $rule = 'letters, digits, _ and -, at most 128, not starting with a digit or -';
usage($dir, "'a/b' cannot be the name of a DAG: $rule", 'init', 'a/b');
usage($dir, "'1a' cannot be the name of a DAG: $rule", 'init', '1a');
usage($dir, "'' cannot be the name of a DAG: $rule", 'init', '');
my $long = 'a' x 128;
ok_dag(0, 'a name of 128', $dir, 'init', $long);
usage($dir, "'${long}b' cannot be the name of a DAG: $rule", 'init', "${long}b");

my $sub = project();
mkdir "$sub/inner";
ok_dag(0, 'a project inside another', "$sub/inner", 'init');
ok(-d "$sub/inner/.dag", 'is here, not above');
ok_dag(0, '-C', '/', '-C', "$sub/inner", 'init', 'second');
ok(-f "$sub/inner/dags/second.yaml", 'or where -C says');
done_testing();
