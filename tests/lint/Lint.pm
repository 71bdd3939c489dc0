# What the lint tests share: the list of the project's files, and C text without its comments
# and strings.
package Lint;
use strict;
use warnings;
use Cwd qw(abs_path);
use Exporter qw(import);
use File::Basename qw(dirname);
use File::Find;

our @EXPORT = qw(root files slurp bare none);

my $root = $ENV{DAG_SOURCE} // abs_path(dirname(__FILE__) . '/../..');

sub root { $root }

# All files that are or will be under version control, relative to the root, sorted.  Without
# git: all but those in build directories.
sub files {
	my ($re) = @_;
	my @f;
	if (-e "$root/.git") {
		open(my $git, '-|', 'git', '-C', $root, '-c', 'core.quotePath=false',
			'-c', "safe.directory=$root", 'ls-files', '-co', '--exclude-standard')
			or die "git: $!";
		chomp(@f = <$git>);
		close($git);
	}
	if (!@f) {
		find({ no_chdir => 1, wanted => sub {
			my $p = substr($_, length($root));
			$p =~ s{^/}{};
			if ($p =~ m{^(build[^/]*|\.git|\.dag)$}) {
				$File::Find::prune = 1;
			} elsif (-f) {
				push @f, $p;
			}
		} }, $root);
	}
	return grep { $_ =~ $re && -f "$root/$_" } sort @f;
}

sub slurp {
	my ($p) = @_;
	open(my $f, '<:raw', "$root/$p") or die "$p: $!";
	local $/;
	my $s = <$f>;
	return $s // '';
}

# C text with every character of comments, strings and characters but newlines blanked, so
# that line numbers and columns stay; an #include keeps its name.
sub bare {
	my ($s) = @_;
	$s =~ s{
		(^\#[ \t]*include[^\n]*)
		| ( /\*.*?\*/ | //[^\n]* | "(?:\\.|[^"\\\n])*" | '(?:\\.|[^'\\\n])*' )
	}{ defined $1 ? $1 : do { my $c = $2; $c =~ s/[^\n]/ /g; $c } }gsexm;
	return $s;
}

# One TAP line: ok if there are no findings, which are printed otherwise.
sub none {
	my ($name, @found) = @_;
	Test::More::ok(!@found, $name) or Test::More::diag(join("\n", @found));
}

1;
