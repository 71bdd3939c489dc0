#!/usr/bin/perl
# Every function that a header offers has its contract there: a comment in the paragraph that
# declares it, alone or together with its siblings, or one elsewhere in the header that names
# it.
use strict;
use warnings;
use File::Basename qw(dirname);
use lib dirname(__FILE__);
use Lint;
use Test::More;

my (@missing, @unguarded, $functions);
for my $f (files(qr{^(?:base|store|tasks|scheduler|web|cli)/.*\.h$})) {
	my $text = slurp($f);
	my $comments = join "\n", $text =~ m{/\*(.*?)\*/}gs;

	push @unguarded, $f unless $text =~ /\A#ifndef (\w+)\n#define \1\n/;
	for my $paragraph (split /\n\n+/, $text) {
		my $code = bare($paragraph);
		$code =~ s/^#(?:[^\n]*\\\n)*[^\n]*//gm;
		# Bodies of structs, enums and inline functions hold no prototypes.
		1 while $code =~ s/\{[^{}]*\}/;/g;
		$code =~ s/__attribute__\s*\(\((?:[^()]|\([^()]*\))*\)\)//g;
		for my $decl (split /;/, $code) {
			# Inside a struct that has empty lines, members are indented.
			$decl =~ s/\A(?:[ \t]*\n)+//;
			next unless $decl =~ /\A(?!typedef|static)\w[^(){}]*?\b(\w+)\s*\(/;
			my $name = $1;
			$functions++;
			push @missing, "$f: $name"
				unless $paragraph =~ m{/\*} || $comments =~ /\b\Q$name\E\b/;
		}
	}
}
ok(($functions // 0) > 0, 'there are functions to look at');
none('every public function has its contract', @missing);
none('every header is guarded', @unguarded);
done_testing();
