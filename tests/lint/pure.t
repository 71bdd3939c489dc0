#!/usr/bin/perl
# The engine is pure: what its objects ask of the world is memory, text, and the pure parts of
# the floors below.  No clock, no files, no processes, no randomness, no loop.
use strict;
use warnings;
use Test::More;

my %allowed = map { $_ => 1 } (
	# the C library: memory, text, assertions
	qw(malloc calloc realloc free memset memcpy memmove memcmp strcmp strlen snprintf
	__snprintf_chk __memcpy_chk __memset_chk vsnprintf sigabbrev_np __assert_fail
	__stack_chk_fail),
	# base: memory and text
	qw(arena_new arena_alloc arena_array arena_strdup arena_strndup arena_free vec_grow
	vec_free buf_init buf_release buf_addf buf_vaddf buf_adds buf_add buf_addc buf_steal),
	# names of things
	qw(trigger_rule_name fail_cause_name attempt_dir_put),
);

my @objects = glob "$ENV{DAG_BUILD}/scheduler/CMakeFiles/dag_scheduler.dir/engine*.c.o";
cmp_ok(scalar @objects, '>=', 6, 'the engine has objects');

my (%defined, %wanted);
for my $o (@objects) {
	(my $name = $o) =~ s{.*/}{};
	open my $nm, '-|', 'nm', '-P', $o or die "cannot run nm: $!";
	while (<$nm>) {
		my ($symbol, $type) = split;
		if ($type =~ /^[Uw]$/) {
			push @{$wanted{$symbol}}, $name;
		} else {
			$defined{$symbol} = 1;
		}
	}
	close $nm or die "nm fails for $o";
}
# What the sanitizers put in.
delete $wanted{$_} for grep { /^(?:__asan_|__ubsan_|__sanitizer_|_GLOBAL_OFFSET_TABLE_)/ } keys %wanted;

my @strange = map { "$_ (@{$wanted{$_}})" }
	grep { !$defined{$_} && !$allowed{$_} } sort keys %wanted;
is(join(', ', @strange), '', 'and they ask for nothing that is not pure');
ok($wanted{realloc} || $wanted{vec_grow}, 'they do ask for memory: the list was read');
done_testing();
