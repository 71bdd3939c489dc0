#!/usr/bin/perl
# Modules: `dag` itself does not link what they pull in, gives them what they ask for, and has no
# name in common with the libraries behind them, which would then call us.
use strict;
use warnings;
use Test::More;

my $dag = "$ENV{DAG_BUILD}/bin/dag";
my @modules = glob "$ENV{DAG_BUILD}/libexec/dag/dag-*.so";
cmp_ok(scalar @modules, '>=', 1, 'there are modules');

sub symbols {
	my ($file, @options) = @_;
	open(my $nm, '-|', 'nm', '-DP', @options, $file) or die "cannot run nm: $!";
	my %type;
	while (<$nm>) {
		my ($name, $type) = split;
		$name =~ s/@.*//;
		$type{$name} = $type;
	}
	close $nm;
	return %type;
}

sub libraries { map { m{=> (/\S+)} ? $1 : () } `ldd '$_[0]'` }

my %own = map { $_ => 1 } libraries($dag);
my %exports = symbols($dag, '--defined-only');
open(my $list, '<', "$ENV{DAG_SOURCE}/cmake/exports.txt") or die $!;
my @listed = grep { /^[a-z]/ } map { chomp; $_ } <$list>;
is(join(' ', grep { !$exports{$_} } @listed), '', 'dag exports all that is listed');
is(join(' ', sort grep { /^libgit2/ } map { m{([^/]+)$} } keys %own), '', 'dag links no libgit2');

my %sanitizer = map { $_ => 1 } grep { /^_|san_/ } keys %exports;
for my $module (@modules) {
	my ($name) = $module =~ m{([^/]+)$};
	my %defined = symbols($module, '--defined-only');
	# What dag-git.so has in front of a library of its own, on purpose: store/git/certs.c.
	delete $defined{mbedtls_x509_crt_parse_file} if $name eq 'dag-git.so';
	is(join(' ', grep { !/san_|^__/ } sort keys %defined), 'dag_module', "$name exports its table");
	my @wanted = grep { /^(?:err|buf|vec|map|arena|path|fsio|log)_/ } keys %{{ symbols($module, '-u') }};
	is(join(' ', sort grep { !$exports{$_} } @wanted), '', "$name finds what it calls");
	my %clash;
	for my $library (grep { !$own{$_} } libraries($module)) {
		my %theirs = symbols($library, '--defined-only');
		$clash{$_} = 1 for grep { $theirs{$_} && !$sanitizer{$_} } @listed;
	}
	is(join(' ', sort keys %clash), '', "no library of $name has a name of ours");
}
done_testing();
