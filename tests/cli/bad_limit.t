#!/usr/bin/perl
# Sizes of what is started, at the limit and one past it: scripts, environments, arguments.
use strict;
use warnings;
use File::Basename qw(dirname);
use lib dirname(__FILE__);
use Cli;
use Test::More;

sub task_log {
	my ($dir, $task) = @_;
	return (dag($dir, 'logs', 'last', $task))[1];
}

# Text of n bytes that a block scalar holds.
sub script {
	my ($n, $last) = @_;
	my $line = ': ' . 'x' x 60 . "\n";
	my $text = $line x int(($n - length $last) / length $line);
	my $fill = $n - length($text) - length $last;
	$text .= '#' x ($fill - 1) . "\n" if $fill > 0;
	return $text . $last;
}

sub block { join '', map { "      $_\n" } split /\n/, $_[0] }

subtest 'scripts' => sub {
	my $size = 96 << 10;
	for my $n ($size, $size + 1, 200_000, 2_000_000) {
		my $text = script($n, "echo \"\$0 \$# \$X\"\n");
		is(length $text, $n, "a script of $n bytes");
		my $dir = project('f.yaml' => "tasks:\n  a:\n    env: {X: x}\n    run: |\n" . block($text));
		ok_dag(0, '... runs', $dir, 'run', 'f.yaml', '--progress', 'none');
		my $log = task_log($dir, 'a');
		like($log, $n > $size ? qr/\/script 0 x\n\z/ : qr/\A\/bin\/sh 0 x\n\z/,
			$n > $size ? '... from a file' : '... from its argument') or diag(substr($log, 0, 500));
	}
	# An early mistake still ends it, as with -e.
	my $dir = project('f.yaml' => "tasks:\n  a:\n    run: |\n" . block("false\necho on\n" . script(100_000, "echo end\n")));
	ok_dag(1, 'a command that fails ends it', $dir, 'run', 'f.yaml', '--progress', 'none');
	is(task_log($dir, 'a'), '', '... at once');
	# Other shells, and options joined to -c.
	my %shell = ('bash -ec' => 'echo end', 'bash -e -c' => 'echo end', 'perl -e' => 'print "end\n";',
		'sh -xc' => "echo end 2>/dev/null", 'python3 -c' => 'print("end")');
	for my $shell (sort keys %shell) {
		my $text = ("#" . 'x' x 78 . "\n") x 1500 . $shell{$shell} . "\n";
		$dir = project('f.yaml' => "tasks:\n  a:\n    shell: [" . join(', ', split / /, $shell) . "]\n    run: |\n" . block($text));
		my $p = ok_dag(0, "a long script of $shell", $dir, 'run', 'f.yaml', '--progress', 'plain');
		like(task_log($dir, 'a'), qr/^end$/m, '... runs');
	}
};

subtest 'environment' => sub {
	my $max = 128 << 10; # of NAME=VALUE and its end
	for my $over (0, 1) {
		my $val = 'v' x ($max - length("BIG=") - 1 + $over);
		my $dir = project('f.yaml' => "tasks:\n  a:\n    env: {BIG: $val}\n    run: 'printf %s \"\$BIG\" | wc -c; touch ran'\n");
		my $p = dag_in($dir, 'run', 'f.yaml', '--progress', 'plain');
		if (!$over) {
			is($p->{rc}, 0, 'a variable of 128 KiB') or diag(substr("$p->{out}$p->{err}", 0, 2000));
			is(task_log($dir, 'a'), length($val) . "\n", '... arrives');
		} else {
			is($p->{rc}, 2, 'one byte more is refused');
			like($p->{err}, qr/^f\.yaml:3:\d+: error: .*BIG.*(?:128 KiB|131\d\d\d)/m, '... by name');
			cmp_ok(length $p->{err}, '<', 5000, '... without repeating it');
			ok(!-e "$dir/ran" && !-e "$dir/.dag/dag.db", '... and nothing is made');
		}
	}
	# Each small enough, but not all together.
	my $dir = project('f.yaml' => "tasks:\n  a:\n    env:\n"
		. join('', map { "      V$_: " . 'v' x 100_000 . "\n" } 1 .. 40) . "    run: touch ran\n");
	my $p = dag_in($dir, 'run', 'f.yaml', '--progress', 'plain');
	cmp_ok($p->{rc}, '>', 0, '4 MB together');
	like("$p->{out}$p->{err}", qr/environment|Argument list too long|arguments/, '... are too much, and said to be');
	ok(!-e "$dir/ran", '... the task did not run');
	# Names that are none.
	for my $name ('A=B', '1A', 'A B', "'A\\0'", 'DAG_X', '""') {
		$dir = project('f.yaml' => "tasks:\n  a: {run: x, env: {$name: y}}\n");
		like(ok_dag(2, "the variable $name", $dir, 'run', 'f.yaml')->{err}, qr/^f\.yaml:2:2\d: error: /m, '... has no such name');
	}
	$dir = project('f.yaml' => "tasks:\n  a: {run: x, env: {A: \"a\\0b\"}}\n");
	like(ok_dag(2, 'NUL in a value', $dir, 'run', 'f.yaml')->{err}, qr/^f\.yaml:2:2\d: error: .*NUL/m, '... cannot be');
	$dir = project('f.yaml' => "tasks:\n  a: {run: \"echo a\\0b\"}\n");
	like(ok_dag(2, 'NUL in a command', $dir, 'run', 'f.yaml')->{err}, qr/^f\.yaml:2:1\d: error: .*NUL/m, '... cannot be');
};

subtest 'arguments' => sub {
	my $dir = project('f.yaml' => "tasks:\n  a: {run: [sh, -c, 'echo \$#', sh, " . join(', ', 1 .. 4000) . "]}\n");
	ok_dag(0, '4,000 arguments', $dir, 'run', 'f.yaml', '--progress', 'none');
	is(task_log($dir, 'a'), "4000\n", '... arrive');
	my $long = 'x' x ((128 << 10) - 1);
	$dir = project('f.yaml' => "tasks:\n  a: {run: [perl, -e, 'print length \$ARGV[0]', $long]}\n");
	ok_dag(0, 'one of 128 KiB', $dir, 'run', 'f.yaml', '--progress', 'none');
	is(task_log($dir, 'a'), (128 << 10) - 1, '... arrives as it is');
	$dir = project('f.yaml' => "tasks:\n  a: {run: [echo, x$long]}\n");
	my $p = ok_dag(2, 'one byte more', $dir, 'run', 'f.yaml');
	like($p->{err}, qr/^f\.yaml:2:\d+: error: .*(?:128 KiB|131072)/m, '... is refused');
	cmp_ok(length $p->{err}, '<', 5000, '... without repeating it');
};

subtest 'the command line' => sub {
	my $dir = project('f.yaml' => "tasks:\n  a: {run: x}\n  b: {run: y, needs: [a], tags: [t]}\n");
	my $no = sub { my ($want, @args) = @_; usage($dir, $want, 'run', 'f.yaml', @args) };
	$no->("option '--date' takes a date or an instant (2026-11-22, INSTANT), not '$_'", '--date', $_)
		for ('', 'nope', '2026-13-01', '2026-02-30', '2026-11-22T25:00', '0000-01-01', '10000-01-01', '-1');
	$no->("option '--jobs' takes a number from 1 to 4096, not $_", '-j', $_) for (0, 4097, 100000);
	$no->("option '--jobs' takes a whole number, not '$_'", '-j', $_) for ('', 'x', '1.5', '-1', '99999999999999999999');
	$no->("task 'c' does not exist in f ('dag show f' lists its tasks)", '--select', 'c');
	$no->("task 'c' does not exist in f ('dag show f' lists its tasks)", '--select', 'a,c');
	$no->("tag 'u' does not exist in f", '--select', 'tag:u');
	$no->("'+' is no selector: it is TASK or tag:TAG with +, 2+ or \@ before and + or +2 behind ('dag help select')", '--select', '+');
	$no->("option '--exclude': task 'c' does not exist in f ('dag show f' lists its tasks)", '--exclude', 'c');
	$no->("unknown option '--slect' (did you mean '--select'?)", '--slect', 'a');
	$no->("option '--param' needs a value: --param NAME=VALUE", '-p');
	ok(!-e "$dir/.dag/dag.db", 'nothing is made');
	usage($dir, "unknown verb 'rnu' (did you mean 'run'?)", 'rnu', 'f.yaml');
	usage($dir, "unknown verb 'f.yaml'; to run that file: dag run f.yaml", 'f.yaml');
	my @run = (['runs', 'zzz'], ['resume', 'zzz'], ['retry', 'zzz'], ['cancel', 'zzz'], ['logs', 'zzz'],
		['explain', 'zzz']);
	usage($dir, "nothing has been run in project 'DIR' yet", @$_) for @run;
	spew("$dir/f.yaml", "tasks: {a: {run: 'true'}}\n");
	ok_dag(0, 'a first run', $dir, 'run', 'f.yaml', '--progress', 'none');
	my $none = "no run is called 'zzz': give a run's id, at least 6 characters of its end, a DAG's name, or 'last'";
	usage($dir, $none, @$_) for @run;
};
done_testing();
