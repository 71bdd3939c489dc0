#!/usr/bin/perl
# What every text file of the house keeps to, and links that lead somewhere.
use strict;
use warnings;
use File::Basename qw(dirname);
use lib dirname(__FILE__);
use Lint;
use Test::More;

my @all = files(qr{\.(?:c|h|S|t|pm|pl|sh|md|txt|yaml|yml|json|cmake)$|^[^.][^.]*$|^\.[^/]+$});
@all = grep { !m{^tests/(?:.*/)?(?:data|fixtures|corpus)/} } @all;

# Promises for later; spelt in pieces so that this file does not find itself.
my $later = join '|', 'TO' . 'DO', 'FIX' . 'ME', 'X' . 'XX', 'HA' . 'CK', 'place' . 'holder',
	'stu' . 'b(?:bed|s)?', 'not (?:yet )?imple' . 'mented';
my (@space, @tail, @words, @crlf);
for my $f (@all) {
	my $text = slurp($f);
	my $n = 0;
	push @tail, $f unless $text =~ /[^\n]\n\z/ || $text eq '';
	push @crlf, $f if $text =~ /\r\n/;
	for (split /\n/, $text) {
		$n++;
		push @space, "$f:$n" if /[ \t]$/;
		push @words, "$f:$n: $1" if /\b($later)\b/;
	}
}
ok(@all > 20, 'there are files to look at');
none('no white space at the end of a line', @space);
none('every file ends with one newline', @tail);
none('lines end as on Unix', @crlf);
none('nothing is promised for later', @words);

my @dead;
for my $f (files(qr{\.md$})) {
	my $text = slurp($f);
	my $dir = dirname($f);
	$text =~ s/^```.*?^```//gms;
	while ($text =~ /\]\(([^)\s]+)\)/g) {
		my $to = $1;
		next if $to =~ /^(?:[a-z]+:|#)/;
		(my $path = $to) =~ s/#.*//;
		push @dead, "$f: $to" unless -e root() . "/$dir/$path";
	}
}
none('links between documents lead somewhere', @dead);

my %ignored = map { $_ => 1 } split /\n/, slurp('.gitignore');
ok($ignored{'/build/'} && $ignored{'.dag/'}, 'what building and running make is ignored');
done_testing();
