#!/usr/bin/perl
# Random rules and trees: what git says is ignored, we say, too.  DAG_SEED=N begins elsewhere,
# DAG_ROUNDS=N goes on for longer.
use strict;
use warnings;
use File::Path qw(make_path remove_tree);
use File::Temp qw(tempdir);
use IPC::Open2 qw(open2);
use Test::More;

my $tool = ($ENV{DAG_BUILD} // 'build/dev') . '/tests/ignored';
plan skip_all => 'git is not installed' unless `git --version 2>/dev/null` =~ /git version/;

my $seed = $ENV{DAG_SEED} // 1;
my $rounds = $ENV{DAG_ROUNDS} // 80;
srand($seed);
delete @ENV{grep { /^GIT_/ } keys %ENV};
$ENV{GIT_CONFIG_NOSYSTEM} = 1;
my $home = tempdir(CLEANUP => 1);
@ENV{qw(HOME XDG_CONFIG_HOME)} = ($home, "$home/.config");
my $dir = tempdir(CLEANUP => 1);
system(qw(git init -q), $dir) == 0 or BAIL_OUT('git init fails');
make_path("$dir/.git/info");

sub one { $_[rand @_] }

# Few names, so that rules meet them.
my @names = ('a', 'b', 'ab', 'a.c', 'b.c', 'abc', 'a b', 'a[b', 'x-y', '!a', '#a', 'A1', '.h', "\xc3\xa9",
	'a]', 'a*', 'c\\d', 'foo', 'foobar');

sub name_pattern {
	my $n = one(@names);
	my $kind = int rand 14;
	return $n =~ s/([\\*?\[!#])/\\$1/gr if $kind < 4;
	return '*' if $kind == 4;
	return '*' . substr($n, -1) if $kind == 5;
	return substr($n, 0, 1) . '*' if $kind == 6;
	return '?' x length($n) if $kind == 7;
	return one('[ab]', '[!a]', '[^a]', '[a-c]*', '[]a]*', '[a-]', '[[:alpha:]]', '[[:alnum:][:punct:]]*',
		'*.[a-c]', '[\\]]', '[[:upper:]]?', 'a[]-b]', 'a[[]b', '[[:bad:]]', 'a[', '[!]a]*', '[a-\\c]',
		'[--0]*', '[b-a]', '[[:space]', 'a[ ]b') if $kind == 8;
	return one('a*b*', '*a*', '?*', '*.*', '**', 'a**', '*?*', '***', '\\a', 'foo\\', 'f*r', '*o*o*') if $kind == 9;
	return $n;
}

sub rule {
	my $r = '';
	my $parts = one(1, 1, 1, 2, 2, 3);
	for (1 .. $parts) {
		$r .= '/' if $r ne '';
		$r .= int rand 7 ? name_pattern() : '**';
	}
	$r = one('', '', '/', '**/', '') . $r . one('', '', '', '/', '/**', ' ', '  ', "\t", '\\ ', '//');
	$r = '!' . $r unless int rand 3;
	$r = one('#', ' ', '\\', '!', "\xef\xbb\xbf") . $r unless int rand 25;
	return $r;
}

# Text right beside two stars: until 2.40 git compares addresses there that have nothing to do
# with each other.
sub chancy { $_[0] =~ m{[^/*]\*\*|\*\*[^/*]|\*\*\*} && $_[0] =~ m{/.} }

sub rules {
	my $text = '';
	for (1 .. 1 + int rand 8) {
		my $r = rule();
		$text .= $r . one("\n", "\n", "\n", "\r\n", "\n\n") unless chancy($r);
	}
	chomp $text unless int rand 5;
	return $text;
}

sub spew {
	my ($path, $text) = @_;
	open(my $f, '>:raw', $path) or die "$path: $!";
	print $f $text;
	close($f) or die "$path: $!";
}

# Make a tree; return its paths, a slash behind directories.
sub grow {
	my ($below, $depth) = @_;
	my (@paths, %seen);
	for (1 .. 2 + int rand 5) {
		my $n = one(@names);
		next if $seen{$n}++;
		if ($depth < 3 && int rand 2) {
			mkdir "$dir/$below$n" or die "$below$n: $!";
			push @paths, "$below$n/", grow("$below$n/", $depth + 1);
		} else {
			spew("$dir/$below$n", '');
			push @paths, "$below$n";
		}
	}
	return @paths;
}

sub ask {
	my ($in, @cmd) = @_;
	my $list = "$home/list";
	spew($list, $in);
	my $pid = open(my $f, '-|') // die "fork: $!";
	if ($pid == 0) {
		open(STDIN, '<', $list) or die $!;
		exec(@cmd) or die "$cmd[0]: $!";
	}
	binmode $f;
	local $/;
	my $out = <$f> // '';
	close($f);
	return ($out, $?);
}

my ($asked, $ignored) = (0, 0);
ROUND: for my $round (1 .. $rounds) {
	opendir(my $d, $dir) or die;
	for (readdir $d) {
		remove_tree("$dir/$_") unless /^\.(?:\.|git)?\z/;
	}
	my @paths = grow('', 0);
	my %files;
	for my $where ('', grep { m{/\z} && !int rand 3 } @paths) {
		$files{"$where.gitignore"} = rules();
	}
	$files{'.git/info/exclude'} = int rand 3 ? '' : rules();
	spew("$dir/$_", $files{$_}) for keys %files;
	# git wants no slash behind a link to nothing, and sees for itself what is a directory.
	my ($git, $status) = ask(join('', map { s{/\z}{}r . "\0" } @paths),
		'git', '-C', $dir, qw(check-ignore -z --stdin --no-index));
	my %want = map { $_ => 1 } split /\0/, $git;
	my ($ours, $rc) = ask(join('', map { "$_\0" } @paths), $tool, 'git', $dir, "$dir/.git/info/exclude");
	$rc == 0 or BAIL_OUT("the tool fails");
	my @got = split /\n/, $ours;
	for my $i (0 .. $#paths) {
		my $p = $paths[$i] =~ s{/\z}{}r;
		my $w = $want{$p} ? 1 : 0;
		$asked++;
		$ignored += $w;
		next if $got[$i] == $w;
		fail("seed $seed, round $round: $paths[$i]");
		diag("git says $w, we say $got[$i]");
		diag(`git -C '$dir' check-ignore --no-index -v -n '$p'`);
		for (sort keys %files) {
			diag("--- $_\n$files{$_}") if $files{$_} ne '';
		}
		last ROUND;
	}
}
cmp_ok($asked, '>', 10 * $rounds, "$asked paths were asked about");
cmp_ok($ignored, '>', $asked / 10, "$ignored of them are ignored");
cmp_ok($ignored, '<', $asked * 9 / 10, 'and others are not');
done_testing();
