#!/usr/bin/perl
# DAG files that are wrong: refused with their place, the line and a way out; nothing is made.
use strict;
use warnings;
use File::Basename qw(dirname);
use File::Temp qw(tempdir);
use lib dirname(__FILE__);
use Cli;
use Test::More;
use Time::HiRes qw(time);

my $TASK = "tasks:\n  a: {run: 'touch ran'}\n";

# A directory that is no project yet, with one file.
sub place {
	my ($text) = @_;
	my $dir = project();
	rmdir "$dir/.dag" or die;
	spew("$dir/f.yaml", $text);
	return $dir;
}

# `dag run` of this text is refused with all of these, and leaves nothing behind.
sub bad {
	my ($name, $text, @want) = @_;
	my $dir = place($text);
	my $p = dag_in($dir, 'run', 'f.yaml', '--progress', 'plain');
	is($p->{rc}, 2, "$name: status 2") or diag($p->{err});
	like($p->{err}, ref $_ ? $_ : qr/\Q$_\E/, "$name: says " . substr($_, 0, 60)) for @want;
	is($p->{out}, '', "$name: nothing on stdout");
	is(join(' ', map { s/.*\///r } glob("$dir/* $dir/.[a-z]*")), 'f.yaml', "$name: makes nothing");
	is(slurp("$dir/f.yaml"), $text, "$name: the file is as it was");
	return $p;
}

# This text runs.
sub good {
	my ($name, $text) = @_;
	my $dir = place($text);
	ok_dag(0, "$name: runs", $dir, 'run', 'f.yaml', '--progress', 'none');
	ok(-e "$dir/ran", "... its task too");
}

subtest 'bytes' => sub {
	good('a byte order mark', "\xef\xbb\xbf$TASK");
	good('lines that end as on Windows', $TASK =~ s/\n/\r\n/gr);
	good('no newline at the end', $TASK =~ s/\n\z//r);
	bad('invalid YAML', "tasks:\n  a: {run: echo\n", 'f.yaml:2:6: error: ', 'is not closed', "\n      |      ^");
	bad('Latin-1', "tasks:\n  a: {run: \"caf\xe9\"}\n", 'f.yaml:2:16: error: ', 'not UTF-8', '0xe9', 'iconv -f latin1');
	bad('UTF-8 cut short', "tasks:\n  a: {run: x} # \xe2\x82\n", 'f.yaml:2:17: error: ', 'UTF-8');
	bad('an overlong form', "tasks: \xc0\xaf\n", 'f.yaml:1:8: error: ', 'UTF-8');
	bad('a surrogate', "tasks: \xed\xa0\x80\n", 'f.yaml:1:8: error: ', 'UTF-8');
	bad('NUL', "tasks:\n  a: {run: \"x\0y\"}\n", 'f.yaml:2:14: error: ', 'NUL');
	bad('UTF-16', "\xff\xfet\0a\0", 'UTF-16', 'iconv');
	bad('a control character', "tasks: \x1b[31m\n", 'f.yaml:1:8: error: ', 'control character');
	bad('a tab', "tasks:\n\ta: {run: x}\n", 'f.yaml:2:1: error: a tab', 'use spaces');
	bad('nothing', '', 'the file is empty', 'begin with: tasks:');
	bad('only a comment', "# later\n", 'the file is empty');
	bad('a program', "\x7fELF\2\1\1\0\0\0", 'f.yaml:1:1: error: ', qr/control character|NUL/);
};

subtest 'structure' => sub {
	bad('a list', "- a\n", 'f.yaml:1:1: error: a DAG file is a mapping', 'begin with');
	bad('a word', "hello\n", 'f.yaml:1:1: error: a DAG file is a mapping');
	bad('no tasks', "description: x\n", 'the file has no `tasks`');
	bad('null tasks', "tasks:\n", 'f.yaml:1:7: error: there are no tasks', 'hello: {run:');
	bad('empty tasks', "tasks: {}\n", 'f.yaml:1:8: error: there are no tasks');
	bad('a list of tasks', "tasks: [{run: x}]\n", 'f.yaml:1:8: error: `tasks` takes a mapping', "without '- '");
	bad('a task of text', "tasks:\n  a: echo\n", "f.yaml:2:6: error: task 'a' is a mapping");
	bad('an empty task', "tasks:\n  a:\n", "f.yaml:2:3: error: task 'a' is empty");
	bad('two documents', "$TASK---\n$TASK", 'f.yaml:3:1: error: a second document');
	bad('a tag', "tasks: !!python/object:os.system {a: {run: x}}\n", 'f.yaml:1:8: error: the tag');
	bad('duplicate keys', "tasks:\n  a: {run: x, run: y}\n  a: {run: z}\n",
		"f.yaml:2:15: error: the key 'run' is given twice", 'f.yaml:2:7: note: first given here',
		"f.yaml:3:3: error: the key 'a' is given twice");
	bad('keys equal once unquoted', "tasks:\n  a: {run: x}\n  \"a\": {run: y}\n", 'f.yaml:3:3: error: the key');
	bad('a list as key', "tasks:\n  ? [a]\n  : {run: x}\n", qr/f\.yaml:2:\d+: error: /);
	bad('braces without quotes', "tasks:\n  a:\n    run: {{ ds }}\n", 'f.yaml:3:10: error: ', 'must be quoted');
};

subtest 'sizes' => sub {
	my $max = 16 << 20;
	my $fill = "# " . 'x' x 61 . "\n";
	my $text = $TASK . $fill x (($max - length $TASK) / length $fill);
	$text .= '#' x ($max - length($text) - 1) . "\n";
	is(length $text, $max, 'a file of 16 MiB');
	my $dir = place($text);
	my $t = time;
	my $p = ok_dag(0, 'is accepted', $dir, 'check', 'f.yaml');
	cmp_ok(time - $t, '<', 10, '... soon');
	$p = bad('one byte more', $text . '#', 'f.yaml', 'larger than the limit of 16 MiB');
	cmp_ok(length $p->{err}, '<', 500, '... in few words');

	# One line of 16 MiB is not printed.
	my $line = 'tasks: {a: {run: "' . 'y' x ($max - 50) . '", rum: 1}}';
	$p = bad('a long line', $line, qr/f\.yaml:1:\d{8}: error: unknown key 'rum'/, "did you mean 'run'?", "1 | ...y");
	cmp_ok(length $p->{err}, '<', 10000, '... is cut');

	# Deep: in both styles, and as text that never ends.
	my $in = sub { "x: " . '[' x $_[0] . ']' x $_[0] . "\n$TASK" };
	my $deep = 'stand more than 64 deep inside each other';
	unlike(bad('64 deep', $in->(63), "unknown key 'x'")->{err}, qr/deep/, '64 is no depth');
	bad('65 deep', $in->(64), 'f.yaml:1:67: error: ', $deep);
	bad('an open end', '[' x 200_000, 'f.yaml:1:65: error: ', $deep);
	bad('maps in maps', '{a: ' x 200_000, $deep);
	bad('dashes', '- ' x 200_000, $deep);
	bad('stairs', join('', map { ' ' x $_ . "a:\n" } 0 .. 500), 'f.yaml:65:65: error: ', $deep);

	my $bomb = "a: &a [x,x,x,x,x,x,x,x,x,x]\n";
	for my $c ('b' .. 'i') {
		my $b = chr(ord($c) - 1);
		$bomb .= "$c: &$c [" . join(',', ("*$b") x 10) . "]\n";
	}
	$t = time;
	bad('a billion laughs', "$bomb$TASK", qr/f\.yaml:\d+:\d+: error: the file has more than 2000000 values/);
	cmp_ok(time - $t, '<', 5, '... soon');
	bad('too many aliases', "x: &x 1\ny: [" . '*x,' x 10_001 . "]\n$TASK", 'more than 10000 aliases');
	bad('an alias within itself', "x: &x [*x]\n$TASK", 'f.yaml:1:8: error: *x stands inside');
	bad('an unknown alias', "x: *y\n$TASK", 'f.yaml:1:4: error: *y');

	$t = time;
	$p = bad('50,000 mistakes', "tasks:\n" . join('', map { "  t$_: {rum: 1}\n" } 1 .. 50_000),
		qr/^and \d+ more errors, not shown$/m);
	cmp_ok(time - $t, '<', 10, '... soon');
	cmp_ok(length $p->{err}, '<', 300_000, '... and not all of them');
};

subtest 'words' => sub {
	bad('a misspelt run', "tasks:\n  a: {rum: x}\n", "f.yaml:2:7: error: unknown key 'rum'", "did you mean 'run'?");
	bad('an unknown key', "tasks:\n  a: {run: x, retires: 3}\n", "f.yaml:2:15: error: unknown key 'retires'",
		"did you mean 'retries'?");
	bad('of the DAG', "descripton: x\n$TASK", "f.yaml:1:1: error: unknown key 'descripton'",
		"did you mean 'description'?");
	bad('a key from elsewhere', "tasks:\n  a: {run: x, depends_on: [a]}\n", "did you mean 'needs'?");
	bad('at the wrong place', "retries: 3\n$TASK", 'f.yaml:1:1: error: ', 'key of tasks');
	bad('a wrong type', "tasks:\n  a: {run: x, retries: \"3\"}\n",
		'f.yaml:2:24: error: `retries` takes an integer, not a string', 'write 3 without quotes');
	bad('text for a list', "tasks:\n  a: {run: x, env: text}\n", qr/f\.yaml:2:20: error: `env` takes a mapping/);
	bad('a mapping for text', "tasks:\n  a: {run: {x: y}}\n", 'f.yaml:2:12: error: `run` takes');
	bad('nothing for text', "tasks:\n  a: {run: }\n", 'f.yaml:2:12: error: `run` takes', 'not nothing');
	bad('no command', "tasks:\n  a: {run: ''}\n", 'f.yaml:2:12: error: `run` has no command');
	bad('no arguments', "tasks:\n  a: {run: []}\n", 'f.yaml:2:12: error: `run` is an empty list');
	bad('an unknown type', "tasks:\n  a: {type: shel, run: x}\n", 'f.yaml:2:13: error: ', "'shel'", 'shell');
	bad('a type to come', "tasks:\n  a: {type: train}\n", 'f.yaml:2:13: error: ', 'not built yet');
	bad('a key to come', "tasks:\n  a: {run: x, pool: y}\n", 'f.yaml:2:15: error: `pool` is not built yet');
	bad('an unknown task', "tasks:\n  alpha: {run: x}\n  b: {run: x, needs: [alhpa]}\n",
		"f.yaml:3:23: error: there is no task 'alhpa'", "did you mean 'alpha'?");
	bad('two tasks in one word', "tasks:\n  a: {run: x}\n  b: {run: x}\n  c: {run: x, needs: 'a, b'}\n",
		"f.yaml:4:22: error: there is no task 'a, b'", 'several tasks are a list: [a, b]');
	bad('a type of elsewhere', "tasks:\n  a: {type: python}\n", "f.yaml:2:13: error: there is no type 'python'",
		"'dag help types'");
	bad('an unknown param', "params: {rows: 1}\ntasks:\n  a: {run: 'x {{ params.row }}'}\n",
		"f.yaml:3:25: error: there is no param 'row'", "did you mean 'rows'?");
	bad('an unknown filter', "tasks:\n  a: {run: 'x {{ ds | uper }}'}\n", "f.yaml:2:23: error: unknown filter 'uper'",
		"did you mean 'upper'?");
	bad('a template that does not end', "tasks:\n  a: {run: 'x {{ ds '}\n", qr/f\.yaml:2:\d+: error: /);
	bad('a cycle', "tasks:\n  a: {run: x, needs: b}\n  b: {run: x, needs: c}\n  c: {run: x, needs: a}\n",
		qr/f\.yaml:\d:\d+: error: tasks wait for each other: a -> c -> b -> a/, 'let one of them not need the other, by `needs` or by a file that it reads');
	bad('a cycle of paths', "tasks:\n  a: {run: x, inputs: [p], outputs: [q]}\n  b: {run: x, inputs: [q], outputs: [p]}\n",
		qr/f\.yaml:\d:\d+: error: tasks wait for each other: a -> b -> a|b -> a -> b/);
	bad('itself', "tasks:\n  a: {run: x, needs: [a]}\n", "f.yaml:2:23: error: task 'a' cannot need itself");
};

subtest 'names and numbers' => sub {
	my ($ok, $long) = ('n' x 128, 'n' x 129);
	good('a name of 128 bytes', "dag: $ok\nparams: {$ok: 1}\ntasks:\n  $ok: {run: 'touch ran'}\n");
	bad('a task of 129', "tasks:\n  $long: {run: x}\n", 'f.yaml:2:3: error: ', '128');
	bad('a DAG of 129', "dag: $long\n$TASK", 'f.yaml:1:6: error: ', '128');
	bad('a param of 129', "params: {$long: 1}\n$TASK", 'f.yaml:1:10: error: ', '128');
	bad("the name '$_'", "tasks:\n  \"$_\": {run: x}\n", 'f.yaml:2:3: error: ', 'a name has letters, digits')
		for ('a b', 'a/b', '../a', '1a', '-a', 'a.b', "caf\xc3\xa9", '');
	bad('a name of a wrong type', "dag: [x]\n$TASK", 'f.yaml:1:6: error: the name of a DAG is a word');
	my $key = sub { my ($k, $v, $col, @want) = @_; bad("$k: $v", "tasks:\n  a: {run: x, $k: $v}\n", "f.yaml:2:$col: error: ", @want) };
	$key->('retries', -1, 24, 'retries');
	$key->('retries', 1001, 24, '1000');
	$key->('retries', 1.5, 24, 'an integer');
	$key->('retries', '99999999999999999999', 24, 'retries');
	good('1000 retries', "tasks:\n  a: {run: touch ran, retries: 1000}\n");
	$key->('timeout', 'soon', 24, "'soon' is no duration", '90s');
	$key->('timeout', '36501d', 24, '`timeout` is at most 36500d');
	$key->('timeout', -5, 24, 'duration');
	$key->('timeout', '99999999999999999999s', 24, '`timeout` is at most 36500d');
	$key->('timeout', '.inf', 24, 'timeout');
	$key->('retry_delay', '-1s', 28, 'duration');
	$key->('retry_backoff', 0, 30, 'retry_backoff');
	$key->('priority', 'high', 25, 'an integer');
	$key->('trigger', 'all_sucess', 24, "'all_sucess'", "did you mean 'all_success'?");
	$key->('retry_on', '[exit, reboot]', 32, "'reboot'");
	$key->('when', "'false'", 21, qr/./);
};
done_testing();
