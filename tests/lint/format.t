#!/usr/bin/perl
# The layout of the code is what clang-format makes of it.  Versions differ in details, so only
# the one of Debian 12 decides.
use strict;
use warnings;
use File::Basename qw(dirname);
use lib dirname(__FILE__);
use Lint;
use Test::More;

use constant MAJOR => 14; # 14.0.6

my ($major, $tool);
for my $try ('clang-format-' . MAJOR, 'clang-format') {
	my $version = `$try --version 2>/dev/null` // '';
	if ($version =~ /version (\d+)/) {
		($tool, $major) = ($try, $1);
		last if $major == MAJOR;
	}
}
plan skip_all => 'clang-format is not installed' unless $tool;
plan skip_all => "clang-format is $major, the layout is that of " . MAJOR if $major != MAJOR;

chdir root() or die;
for my $f (files(qr{\.[ch]$})) {
	my @out = `$tool --dry-run -Werror '$f' 2>&1`;
	ok($? == 0, $f) or diag(map { /:\d+:\d+:/ ? $_ : () } @out);
}
done_testing();
