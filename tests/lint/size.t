#!/usr/bin/perl
# One concept is one file, and a function fits a screen.
use strict;
use warnings;
use File::Basename qw(dirname);
use lib dirname(__FILE__);
use Lint;
use Test::More;

use constant { FILE_MAX => 600, FUNCTION_MAX => 80 };

# Files that are longer for a reason: name => why.
my %long = ();

my (@files, @functions, %seen);
for my $f (files(qr{\.[ch]$})) {
	my @lines = split /\n/, bare(slurp($f));
	my ($open, $name, $rows);
	push @files, sprintf('%s: %d lines', $f, scalar @lines)
		if @lines > FILE_MAX && !$long{$f};
	$seen{$f} = @lines;
	for my $n (1 .. @lines) {
		my $line = $lines[$n - 1];
		if ($line =~ /^\{/) {
			($open, $rows) = ($n, 0);
		} elsif ($line =~ /^\s+\{.*\},?$/) {
			$rows++; # of a table of cases, which is data
		} elsif ($line =~ /^\}/) {
			push @functions, "$f:$open: $name: " . ($n - $open - 1) . ' lines'
				if $open && $n - $open - 1 - $rows > FUNCTION_MAX;
			undef $open;
		} elsif ($line =~ /^(\w+)\s*\(/) {
			$name = $1;
		}
	}
}
ok(%seen > 0, 'there are sources to look at');
none('no file over ' . FILE_MAX . ' lines without a reason', @files);
none('no function over ' . FUNCTION_MAX . ' lines', @functions);
none('every exception is still one',
	grep { ($seen{$_} // 0) <= FILE_MAX } sort keys %long);
done_testing();
