#!/usr/bin/perl
# The floors of the house: an include goes only downwards, and names the floor it goes to.
use strict;
use warnings;
use File::Basename qw(dirname);
use lib dirname(__FILE__);
use Lint;
use Test::More;

my @floors = qw(base store tasks scheduler web cli);
my %level = map { $floors[$_] => $_ } 0 .. $#floors;
my (@up, @vague, @lost, $seen);

for my $f (files(qr{^(?:base|store|tasks|scheduler|web|cli)/.*\.[ch]$})) {
	my ($mine) = $f =~ m{^([^/]+)/};
	my $n = 0;
	$seen++;
	for (split /\n/, slurp($f)) {
		$n++;
		next unless /^#\s*include\s+"([^"]+)"/;
		my $inc = $1;
		my ($theirs) = $inc =~ m{^([^/]+)/};
		if (!defined $theirs || !exists $level{$theirs}) {
			push @vague, "$f:$n: \"$inc\" does not say its floor";
		} elsif ($level{$theirs} > $level{$mine}) {
			push @up, "$f:$n: $mine includes $inc";
		} elsif (!-e root() . "/$inc") {
			push @lost, "$f:$n: $inc is not there";
		}
	}
}
ok($seen, 'there are sources to look at');
none('no include goes upwards', @up);
none('every include of ours starts with its floor', @vague);
none('every included file exists', @lost);

my %top = map { $_ => 1 } @floors, qw(dags tests docs cmake bench scripts CMakeLists.txt
	CMakePresets.json Makefile README.md LICENSE CONTRIBUTING.md);
my %odd;
for (files(qr{.})) {
	my ($name) = m{^([^/]+)};
	$odd{$name} = 1 unless $top{$name} || $name =~ /^\./;
}
none('nothing else lies at the top', sort keys %odd);
done_testing();
