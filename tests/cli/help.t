#!/usr/bin/perl
# Help: every page, its width, docs/cli.md.
use strict;
use warnings;
use File::Basename qw(dirname);
use lib dirname(__FILE__);
use Cli;
use Test::More;

my $dir = project();

my $all = ok_dag(0, 'dag help', $dir, 'help');
golden('help.txt', $all->{out});
is($all->{err}, '', 'it says nothing on stderr');
is(ok_dag(0, 'dag --help', $dir, '--help')->{out}, $all->{out}, '--help is the same');
is(ok_dag(0, 'dag -h', $dir, '-h')->{out}, $all->{out}, '-h is the same');

my @verbs = $all->{out} =~ /^  ([a-z-]+) {2,}\S/mg;
cmp_ok(scalar @verbs, '>=', 14, 'there are verbs');
my ($pages) = $all->{out} =~ /Other pages: (.*)\.\n\z/s;
my @topics = split /,\s+/, $pages // '';
cmp_ok(scalar @topics, '>=', 6, 'there are topics');
my $types = ok_dag(0, 'dag help types', $dir, 'help', 'types')->{out};
my @types = ($types =~ /^  (\w+) {2,}\S/mg, $types =~ /until then:\s+(.*?)\n\n/s ? split(' ', $1) : ());
ok((grep { $_ eq 'shell' } @types), 'shell is a type');
ok((grep { $_ eq 'train' } @types), 'and train is one, later');

for my $page (@verbs, @topics, @types) {
	my $p = dag_in($dir, 'help', $page);
	my @wide = grep { length > 80 } split /\n/, $p->{out};
	is($p->{rc}, 0, "dag help $page") or diag($p->{err});
	is("@wide", '', '... has no line above 80 columns');
	unlike($p->{out}, qr/[ \t]$/m, '... and no blanks at the end of one');
	unlike($p->{out}, qr/\n\n\n|\n\n\z/, '... and no two empty lines together');
}
for my $verb (@verbs) {
	my $page = dag_in($dir, 'help', $verb)->{out};
	is(dag_in($dir, $verb, '--help')->{out}, $page, "dag $verb --help is that page");
	is(dag_in($dir, $verb, 'x', '-h')->{out}, $page, "dag $verb x -h too");
	like($page, qr/\Ausage: dag \Q$verb\E\b/, '... and starts with usage');
}
golden('help_run.txt', dag_in($dir, 'help', 'run')->{out});
golden('help_shell.txt', dag_in($dir, 'help', 'shell')->{out});

# Keys of DAG files, wherever they may stand.
my $key = ok_dag(0, 'a key', $dir, 'help', 'timeout')->{out};
like($key, qr/\AOf the file:\n\n  timeout \(a duration.*^Of a task:\n\n  timeout \(a duration/ms, 'is told of both places');
like(ok_dag(0, "a type's own key", $dir, 'help', 'until')->{out}, qr/\AOf a task of type wait:\n\n  until /, 'of its type');
usage($dir, "there is no help on 'retires' (did you mean 'retries'?)", 'help', 'retires');
like(ok_dag(0, "dag help type:$_", $dir, 'help', "type:$_")->{out}, qr/\Atype: $_ - .*^Its own keys:\n\n  targets /ms, '... is the type, not the verb') for 'push', 'pull';
like((dag($dir, 'help', 'xyzzy'))[2], qr/^dag: try 'dag help'$/m, 'the list of all pages');
usage($dir, "there is no help on 'shel' (did you mean 'shell'?)", 'help', 'shel');
usage($dir, "there is no help on 'xyzzy'", 'help', 'xyzzy');

like(ok_dag(0, 'dag version', $dir, 'version')->{out}, qr/\Adag \d+\.\d+\.\d+\n\z/, 'the version');
is(ok_dag(0, 'dag --version', $dir, '--version')->{out}, dag_in($dir, 'version')->{out}, '--version');
like(ok_dag(0, 'as JSON', $dir, 'version', '--json')->{out}, qr/"version": "\d+\.\d+\.\d+"/, '... JSON');

my $docs = ok_dag(0, 'the manual', $dir, 'help', '--markdown')->{out};
my $path = source() . '/docs/cli.md';
spew($path, $docs) if ($ENV{DAG_GOLDEN} // '') eq 'update';
is($docs, slurp($path), 'docs/cli.md is what the tables say (DAG_GOLDEN=update makes it anew)');
done_testing();
