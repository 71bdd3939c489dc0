#!/usr/bin/perl
# Mistakes on the command line, outputs that take nothing, colours.
use strict;
use warnings;
use File::Basename qw(dirname);
use lib dirname(__FILE__);
use Cli;
use Test::More;

my $dir = project('p.yaml' => "tasks:\n  a: {run: 'true'}\n");

usage($dir, 'what shall be done? for example: dag run FILE');
usage($dir, "unknown verb 'lst' (did you mean 'list'?)", 'lst');
usage($dir, "unknown verb 'frobnicate'", 'frobnicate');
usage($dir, "unknown option '--jsn' (did you mean '--json'?)", 'list', '--jsn');
usage($dir, "unknown option '--json'", '--json', 'list');
usage($dir, "unknown option '-x'", 'doctor', '-x');
usage($dir, "option '--json' is given twice", 'list', '--json', '--json');
usage($dir, "option '--dir' is given twice", '-C', '.', 'list', '-C', '.');
usage($dir, "option '--color' takes auto, always or never, not 'red'", 'list', '--color=red');
usage($dir, "option '--dir' needs a value: --dir DIR", '-C');
usage($dir, "option '--dir' needs the name of a directory", '-C', '', 'list');
usage($dir, "'dag doctor' takes options only, not 'x'", 'doctor', 'x');
usage($dir, "'dag show' needs FILE|NAME: there is no dvc.yaml here", 'show');
usage($dir, "'dag run' needs FILE|NAME: there is no dvc.yaml here", 'run');
usage($dir, "one word too many for 'dag run': 'q.yaml'", 'run', 'p.yaml', 'q.yaml');
usage($dir, "option '--param' takes NAME=VALUE, not 'x'", 'run', 'p.yaml', '-p', 'x');
usage($dir, "option '--param' takes NAME=VALUE, not '=x'", 'run', 'p.yaml', '-p', '=x');
usage($dir, "option '--jobs' takes a number from 1 to 4096, not 0", 'run', 'p.yaml', '-j0');
usage($dir, "option '--jobs' takes a number from 1 to 4096, not 4097", 'run', 'p.yaml', '-j', '4097');
usage($dir, "option '--date' takes a date or an instant (2026-11-22, INSTANT), not 'noon'",
	'run', 'p.yaml', '--date', 'noon');
usage($dir, "option '--progress' takes live, plain, json or none, not 'plane'",
	'run', 'p.yaml', '--progress', 'plane');
usage($dir, '--format, --json, --dot and --md exclude each other', 'show', 'p', '--json', '--dot');
usage($dir, 'with a RUN only --json may be given', 'runs', 'last', '-n', '3');
usage($dir, 'a run that is not done has no result', 'runs', '--state', 'running', '--result', 'failed');
usage($dir, '--attempt and --from need a TASK', 'logs', 'last', '--attempt', '1');
usage($dir, '--from and --tail exclude each other', 'logs', 'last', 'a', '--from', '1', '-n', '2');
ok(!-e "$dir/.dag/dag.db", 'none of that made a database');

# A hint follows: where help is.
like((dag($dir, 'run'))[2], qr/\Adag: error: .*\ndag: try 'dag help run'\n\z/, 'usage names the help');

# Options stand anywhere behind the verb; -- ends them.
is((dag($dir, 'check', '--color', 'never', 'p.yaml'))[0], 0, 'before a word');
is((dag($dir, 'check', 'p.yaml', '--color=never', '-C', $dir))[0], 0, 'behind a word');
like((dag($dir, 'show', '--', '--json'))[2], qr/there is no DAG '--json'/, 'behind --');

# A directory elsewhere.
my $other = project('q.yaml' => "tasks:\n  b: {run: 'true'}\n");
like((dag($dir, '-C', $other, 'list'))[1], qr/^q /m, '-C before the verb');
like((dag($dir, 'list', '-C', $other))[1], qr/^q /m, '-C behind it');
my ($rc, $out, $err) = dag($dir, '-C', "$dir/nowhere", 'list');
is($rc, 2, 'a -C that is not there');
like($err, qr/\Adag: error: .*nowhere/, '... is named');

# What cannot be written is an error, and said once.
sub shell {
	my ($cmd) = @_;
	my $all = `cd '$dir' && { $cmd\n} 2>&1`;
	return ($? >> 8, $all);
}
my $dag = build() . '/bin/dag';
($rc, $out) = shell("'$dag' help > /dev/full");
is($rc, 3, 'a full disk is status 3');
is($out, "dag: error: cannot write to standard output: No space left on device\n", '... with its reason');
($rc, $out) = shell("'$dag' help >&-");
is($rc, 3, 'a closed stdout is status 3');
is($out, "dag: error: cannot write to standard output: Bad file descriptor\n", '... with its reason');
($rc, $out) = shell("{ sleep 0.2; '$dag' help; echo \"status \$?\" >&2; } | :");
is($out, "status 3\n", 'nobody reads: status 3, and no word about it');
($rc, $out) = shell("'$dag' check 0<&- 1>out.txt 2>&-; echo \$?; cat out.txt");
is($out, "0\n1 file, no mistakes\n", 'closed stdin and stderr hurt nobody');

# Colours: only where asked for, or on a terminal.
unlike((dag($dir, 'bogus'))[2], qr/\e/, 'no colours into a file');
like((dag($dir, '--color', 'always', 'bogus'))[2], qr/\e\[1;31merror:\e\[0m/, '--color always');
like(pty($dir, [], 'bogus')->{out}, qr/\e\[1;31merror/, 'colours on a terminal');
unlike(pty($dir, [], '--color=never', 'bogus')->{out}, qr/\e/, 'not with --color never');
{
	local $ENV{NO_COLOR} = '1';
	unlike(pty($dir, [], 'bogus')->{out}, qr/\e/, 'not with NO_COLOR');
	like(pty($dir, [], '--color=always', 'bogus')->{out}, qr/\e/, 'but with --color always');
}
{
	local $ENV{KEEP_TERM} = 1;
	unlike(pty($dir, [], 'bogus')->{out}, qr/\e/, 'not on a dumb terminal');
}
done_testing();
