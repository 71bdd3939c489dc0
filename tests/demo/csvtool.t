#!/usr/bin/perl
# The programs of the demo: what they make and count, and what they refuse.
use strict;
use warnings;
use File::Basename qw(dirname);
use File::Temp qw(tempdir);
use lib dirname(__FILE__);
use Demo;
use Test::More;

my $dir = tempdir(CLEANUP => 1);
ok(compile($dir, 'csvtool', 'csvtool.c', 'csv.c'), 'csvtool compiles without a warning') or BAIL_OUT('no csvtool');
ok(compile($dir, 'make_comments', 'make_comments.c'), 'so does make_comments') or BAIL_OUT('no make_comments');
chdir $dir or die;

# What it makes.

my ($rc, $out) = sh('./make_comments 10000 1 >a.csv && ./make_comments 10000 1 >b.csv && cmp a.csv b.csv');
is($rc, 0, 'the same numbers give the same comments') or diag($out);
like(`cksum a.csv`, qr/^952648237 /, 'on every machine and with every compiler');
($rc) = sh('./make_comments 10000 2 >b.csv && cmp -s a.csv b.csv');
is($rc, 1, 'another seed gives others');

my $text = slurp('a.csv');
like($text, qr/\Acomment_text,labels\n/, 'there is a header');
like($text, qr/[^",]\n[^",]/, 'newlines inside of texts');
like($text, qr/""/, 'doubled quotes');
like($text, qr/\xf0\x9f/, 'emoji');
like($text, qr/e\xcc\x81/, 'combining marks');
for my $bad ('', '1', '1 2 3', 'x 1', '-1 1', '1 4294967296', '100000001 1', '" 1" 1') {
	($rc, $out) = sh("./make_comments $bad");
	is($rc, 2, "refused: make_comments $bad");
}
($rc, $out) = sh('./make_comments 1 1 >/dev/full');
ok($rc == 1 && $out =~ /No space left/, 'a full disk is noticed');

# What it counts.

sub compare {
	my ($file, $what) = @_;
	my $want = count($file);
	my $python = count_python($file);
	my %got;
	my ($rc, $out) = sh("./csvtool clean '$file' clean.csv >kv && ./csvtool labels clean.csv >labels && ./csvtool lengths clean.csv >lengths");
	is($rc, 0, "$what: clean, labels, lengths") or diag($out);
	(my $kv = slurp('kv')) =~ tr/=/,/;
	%got = (%{table($kv)}, %{table(slurp('labels'))}, %{table(slurp('lengths'))});
	is(delete $got{statistic}, 'clean', "$what: the column is called like the file");
	is_deeply(\%got, $want, "$what: the numbers of an independent count");
SKIP: {
		skip 'python3 is not here', 1 unless $python;
		is_deeply(\%got, $python, "$what: the numbers of Python's csv module");
	}
	my $again = count('clean.csv');
	ok($again->{rows} == $want->{kept} && $again->{kept} == $want->{kept},
		"$what: what is clean stays as it is");
	return $want;
}

my $n = compare('a.csv', 'invented comments');
cmp_ok($n->{empty}, '>', 100, 'some were empty');
cmp_ok($n->{duplicates}, '>', 100, 'some were there twice');
ok($n->{'toxic percent'} > 9 && $n->{'toxic percent'} < 12, 'about a tenth is rude');

SKIP: {
	my $real = comments();
	skip 'the real comments are not here (DAG_SHARED/data/comments)', 10 unless $real;
	compare("$real/text_comment_$_.csv", "real comments $_") for 1, 2;
}

# How it reads.

sub clean {
	my ($in) = @_;
	spew('in.csv', $in);
	unlink 'out.csv';
	my ($rc, $out) = sh('./csvtool clean in.csv out.csv');
	return ($rc, $out, slurp('out.csv'));
}

sub cleaned {
	my ($in, $want, $name) = @_;
	my ($rc, $out, $got) = clean("comment_text,labels\n$in");
	is($got, "comment_text,labels\n$want", $name) or diag($out);
}

cleaned('', '', 'no rows');
cleaned("a,1\n", "a,1\n", 'one row');
cleaned("a,1", "a,1\n", 'no newline at the end');
cleaned("a,1\r\nb,0\r\n", "a,1\nb,0\n", 'CRLF');
cleaned("\"a,\"\"b\"\"\",1\n", "\"a,\"\"b\"\"\",1\n", 'commas and quotes stay quoted');
cleaned("\"a\"\"\"\"\n\r\nb\",\"1\"\n", "\"a\"\"\"\" b\",1\n", 'a newline within quotes is white space');
cleaned("\" a\t \xc2\xa0b\xe3\x80\x80\",1\n", "a b,1\n", 'runs of white space, of Unicode\'s too');
cleaned("\xe2\x80\x8b,1\n", "\xe2\x80\x8b,1\n", 'U+200B is none');
cleaned("\" \n\",1\n\"\",0\n,0\n", '', 'nothing but white space is empty');
cleaned("a b,1\n a  b,0\nb a,0\n", "a b,1\nb a,0\n", 'the first of two equal texts stays');
spew('swap.csv', "labels,x,comment_text\n1,y,a\n");
is((sh('./csvtool clean swap.csv out.csv && tail -n 1 out.csv'))[1],
	"rows=1\nkept=1\nempty=0\nduplicates=0\na,1\n", 'columns go by their names');
my $many = join '', map { "text $_,0\ntext $_,1\n" } 1 .. 5000;
cleaned($many, join('', map { "text $_,0\n" } 1 .. 5000), '5,000 texts, each twice');

# What it refuses, and where.

sub refused {
	my ($in, $line, $why) = @_;
	my ($rc, $out) = clean($in);
	my $at = $line ? "in.csv:$line: " : 'in.csv: ';
	ok($rc == 1 && $out =~ /\Acsvtool: \Q$at\E.*\Q$why\E/, "refused: $why") or diag("$rc: $out");
}

my $h = "comment_text,labels\n";
refused('', 0, 'no header');
refused("text,labels\na,1\n", 0, "no column 'comment_text'");
refused("comment_text,label\na,1\n", 0, "no column 'labels'");
refused("${h}a\n", 2, '1 fields where the header has 2');
refused("${h}\"a\nb\",1,2\n", 2, '3 fields where the header has 2');
refused("${h}\"a\nb\",1\nc,2\n", 4, "the label is '2'");
refused("${h}c,\n", 2, "the label is ''");
refused("${h}a,1\n\"b\n,0\n", 3, 'ends inside of quotes');
refused("${h}a\"b,1\n", 2, 'a quote in a field without quotes');
refused("${h}\"a\" ,1\n", 2, 'neither a comma nor the row\'s end');
refused("${h}a,1\rb,0\n", 2, 'neither a comma nor the row\'s end');
refused("${h}a\0,1\n", 2, 'a NUL');
refused("${h}\"a\0\",1\n", 2, 'a NUL');
for my $bad ("\xff", "\xc0\x80", "\xe0\x80\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xf8\x90\x80\x80\x80", "\x80", "\xc3", "\xe2\x82") {
	refused("${h}a$bad,1\n", 2, 'the text is not UTF-8');
}
refused($h . ('a,' x 64) . "1\n", 2, 'more than 64 fields');
my $mib = 1 << 20;
my ($big_rc) = clean($h . ('a' x (16 * $mib - 3)) . ",1\n");
is($big_rc, 0, 'a row of 16 MiB');
refused($h . ('a' x (16 * $mib - 2)) . ",1\n", 2, 'a row of more than 16777216 bytes');

($rc, $out) = sh('./csvtool clean a.csv /dev/full');
ok($rc == 1 && $out =~ /No space left/, 'a full disk is noticed');
($rc, $out) = sh('./csvtool labels a.csv >/dev/full');
ok($rc == 1 && $out =~ /No space left/, 'on standard output too');
($rc, $out) = sh('./csvtool clean nothing.csv out.csv');
ok($rc == 1 && $out =~ /cannot open nothing\.csv: No such file/, 'so is a file that is not there');
($rc, $out) = sh('./csvtool clean . out.csv');
ok($rc == 1 && $out =~ /cannot read \.: Is a directory/, 'and one that is none') or diag($out);
for my $bad ('', 'clean', 'clean a.csv', 'wash a.csv', 'labels a.csv b.csv') {
	($rc, $out) = sh("./csvtool $bad");
	ok($rc == 2 && $out =~ /^usage: /, "usage: csvtool $bad");
}

# Tables side by side.

spew('x.csv', "statistic,x\nrows,1\n\"a,b\",2\n");
spew('y.csv', "statistic,y\nrows,3\n\"a,b\",4\n");
is((sh('./csvtool join x.csv y.csv'))[1], "statistic,x,y\nrows,1,3\n\"a,b\",2,4\n", 'join');
is((sh('./csvtool markdown x.csv'))[1], "| statistic | x |\n|---|---:|\n| rows | 1 |\n| a,b | 2 |\n",
	'markdown');
spew('y.csv', "statistic,y\nrows,3\nb,4\n");
like((sh('./csvtool join x.csv y.csv'))[1], qr/'a,b' does not match 'b' in y\.csv/, 'join: other keys');
spew('y.csv', "statistic,y\nrows,3\n");
like((sh('./csvtool join x.csv y.csv'))[1], qr/x\.csv has more rows than y\.csv/, 'join: fewer rows');
like((sh('./csvtool join y.csv x.csv'))[1], qr/y\.csv has fewer rows than x\.csv/, 'join: more rows');

spew('none.csv', $h);
is(table((sh('./csvtool lengths none.csv'))[1])->{median}, 0, 'lengths of no comments');
is(table((sh('./csvtool labels none.csv'))[1])->{'toxic percent'}, '0.00', 'labels of no comments');
spew('four.csv', "${h}a,0\nbb,0\nccc,1\n\xf0\x9f\xa6\x89e\xcc\x81d,0\n");
is((sh('./csvtool lengths four.csv'))[1],
	"statistic,four\nshortest,1\nmedian,2\n90 percent up to,4\nlongest,4\n",
	'lengths are in characters, ranks are the nearest');
done_testing();
