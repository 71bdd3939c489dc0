#!/usr/bin/perl
# Functions that invite mistakes, with the only places that may call them.
use strict;
use warnings;
use File::Basename qw(dirname);
use lib dirname(__FILE__);
use Lint;
use Test::More;

my @rules = (
	# what, why, who may all the same
	['strcpy strcat stpcpy', 'no limit: base/buf.h', qr{^$}],
	['sprintf vsprintf', 'no limit: snprintf or base/buf.h', qr{^$}],
	['gets strtok', 'hidden state, no limit', qr{^$}],
	['gmtime localtime ctime asctime', 'one static result: base/timefmt.h', qr{^$}],
	['atoi atol atoll atof', 'no errors: base/num.h', qr{^$}],
	# num makes them safe; json_write reads back what it printed; proc and owner read a number
	# in front of other text, from the kernel and from a file of ours.
	['strtol strtoll strtoul strtoull strtod strtod_l strtof strtold strtoimax strtoumax',
		'needs five checks each time: base/num.h',
		qr{^(base/(num|json_write|proc)\.c$|store/owner\.c$|tests/)}],
	['tmpnam tempnam mktemp', 'races', qr{^$}],
	['system popen', 'a shell where none is meant: base/proc.h', qr{^tests/}],
	['fork vfork', 'posix_spawn: a fork from a big process is dear',
		qr{^(tasks/shim/|tests/|bench/)}],
);

my @sources = files(qr{\.[ch]$});
my %text = map { $_ => bare(slurp($_)) } @sources;
ok(@sources > 0, 'there are sources to look at');

for my $rule (@rules) {
	my ($names, $why, $allowed) = @$rule;
	my $re = join '|', split ' ', $names;
	my @found;
	for my $f (@sources) {
		next if $f =~ $allowed;
		my $n = 0;
		for (split /\n/, $text{$f}) {
			$n++;
			push @found, "$f:$n: $1: $why" if /(?<![\w.]|->)($re)\s*\(/;
		}
	}
	none("nobody calls $names", @found);
}
done_testing();
