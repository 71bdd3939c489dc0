#!/usr/bin/perl
# The pipeline of dags/demo.yaml from end to end, with numbers checked against an independent
# count.
use strict;
use warnings;
use File::Basename qw(dirname);
use File::Copy qw(copy);
use File::Path qw(make_path);
use File::Temp qw(tempdir);
use JSON::PP qw(decode_json);
use lib dirname(__FILE__);
use Demo;
use Test::More;

my $dag = ($ENV{DAG_BUILD} // root() . '/build/dev') . '/bin/dag';
plan skip_all => "$dag is not built" unless -x $dag;

my $dir = tempdir(CLEANUP => 1);
make_path("$dir/.dag", "$dir/dags/demo");
copy($_, "$dir/dags/") for root() . '/dags/demo.yaml';
copy($_, "$dir/dags/demo/") for glob(root() . '/dags/demo/*');
chdir $dir or die;
delete $ENV{$_} for grep { /^DAG_(?!LIBEXEC)/ } keys %ENV;

# The latest attempt of every task of the latest run: name => facts.
sub tasks {
	my ($rc, $out) = sh("$dag runs last --json");
	my $run = eval { decode_json($out) } or diag("$rc: $out");
	return $run, { map { $_->{task} => $_ } @{ $run->{tasks} } };
}

# Run the pipeline with ${args}, and compare its report with a count of what it fetched.
sub pipeline {
	my ($what, $args) = @_;
	my ($rc, $out) = sh("$dag run dags/demo.yaml --progress plain $args");
	is($rc, 0, "$what: it succeeds") or diag($out);

	my @n = map { count("data/raw/text_comment_$_.csv") } 1, 2;
	my $statistics = slurp('data/statistics.csv') // '';
	for my $i (0, 1) {
		my $got = table($statistics, $i + 1);
		is(delete $got->{statistic}, 'text_comment_' . ($i + 1), "$what: a column per table");
		is_deeply($got, { map { $_ => $n[$i]{$_} } keys %$got }, "$what: its numbers");
		is(keys %$got, 7, "$what: all of them");
	}
	my $report = slurp('data/report.md') // '';
	like($report, qr/^\Q@{[$n[0]{rows} + $n[1]{rows}]} comments were read.\E$/m, "$what: rows");
	like($report, qr/^\Q@{[$n[0]{empty} + $n[1]{empty}]} were empty,\E$/m, "$what: empty ones");
	like($report, qr/^\Q@{[$n[0]{duplicates} + $n[1]{duplicates}]} said what\E/m, "$what: duplicates");
	like($report, qr/^\| median \| $n[0]{median} \| $n[1]{median} \|$/m, "$what: the table");
	return $out;
}

is((sh("$dag check dags/demo.yaml"))[0], 0, 'the file has no mistakes');

my $out = pipeline('a small run', '-p rows=300 -p seed=7');
is(count('data/raw/text_comment_1.csv')->{rows}, 300, 'as many rows as asked for');
my ($run, $task) = tasks();
is($task->{fetch_2}{attempt}, 2, 'the second source was asked twice');
is($task->{fetch_1}{attempt}, 1, 'the first one once');
is($task->{publish}{result}, 'skipped', 'nothing is published unasked');
ok(!-e 'published', 'really');
is((grep { $_->{result} eq 'success' } values %$task), 11, 'all the others succeed');

pipeline('published', '-p rows=20 -p publish=true');
is(slurp('published/report.md'), slurp('data/report.md'), 'publishing copies the report');

SKIP: {
	my $real = comments();
	skip 'the real comments are not here (DAG_SHARED/data/comments)', 1 unless $real;
	mkdir "with 'quotes' and blanks" or die;
	copy("$real/text_comment_$_.csv", "with 'quotes' and blanks/") for 1, 2;
	pipeline('the real comments', qq(-p comments="with 'quotes' and blanks"));
	is(count('data/raw/text_comment_1.csv')->{rows}, 10000, 'the real comments were read');
}

my ($rc, $err) = sh("$dag run dags/demo.yaml --progress plain -p comments=/nothing/here");
is($rc, 1, 'comments that are not there: the run fails');
($run, $task) = tasks();
is($task->{fetch_1}{result}, 'failed', 'where they were to be fetched');
is($task->{clean_1}{result}, 'upstream_failed', 'and what follows does not run');
($rc, $err) = sh("$dag run dags/demo.yaml -p rows=0");
is($rc, 2, 'a param out of its bounds is refused');
done_testing();
