#!/usr/bin/perl
# Outputs are deleted before an attempt: none may be what somebody still needs.
use strict;
use warnings;
use File::Basename qw(dirname);
use File::Path qw(make_path);
use lib dirname(__FILE__);
use Cli;
use Test::More;

# All that lies in a directory: path => text, link or "/"; but what dag keeps.
sub tree {
	my ($dir, $below) = @_;
	my %all;
	for my $path (glob("'$dir'/* '$dir'/.[!.]*")) {
		my $rel = (defined $below ? "$below/" : '') . $path =~ s/.*\///r;
		next if $rel eq '.dag';
		if (-l $path) { $all{$rel} = '-> ' . readlink $path; }
		elsif (-d $path) { $all{$rel} = '/'; %all = (%all, %{tree($path, $rel)}); }
		else { $all{$rel} = slurp($path); }
	}
	return \%all;
}

sub yaml {
	my ($outputs, $more) = @_;
	return "params: {p: {type: string, default: fine}}\ntasks:\n  a:\n    run: touch ran\n    outputs: [$outputs]\n"
		. ($more // '');
}

my %sources = ('src/main.c' => "int x;\n", 'dags/other.yaml' => "tasks: {o: {run: x}}\n", '.git/HEAD' => "ref\n",
	'.dvc/config' => "[core]\n", 'data/keep.csv' => "1,2\n");

# `dag run` refuses that output at its place: nothing is deleted, made or run.
sub refused {
	my ($name, $outputs, $want, @args) = @_;
	my $dir = project(%sources, 'dags/f.yaml' => yaml($outputs));
	my $before = tree($dir);
	my $p = dag_in($dir, 'run', 'dags/f.yaml', '--progress', 'plain', @args);
	is($p->{rc}, 2, "$name: status 2") or diag("$p->{out}$p->{err}");
	like($p->{err}, $want, "$name: is said");
	is($p->{out}, '', "$name: nothing on stdout");
	is_deeply(tree($dir), $before, "$name: nothing has changed");
	ok(!-e "$dir/.dag/dag.db", "$name: no database was made");
	return $p;
}

subtest 'refused as it is written' => sub {
	my $at = 'dags\/f\.yaml:5:15: error: ';
	refused("above", '../x', qr/^${at}the output '\.\.\/x' lies outside the project$/m);
	refused("above by a detour", 'a/../../x', qr/^${at}the output 'a\/\.\.\/\.\.\/x' lies outside/m);
	refused("absolute", '/tmp/x', qr/^${at}the output '\/tmp\/x' lies outside.*relative to the project's root/ms);
	refused("the root", '.', qr/^${at}the output '\.' is the project itself/m);
	refused("the root by a detour", 'a/..', qr/^${at}the output 'a\/\.\.' is the project itself/m);
	refused("empty", '""', qr/^${at}a path cannot be empty/m);
	refused(".git", '.git', qr/^${at}the output '\.git' lies in \.git/m);
	refused("in .git", '.git/hooks/x', qr/lies in \.git/);
	refused("in .git of a folder", 'sub/.git/x', qr/\.git/);
	refused(".dag", '.dag', qr/lies in \.dag/);
	refused("in .dag", './.dag/runs', qr/lies in \.dag/);
	refused(".dvc", '.dvc', qr/lies in \.dvc/);
	refused("the DAG file", 'dags/f.yaml', qr/^${at}the output 'dags\/f\.yaml' is this DAG file$/m);
	refused("by a detour", 'src/../dags/./f.yaml', qr/is this DAG file/);
	refused("what holds it", 'dags', qr/^${at}the output 'dags' holds this DAG file/m);
	refused("with a slash", 'dags/', qr/holds this DAG file/);
	refused("a glob", '"data/*.csv"', qr/^${at}an output names one file or directory, no glob/m);
	refused("home", '~/x', qr/^${at}'~' is not your home/m);
	refused("NUL", '"a\\0b"', qr/^${at}.*(?:NUL|control)/m);
	refused("a line break", '"a\\nb"', qr/^${at}.*(?:line break|control)/m);
	refused("4,096 bytes", 'x/' x 2048 . 'y', qr/the path has 4097 bytes; at most 4095/);
	refused("a mapping", '{a: b}', qr/^${at}`outputs` takes paths, not a mapping/m);
	refused("twice", 'x, x', qr/^dags\/f\.yaml:5:18: error: the output 'x' is named twice$/m);
	refused("one in another", 'x, x/y', qr/^dags\/f\.yaml:5:18: error: the output 'x\/y' lies in another output/m);
};

subtest 'another DAG file' => sub {
	my $other = "tasks:\n  t: {run: 'true'}\n";
	my $try = sub {
		my ($rc, $name, $file, $output, $text, @args) = @_;
		my $dir = project($file => $text,
			'dags/f.yaml' => "params: {p: {default: dags}$args[0]}\ntasks:\n  a: {run: 'true', outputs: ['$output']}\n");
		for my $verb ('check', 'run') {
			next if $verb eq 'run' && $rc == 0;
			my $p = ok_dag($rc, "$verb: $name", $dir, $verb, 'dags/f.yaml', $verb eq 'run' && $args[0] ? ('-p', 'q=1') : ());
			like($p->{err}, qr/^dags\/f\.yaml:3:30: error: the output '\Q$file\E' is a DAG file$/m, '... why') if $rc != 0;
			is(slurp("$dir/$file"), $text, '... and it is still there');
		}
	};
	$try->(2, 'in dags/', 'dags/other.yaml', 'dags/other.yaml', $other, '');
	$try->(2, 'in a folder, by a detour', 'dags/x/other.yml', 'x/../dags/x/other.yml', $other, '');
	$try->(2, 'in the root', 'other.yaml', 'other.yaml', $other, '');
	$try->(2, 'as it is rendered', 'dags/other.yaml', '{{ params.p }}/other.yaml', $other, '');
	$try->(2, 'with a param that is required', 'dags/other.yaml', 'dags/other.yaml', $other, ', q: {required: true}');
	$try->(0, 'YAML that is no DAG', 'dags/data.yaml', 'dags/data.yaml', "a: 1\n", '');
	$try->(0, 'what only looks like one elsewhere', 'out/x.yaml', 'out/x.yaml', $other, '');
};

subtest 'refused as it is rendered' => sub {
	my $at = 'dags\/f\.yaml:5:1\d: error: ';
	my @cases = (
		['above', '../../etc', qr/^${at}the path '\.\.\/\.\.\/etc\/o' lies outside the project$/m],
		['absolute', '/etc', qr/^${at}the path '\/etc\/o' lies outside the project$/m],
		['.git', '.git', qr/^${at}the path '\.git\/o' lies in a directory of git, dvc or dag$/m],
		['.dag', 'x/../.dag', qr/^${at}.*lies in a directory of git, dvc or dag$/m],
		['a glob', 'a*', qr/^${at}the path 'a\*\/o' has the characters of a glob$/m],
		['home', '~', qr/^${at}the path '~\/o' begins with '~'/m],
		['a line break', "a\nb", qr/^${at}the path 'a\\nb\/o' has line breaks or control characters$/m],
		['5,000 bytes', 'x' x 5000, qr/^${at}the path 'x{48}\.\.\.' has more than 4095 bytes$/m],
		['a way out', '/etc', qr/\^~+ outputs are deleted before each attempt: make it another/],
		['another way out', "a\eb", qr/'a\\x1bb\/o' .*\n.*\n.*\^~+ give the values in it other texts/],
	);
	refused($_->[0], "'{{ params.p }}/o'", $_->[2], '-p', "p=$_->[1]") for @cases;
	refused('the root', "'{{ params.p }}'", qr/^${at}the path '\.' is the project itself$/m, '-p', 'p=.');
	refused('the DAG file', "'{{ params.p }}'", qr/^${at}.*is or holds the DAG file$/m, '-p', 'p=dags');
	refused('nothing', "'{{ params.p }}'", qr/^${at}.*is empty$/m, '-p', 'p=');
	refused('one in another', "'{{ params.p }}', x/y", qr/^dags\/f\.yaml:5:33: error: .*another output/m, '-p', 'p=x');
};

subtest 'two tasks, one output' => sub {
	for my $pair (['out', 'out'], ['out', './out'], ['out', 'out/x'], ['a/../out', 'out']) {
		my $dir = project('f.yaml' => "tasks:\n  a: {run: x, outputs: [$pair->[0]]}\n  b: {run: y, outputs: [$pair->[1]]}\n");
		my $p = ok_dag(2, "'$pair->[0]' and '$pair->[1]'", $dir, 'run', 'f.yaml');
		like($p->{err}, qr/^f\.yaml:[23]:25: error: the output .*task '[ab]'/m, '... is said of one');
		like($p->{err}, qr/^f\.yaml:[23]:25: note: the other one is here$/m, '... with the place of the other');
		ok(!-e "$dir/.dag/dag.db", '... and nothing is made');
	}
};

# What only the file system can tell is refused by the attempt.
sub fails {
	my ($name, $dir, $want) = @_;
	my $before = tree($dir);
	my $p = dag_in($dir, 'run', 'f.yaml', '--progress', 'plain');
	is($p->{rc}, 1, "$name: status 1") or diag("$p->{out}$p->{err}");
	like($p->{out}, $want, "$name: is said");
	my $after = tree($dir);
	# Locks leave their files behind, as DVC's do, with nothing locked any more.
	is($after->{'.dvc/tmp/rwlock'} // '{}', '{}', "$name: nothing stays locked");
	delete $after->{$_} for '.dvc/tmp', map { ".dvc/tmp/$_" } qw(lock rwlock rwlock.lock);
	is_deeply($after, $before, "$name: nothing has changed");
}

subtest 'directories' => sub {
	my $dir = project(%sources, 'f.yaml' => "tasks:\n  a: {run: touch ran, outputs: [data]}\n");
	fails('made by nobody', $dir, qr/^  a: .*`data`.*(?:no run|did not make|not made).*$/m);
	is(slurp("$dir/data/keep.csv"), "1,2\n", 'what is in it is safe');
	ok(!-e "$dir/ran", 'the task did not run');

	# An empty one holds nothing to lose, but who knows: at least what a task makes is its own.
	spew("$dir/f.yaml", "tasks:\n  a: {run: 'mkdir made; date +%N > made/x', outputs: [made]}\n");
	ok_dag(0, 'what a task has made', $dir, 'run', 'f.yaml', '--progress', 'none');
	my $first = slurp("$dir/made/x");
	ok_dag(0, 'it may make again', $dir, 'run', 'f.yaml', '--force', '--progress', 'none');
	isnt(slurp("$dir/made/x"), $first, '... and did');
};

subtest 'links' => sub {
	my $away = project('precious/file' => "gold\n");
	my $out = sub {
		my ($link, $output) = @_;
		my $dir = project('f.yaml' => "tasks:\n  a: {run: 'touch ran', outputs: ['$output']}\n");
		symlink($link, "$dir/link") or die;
		return $dir;
	};
	fails('through a link to a directory outside', $out->("$away/precious", 'link/file'), qr/^  a: .*link/m);
	fails('through a link upwards', $out->('../' . ($away =~ s/.*\///r) . '/precious', 'link/file'), qr/^  a: .*link/m);
	is(slurp("$away/precious/file"), "gold\n", 'what is there is safe');

	# A link at the end is removed, not followed.
	my $dir = $out->("$away/precious/file", 'link');
	spew("$dir/f.yaml", "tasks:\n  a: {run: 'echo new > link', outputs: [link]}\n");
	ok_dag(0, 'a link at the end', $dir, 'run', 'f.yaml', '--progress', 'none');
	ok(!-l "$dir/link" && slurp("$dir/link") eq "new\n", 'is replaced by the output');
	is(slurp("$away/precious/file"), "gold\n", 'what it led to is safe');
	$dir = $out->("$away/precious", 'link');
	spew("$dir/f.yaml", "tasks:\n  a: {run: 'mkdir link; echo new > link/file', outputs: [link]}\n");
	ok_dag(0, 'a link to a directory at the end', $dir, 'run', 'f.yaml', '--progress', 'none');
	is(slurp("$away/precious/file"), "gold\n", 'is not followed either');

	# A task that makes links, or other odd things, of its output.
	for my $how (["ln -s $away/precious/file o", qr/success/], ['mkfifo o', qr/pipe|fifo|regular|kind/],
		["mkdir o; ln -s $away o/l", qr/success/], ['mkdir o; mkfifo o/p', qr/pipe|fifo|regular|kind/]) {
		$dir = project('f.yaml' => "tasks:\n  a: {run: '$how->[0]', outputs: [o]}\n  b: {run: touch ran, needs: [a]}\n");
		my $p = dag_in($dir, 'run', 'f.yaml', '--progress', 'plain');
		note("$how->[0]: $p->{rc} ", $p->{out} =~ /^  a: (.*)$/m ? $1 : 'went well');
		like($p->{out}, $how->[1], "an output by $how->[0]");
		ok(-e "$away/precious/file", '... harms nobody');
	}
};
done_testing();
