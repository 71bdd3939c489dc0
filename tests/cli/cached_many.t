#!/usr/bin/perl
# A task whose glob stands for very many files: one entry of the lock, and what changes in them is
# seen as if each had its own.
use strict;
use warnings;
use File::Basename qw(dirname);
use lib dirname(__FILE__);
use Cli qw(:DEFAULT home);
use Test::More;

home(project());
my $d = project('p.yaml' => <<'END', 'data/x.txt' => 'x');
tasks:
  t: {inputs: ['data/**/*.csv'], outputs: [out], run: 'echo t >> ran; find data -name "*.csv" | wc -l > out'}
END
spew("$d/data/a/$_.csv", "$_\n") for 1 .. 1001;

sub ran {
	unlink("$d/ran");
	my $r = dag_in($d, 'run', 'p.yaml', @_);
	diag("$r->{out}\n$r->{err}") if $r->{rc} != 0;
	return slurp("$d/ran") // '';
}

is(ran(), "t\n", 'it runs');
is(slurp("$d/out"), "1001\n", '... with all of them');
my $lock = slurp("$d/p.dag.lock");
like($lock, qr{\n    deps:\n    - path: data/\*\*/\*\.csv\n      hash: md5\n      md5: [0-9a-f]{32}\.dir\n      size: 3898\n      nfiles: 1001\n    outs:\n}, 'they are one entry of the lock');
is(ran(), '', 'and not again');
spew("$d/data/x.txt", 'y');
is(ran(), '', '... for what does not match');
is(slurp("$d/p.dag.lock"), $lock, 'the lock stays');

my $plan = sub { return dag_in($d, 'run', 'p.yaml', '--dry-run')->{out} };
spew("$d/data/a/7.csv", "changed\n");
like($plan->(), qr{would run: 'data/\*\*/\*\.csv' changed: 1001 files, was }, 'an edit is told ahead');
is(ran(), "t\n", '... and it runs');
spew("$d/data/b/new.csv", '');
like($plan->(), qr{changed: 1001 files -> 1002, was }, 'one more is told with their number');
is(ran(), "t\n", 'one more is a change');
is(slurp("$d/out"), "1002\n", '... which it sees');
unlink("$d/data/b/new.csv");
is(ran(), '', 'without that one it was run before');
is(slurp("$d/out"), "1001\n", '... and has that result');

# Who has it already: an entry for each file is no reason but one.
unlink("$d/data/a/7.csv", "$d/p.dag.lock");
is(ran(), "t\n", 'fewer');
like(slurp("$d/p.dag.lock"), qr{- path: data/a/1\.csv\n}, '... have an entry each');
spew("$d/data/a/7.csv", "8\n");
like($plan->(), qr{would run: 'data/\*\*/\*\.csv' is new$}m, 'when they become many again, that is one reason');
is(ran('--force'), "t\n", 'it runs');
is(ran(), '', 'and not again');

# What somebody else makes of them.
spew("$d/q.yaml", <<'END');
tasks:
  m: {inputs: [in], outputs: [data/a/0.csv], run: 'cp in data/a/0.csv'}
  t: {inputs: ['data/**/*.csv'], outputs: [out], run: 'wc -l data/a/*.csv > out'}
END
spew("$d/in", "1\n");
is(dag_in($d, 'run', 'q.yaml')->{rc}, 0, 'one of them is another task\'s');
spew("$d/in", "2\n");
like(dag_in($d, 'run', 'q.yaml', '--dry-run')->{out}, qr{may run: it reads 'data', which `m` makes}, 'before that one has run, nobody knows');
like(dag_in($d, 'run', 'q.yaml', '--progress', 'plain')->{out}, qr{ t: success}, 'then it runs');

# Where the directory is a link to another one, each file is looked at by itself.
rename("$d/data", "$d/store") or die "$!";
symlink('store', "$d/data") or die "$!";
unlink("$d/p.dag.lock");
spew("$d/store/a/7.csv", "of the link\n");
is(ran(), "t\n", 'a link to the directory');
like(slurp("$d/p.dag.lock"), qr{- path: data/a/7\.csv\n}, '... is that directory');
is(ran(), '', '... and nothing more to do');
spew("$d/store/a/8.csv", "changed\n");
like($plan->(), qr{'data/a/8\.csv' changed: }, '... until something in it changes');

done_testing();
