#!/usr/bin/perl
# Man pages: they say what help says, are sound, and go where man looks for them.
use strict;
use warnings;
use File::Basename qw(basename dirname);
use File::Temp qw(tempdir);
use lib dirname(__FILE__);
use Cli;
use Test::More;

my $dir = project();
my $man = build() . '/man';
my @verbs = dag_in($dir, 'help')->{out} =~ /^  ([a-z-]+) {2,}\S/mg;
my @pages = map { s/.*\///r } glob("$man/man?/*");
is(join(' ', sort @pages), join(' ', sort 'dag.1', (map { "dag-$_.1" } @verbs), 'dag-file.5', 'dag-templates.7', 'dag-progress.7',
	'dag-protocol.7'), 'one page for each verb, and the others');

# A page without its markup, all blanks alike.
sub plain {
	my ($page) = @_;
	my $s = slurp($page) // '';
	utf8::decode($s);
	$s =~ s/^\.(?:EX|EE|PP|TP|ad.*)\n//mg;
	$s =~ s/^\.(?:SH|SS|IP|BR) ?//mg;
	$s =~ s/\\f[BIR]//g;
	$s =~ s/\\&//g;
	$s =~ s/\\-/-/g;
	$s =~ s/\\\(aq/'/g;
	$s =~ s/\\\(ga/`/g;
	$s =~ s/\\\(ha/^/g;
	$s =~ s/\\\(ti/~/g;
	$s =~ s/\\e/\\/g;
	return $s =~ s/\s+/ /gr;
}

# Every paragraph of a page of help stands in the man page.
sub same {
	my ($page, $help, $name) = @_;
	my $text = plain($page);
	my @missing;
	for my $part (split /\n(?=\n| {2}-| {2,6}--)/, $help) {
		next if $part =~ /^\s*\w[\w ]*:\s*$/;
		my $want = $part =~ s/\s+/ /gr;
		$want =~ s/^ (?:usage: |Options: |Options of every verb: |Examples: )?//;
		$want =~ s/ $//;
		push @missing, $want if index($text, $want) < 0;
	}
	is(join("\n", @missing), '', $name);
}

for my $verb (@verbs) {
	my $help = dag_in($dir, 'help', $verb)->{out};
	$help =~ s/^usage: (?<use>.*)\n//;
	my $use = $+{use};
	ok(plain("$man/man1/dag-$verb.1") =~ /SYNOPSIS" \Q$use\E "DESCRIPTION/, "dag-$verb(1) has the usage of help");
	# Each example is a line of its own there.
	my @examples = $help =~ s/\nExamples:\n(.*)//s ? split(/\n(?=  \S)/, $1) : ();
	same("$man/man1/dag-$verb.1", $help, '... and its text');
	same("$man/man1/dag-$verb.1", $_, '... and its example') for @examples;
}
my $dag = plain("$man/man1/dag.1");
ok($dag =~ /dag-$_ \(1\) /, "dag(1) names $_") for @verbs;
for my $topic (qw(projects select templates exit-codes progress)) {
	my $help = dag_in($dir, 'help', $topic)->{out} =~ s/\A.*\n\n//r;
	same("$man/man1/dag.1", $help, "... and has the topic $topic");
}

# The pages made from docs/ have every key, and nothing is left of the other markup.
my $keys = dag_in($dir, 'help', 'dag-file')->{out};
my $file = plain("$man/man5/dag-file.5");
ok($file =~ /[ .,]\Q$_\E[ .,]/, "dag-file(5) has the key $_") for $keys =~ /^  ([a-z_]+) \(/mg;
for my $page (glob("$man/man[57]/*")) {
	my $code = 0;
	my @odd = grep { $code = /^\.EX/ ? 1 : /^\.EE/ ? 0 : $code; !$code && /^#|^\||```|\]\(|\*\*\w/ } split /\n/, slurp($page);
	is("@odd", '', basename($page) . ' has no Markdown left');
}

SKIP: {
	skip 'mandoc is not installed', 1 if system('command -v mandoc >/dev/null 2>&1');
	is(`cd '$man' && mandoc -Tlint -Wwarning man?/* 2>&1 | head -20`, '', 'mandoc has nothing against them');
}
SKIP: {
	skip 'man and groff are not installed', 1 if system('command -v man >/dev/null 2>&1 && command -v groff >/dev/null 2>&1');
	is(`cd '$man' && for f in man?/*; do man --warnings -E UTF-8 -l \$f 2>&1 >/dev/null; done | head -20`, '', 'nor has man');
}

# Where things are installed.
my $prefix = tempdir('dag-inst-XXXXXX', TMPDIR => 1, CLEANUP => 1);
is(system("cmake --install '" . build() . "' --prefix '$prefix' >/dev/null"), 0, 'make install');
ok(-s "$prefix/$_", "... $_") for qw(bin/dag share/man/man1/dag.1 share/man/man1/dag-run.1 share/man/man5/dag-file.5
	share/man/man7/dag-protocol.7 share/bash-completion/completions/dag share/zsh/site-functions/_dag
	share/fish/vendor_completions.d/dag.fish);
done_testing();
