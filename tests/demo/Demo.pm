# What the demo's tests share: the tools, compiled with sanitizers, and a count of what they
# count by other means.
package Demo;
use strict;
use warnings;
use Cwd qw(abs_path);
use Encode qw(decode);
use Exporter qw(import);
use File::Basename qw(dirname);

our @EXPORT = qw(root comments compile slurp spew sh count count_python table);

my $root = $ENV{DAG_SOURCE} // abs_path(dirname(__FILE__) . '/../..');

sub root { $root }

# The directory with the real comments, or undef.
sub comments {
	for my $shared (grep { defined } $ENV{DAG_SHARED}, "$root/../shared", "$root/../../shared") {
		my $dir = "$shared/data/comments";
		return $dir if -r "$dir/text_comment_1.csv" && -r "$dir/text_comment_2.csv";
	}
	return undef;
}

# Compile a program of the demo into ${dir}, with every warning an error.
sub compile {
	my ($dir, $name, @sources) = @_;
	my @flags = qw(-std=gnu17 -g -O1 -Wall -Wextra -Wpedantic -Wshadow -Wconversion
		-Wsign-conversion -Wmissing-prototypes -Wcast-qual -Wswitch-enum -Werror
		-fsanitize=address -fsanitize=undefined -fno-sanitize-recover=all);
	my @cmd = ($ENV{CC} // 'cc', @flags, '-o', "$dir/$name", map { "$root/dags/demo/$_" } @sources);
	return system(@cmd) == 0;
}

sub slurp {
	my ($p) = @_;
	open(my $f, '<:raw', $p) or return undef;
	local $/;
	return <$f> // '';
}

sub spew {
	my ($p, $s) = @_;
	open(my $f, '>:raw', $p) or die "$p: $!";
	print $f $s;
	close($f) or die "$p: $!";
}

# Run a shell command; return (status, stdout and stderr together).
sub sh {
	my ($cmd) = @_;
	my $out = `{ $cmd\n} 2>&1 </dev/null`;
	return ($? & 127 ? 128 + ($? & 127) : $? >> 8, $out);
}

# The second column of a table of statistics, or the ${n}th: name => value.
sub table {
	my ($text, $n) = @_;
	my %t;
	for (split /\n/, $text) {
		my @f = split /,/;
		$t{$f[0]} = $f[$n // 1];
	}
	return \%t;
}

# Count what cleaning and measuring a file of comments must give, by one regular expression
# over all of its bytes.
sub count {
	my ($path) = @_;
	my $s = slurp($path);
	my (@row, @rows, %seen, @lengths);
	my %n = map { $_ => 0 } qw(rows kept empty duplicates toxic);

	while ($s =~ /\G(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r?\n|\z)/g) {
		my ($quoted, $plain, $end) = ($1, $2, $3);
		$quoted =~ s/""/"/g if defined $quoted;
		push @row, $quoted // $plain;
		next if $end eq ',';
		push @rows, [@row] unless @row == 1 && $end eq '' && $row[0] eq '';
		@row = ();
		last if $end eq '' || pos($s) == length($s);
	}
	shift @rows;
	for my $r (@rows) {
		my $text = decode('UTF-8', $r->[0], Encode::FB_CROAK | Encode::LEAVE_SRC);
		$n{rows}++;
		$text =~ s/\s+/ /g;
		$text =~ s/^ | $//g;
		if ($text eq '') {
			$n{empty}++;
		} elsif ($seen{$text}++) {
			$n{duplicates}++;
		} else {
			$n{kept}++;
			$n{toxic}++ if $r->[1] eq '1';
			push @lengths, length($text);
		}
	}
	@lengths = sort { $a <=> $b } @lengths;
	my $rank = sub { $lengths[int((@lengths * $_[0] + 99) / 100) - 1] };
	@n{'shortest', 'median', '90 percent up to', 'longest'} =
		($lengths[0], $rank->(50), $rank->(90), $lengths[-1]);
	$n{'toxic percent'} = sprintf('%.2f', 100 * $n{toxic} / $n{kept});
	$n{comments} = $n{kept};
	return \%n;
}

# The same by Python's csv module; undef where there is no Python.
sub count_python {
	my ($path) = @_;
	local $ENV{COUNT_FILE} = $path;
	my ($rc, $out) = sh(<<'PY');
python3 - <<'END'
import csv, os, re
space = "[\t-\r \x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+"
csv.field_size_limit(1 << 30)
rows = list(csv.reader(open(os.environ["COUNT_FILE"], newline="", encoding="utf-8"), strict=True))[1:]
texts = [(re.sub(space, " ", t).strip(" "), l) for t, l in rows]
kept = {}
for t, l in texts:
    if t:
        kept.setdefault(t, l)
n = sorted(len(t) for t in kept)
def rank(p): return n[-(-len(n) * p // 100) - 1]
empty = sum(not t for t, l in texts)
toxic = sum(l == "1" for l in kept.values())
for k, v in {
    "rows": len(rows), "kept": len(kept), "comments": len(kept), "empty": empty,
    "duplicates": len(rows) - empty - len(kept), "toxic": toxic,
    "toxic percent": "%.2f" % (100 * toxic / len(kept)), "shortest": n[0],
    "median": rank(50), "90 percent up to": rank(90), "longest": n[-1]}.items():
    print(k, v, sep=",")
END
PY
	return $rc == 0 ? table($out) : undef;
}

1;
