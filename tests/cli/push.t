#!/usr/bin/perl
# dag push, fetch, pull: what goes where, cut anywhere, and what is damaged on either side.
use strict;
use warnings;
use Cwd qw(abs_path);
use Digest::MD5 qw(md5_hex);
use File::Basename qw(dirname);
use File::Path qw(make_path remove_tree);
use File::Temp qw(tempdir);
use lib dirname(__FILE__);
use Cli qw(:DEFAULT home git object);
use Test::More;

my $base = -w '/dev/shm' ? '/dev/shm' : undef;
my $top = abs_path(tempdir('dag-push-XXXXXX', defined $base ? (DIR => $base) : (TMPDIR => 1), CLEANUP => 1));
my ($r, $c, $rem) = ("$top/r", "$top/c", "$top/rem");
home($top);
make_path($r);


# All files below a directory, with what is in them.
sub files {
	my ($dir, $at, $out) = (@_, '', {});
	opendir(my $d, "$dir/$at") or return $out;
	for my $name (grep { !/^\.\.?$/ } readdir $d) {
		my $path = $at eq '' ? $name : "$at/$name";
		-d "$dir/$path" ? files($dir, $path, $out) : ($out->{$path} = slurp("$dir/$path"));
	}
	return $out;
}

# Every object of a store is what its name says, and no list lacks a file.
sub whole {
	my ($store) = @_;
	my $all = files("$store/files/md5");
	my $n = 0;
	for my $name (grep { !/\.tmp$/ } keys %$all) {
		my ($hex) = $name =~ m{^(../[0-9a-f]{30})(?:\.dir)?$} or return "a stray '$name'";
		$hex =~ s{/}{};
		return "'$name' is not what it says" if md5_hex($all->{$name}) ne $hex;
		next unless $name =~ /\.dir$/;
		for ($all->{$name} =~ /"md5": "([0-9a-f]{32})"/g) {
			return "'$name' lacks $_" unless defined $all->{substr($_, 0, 2) . '/' . substr($_, 2)};
			$n++;
		}
	}
	return "whole, $n in lists";
}

# A repository and a clone of it.
spew("$r/$_->[0]", $_->[1]) for ['a', "1\n"], ['d/x', "2\n"], ['d/s/y', "3\n"], ['d/zero', ''];
git($r, qw(init -q -b main));
ok_dag(0, 'add', $r, 'add', '-q', 'a', 'd');
like(ok_dag(2, 'push without a remote', $r, 'push')->{err}, qr/no remote is set: .*remote add/, '... says how to have one');
ok_dag(0, 'remote', $r, 'remote', 'add', '-q', '-d', 'r', '../rem');
is(ok_dag(0, 'status --cloud', $r, 'status', '-c')->{out},
	join('', map { "\tnew:                $_\n" } 'a', 'd', 'd/s/y', 'd/x', 'd/zero'), '... all is new');
is(ok_dag(0, '... as JSON', "$r/d", 'status', '-c', '--json', '../a')->{out}, "{\n  \"../a\": \"new\"\n}\n", '... of one, from below');
is(ok_dag(1, '... quietly', $r, 'status', '-c', '-q')->{out}, '', '... exit 1');
usage($r, '--remote, --all-branches, --all-tags and --all-commits go with --cloud (--remote also with --not-in-remote)', 'status', '-r', 'r');
my $p = ok_dag(0, 'push', $r, 'push');
is($p->{out}, "5 files pushed\n", '... says how many');
is($p->{err}, "dag: made '$rem' for the remote 'r'\n", '... and that there was no such directory');
is(whole($rem), 'whole, 3 in lists', 'the remote has it');
is(sprintf('%04o', (stat object($rem, md5_hex("1\n")))[2] & 07777), '0444', '... read-only');
is(ok_dag(0, 'again', $r, 'push')->{out}, "Everything is up to date.\n", '... nothing to do');
is(ok_dag(0, 'status --cloud', $r, 'status', '-c')->{out}, "Cache and remote 'r' are in sync.\n", '... in sync');
is(ok_dag(0, '... as JSON', $r, 'status', '-c', '--json')->{out}, "{}\n", '... nothing');
is(ok_dag(0, '... quietly', $r, 'status', '-c', '-q')->{out}, '', '... exit 0');
is(ok_dag(0, '--glob', $r, 'push', '--glob', '*')->{out}, "Everything is up to date.\n", '... means them too');
is(ok_dag(0, 'quietly', $r, 'push', '-q')->{out}, '', '... not a word');
# status --data --not-in-remote: by what its directory lacks, not by its list.
sub lacking {
	my ($args, @paths) = @_;
	my $want = @paths ? qq({\n  "not_in_remote": [\n) . join(",\n", map { qq(    "$_") } @paths) . "\n  ]\n}\n" : "{}\n";
	my $got = ok_dag(0, "status --not-in-remote @$args", $r, 'status', '--json', '--not-in-remote', @$args)->{out};
	$got =~ s/,\n  "committed": .*/\n}\n/s;
	$got =~ s/^  "committed": .*/}\n/ms;
	is($got =~ s/\{\n\}/{}/r, $want, '... says what it lacks');
}
lacking(['--data']);
my $far = object($rem, md5_hex("2\n"));
rename $far, "$top/x" or die;
lacking(['--data'], 'd/');
lacking(['--granular'], 'd/', 'd/x');
lacking(['--granular', 'd/x'], 'd/x');
lacking(['--granular', 'd/s', 'a', 'nothing']);
rename "$top/x", $far or die;
spew("$r/new", 'new');
ok_dag(0, 'add', $r, qw(add -q new));
lacking(['--data'], 'new');
like(ok_dag(0, 'for people', $r, qw(status --data --not-in-remote new))->{out}, qr/^Not in remote:\n  \('dag push PATH' sends it\)\n        new\n/, '... with the way on');
ok_dag(0, 'another', $r, qw(remote add -q two), "$top/two");
lacking(['--data', '-r', 'two'], 'a', 'd/', 'new');
ok_dag(1, 'quietly', $r, qw(status --data --not-in-remote -q));
ok_dag(0, 'push', $r, qw(push -q));
lacking(['--data']);
like(ok_dag(2, 'an unknown remote', $r, qw(status --data --not-in-remote -r no))->{err}, qr/'no'/, '... is named');
usage($r, '--unchanged, --untracked-files and --not-in-remote go with --data or --granular', qw(status --not-in-remote));
usage($r, '--cloud does not go with --data or --granular', qw(status --cloud --not-in-remote));
unlink "$r/new", "$r/new.dvc", object("$r/.dag/cache", md5_hex('new')), object($rem, md5_hex('new'));
spew("$r/.gitignore", slurp("$r/.gitignore") =~ s{^/new\n}{}mr);
ok_dag(0, 'no more', $r, qw(remote remove -q two));
git($r, qw(add -A));
git($r, qw(commit -qm 1));
git($top, 'clone', '-q', $r, $c);
is(ok_dag(0, 'status --cloud of a clone', $c, 'status', '-c', 'a')->{out}, "\tdeleted:            a\n", '... has it there only');
is(ok_dag(0, 'fetch one file of a directory', $c, 'fetch', 'd/x')->{out}, "2 files fetched\n", '... it and the list');
is(ok_dag(0, 'fetch', $c, 'fetch')->{out}, "3 files fetched\n", '... the rest');
ok(!-e "$c/a", '... the work tree is as it was');
is(ok_dag(0, 'pull', $c, 'pull')->{out}, "Everything is up to date.\nA\td/\nA\ta\n", '... checks out');
is_deeply(files("$c/d"), files("$r/d"), '... all of it');
is(ok_dag(0, 'pull again', $c, 'pull')->{out}, "Everything is up to date.\n", '... nothing to do');
like(ok_dag(2, 'an unknown target', $c, 'pull', 'nope')->{err}, qr/'nope' names nothing that is tracked/, '... is named');
like(ok_dag(2, 'an unknown remote', $c, 'push', '-r', 'nope')->{err}, qr/no remote 'nope'; there are: r/, '... is named');

# Branches, tags and commits.
git($r, qw(switch -qc other));
spew("$r/a", "other\n");
ok_dag(0, '', $r, 'add', '-q', 'a');
git($r, qw(commit -qam 2));
git($r, qw(tag v1));
spew("$r/a", "third\n");
ok_dag(0, '', $r, 'add', '-q', 'a');
git($r, qw(commit -qam 3));
git($r, qw(switch -q main));
is(ok_dag(0, 'of this branch', $r, 'push')->{out}, "Everything is up to date.\n", '... there is nothing new');
is(ok_dag(0, 'of all branches, one path', $r, 'push', '-a', 'd')->{out}, "Everything is up to date.\n", '... neither');
is(ok_dag(0, 'of all branches', $r, 'push', '-a')->{out}, "1 file pushed\n", '... there is');
is(ok_dag(0, 'of tags', $r, 'push', '-T')->{out}, "1 file pushed\n", '... and there');
is(ok_dag(0, 'of all commits', $r, 'push', '-A')->{out}, "Everything is up to date.\n", '... that was all');
git($c, qw(fetch -q origin other:other));
is(ok_dag(0, 'fetch all commits', $c, 'fetch', '-A')->{out}, "2 files fetched\n", '... as well');

# A remote that has a list without its files, as DVC may leave it.
unlink object($rem, md5_hex("2\n")), object($rem, md5_hex("3\n"));
like(whole($rem), qr/lacks/, 'a remote without files of a list');
is(ok_dag(0, 'status --cloud', $r, 'status', '-c')->{out}, "\tnew:                d/s/y\n\tnew:                d/x\n", '... knows it');
is(ok_dag(0, 'push', $r, 'push')->{out}, "2 files pushed\n", '... sends them');
like(whole($rem), qr/^whole/, '... and it is whole');

# Damage on the remote: named, not taken, left as it is; the rest comes.
my $bad = object($rem, md5_hex("2\n"));
chmod 0644, $bad;
spew($bad, "bad\n");
remove_tree("$c/.dag/cache", "$c/d");
unlink "$c/a";
$p = ok_dag(1, 'pull of what is damaged', $c, 'pull');
like($p->{err}, qr/^dag: error: d\/x: '\Q$bad\E' is damaged, and was not taken/m, '... is named with its path');
is(slurp($bad), "bad\n", "... the remote's copy is as it was");
is(whole("$c/.dag/cache"), "'@{[whole_list($c)]}' lacks @{[md5_hex(qq(2\n))]}", '... it is not in the cache');
is(slurp("$c/a"), "1\n", '... other data came');
ok(!-e "$c/d", '... what needs it did not');
is(ok_dag(0, 'push sees only names', $r, 'push')->{out}, "Everything is up to date.\n", '... as it says');
$p = ok_dag(0, 'push --verify', $r, 'push', '--verify');
like($p->{err}, qr/\Q$bad\E/, '... names it');
is(slurp($bad), "2\n", '... and replaces it');
ok_dag(0, 'pull again', $c, 'pull');
is_deeply(files("$c/d"), files("$r/d"), '... all is there');

sub whole_list { my ($dir) = @_; my ($id) = slurp("$dir/d.dvc") =~ /md5: (\w+)\.dir/; return substr($id, 0, 2) . '/' . substr($id, 2) . '.dir' }

# Damage in the cache: named, and never sent.
spew("$r/new", "new\n");
ok_dag(0, '', $r, 'add', '-q', 'new');
my $mine = object("$r/.dag/cache", md5_hex("new\n"));
chmod 0644, $mine;
spew($mine, "hurt\n");
$p = ok_dag(1, 'push of what is damaged', $r, 'push');
like($p->{err}, qr/\Q$mine\E/, '... is named with its path');
ok(!-e object($rem, md5_hex("new\n")), '... and did not arrive');
chmod 0644, $mine;
spew($mine, "new\n");
ok_dag(0, 'push of what is right', $r, 'push');
spew($mine, "hurt\n");
is(ok_dag(0, 'fetch sees only names', $r, 'fetch')->{out}, "Everything is up to date.\n", '... as it says');
$p = ok_dag(0, 'fetch --verify', $r, 'fetch', '--verify');
like($p->{err}, qr/\Q$mine\E/, '... names it');
is(slurp($mine), "new\n", '... and replaces it');
unlink object($rem, md5_hex("new\n"));
unlink $mine;
$p = ok_dag(1, 'push of what is nowhere', $r, 'push');
like($p->{err}, qr/^dag: error: new: .*neither in the cache nor on the remote/m, '... is named');
unlink "$r/new.dvc", "$r/new";

# Work that is not in the cache is not overwritten by pull.
spew("$c/a", "mine\n");
$p = ok_dag(1, 'pull over work', $c, 'pull');
is(slurp("$c/a"), "mine\n", '... leaves it');
ok_dag(0, 'pull --force', $c, 'pull', '--force');
is(slurp("$c/a"), "1\n", '... does not');

# 2,001 files, cut anywhere; then once more, and into a fresh clone.
for my $i (1 .. 2000) {
	spew(sprintf('%s/big/%02d/%04d', $r, $i % 20, $i), "file $i\n" x ($i % 40 + 1));
}
ok_dag(0, 'add 2,001 files', $r, 'add', '-q', 'big', 'a');
git($r, qw(add -A));
git($r, qw(commit -qm big));
my $want = files("$r/big");
my $start = time;
remove_tree($rem);
ok_dag(0, 'push once', $r, 'push', '-q', 'big', 'a');
my @cuts = (
	(map { ['moment', $_] } 1 .. 7),
	['object-temp', 1], ['object-temp', 900], ['object-written', 1999], ['objects-synced', 1],
	['object-named', 1], ['object-named', 1200], ['object-named', 2000], ['objects-durable', 1]);
my $cut = 0;
is(scalar(keys %$want) + 1 . ' files, ' . @cuts . ' cuts', '2001 files, 15 cuts', 'as many as were measured with DVC');
srand(20260101);
for (@cuts) {
	my ($where, $n) = @$_;
	my $q;
	remove_tree($rem, $c);
	if ($where eq 'moment') {
		my $run = start($r, 'push', '-q', 'big', 'a');
		select(undef, undef, undef, 0.02 + rand(0.5));
		kill 'KILL', $run->{pid};
		$q = finish($run);
	} else {
		local $ENV{DAG_FAULT} = "$where:$n";
		$q = dag_in($r, 'push', '-q', 'big', 'a');
	}
	$cut++ if $q->{rc} != 0;
	my $state = -d $rem ? whole($rem) : 'whole, 0';
	like($state, qr/^whole/, "cut at $where $n: no list without its files, nothing wrong");
	ok_dag(0, '... pushed again', $r, 'push', '-q', 'big', 'a');
	git($top, 'clone', '-q', $r, $c);
	ok_dag(0, '... pulled in a fresh clone', $c, 'pull', '-q', 'big', 'a');
	is_deeply(files("$c/big"), $want, '... whole');
}
cmp_ok($cut, '>=', 8, 'most of the cuts did cut') or diag("$cut");

# A fetch that is cut.
for (['object-temp', 700], ['objects-synced', 1], ['object-named', 1100], ['objects-durable', 1]) {
	my ($where, $n) = @$_;
	remove_tree("$c/.dag/cache");
	local $ENV{DAG_FAULT} = "$where:$n";
	my $q = dag_in($c, 'fetch', '-q', 'big');
	isnt($q->{rc}, 0, "fetch cut at $where $n");
	delete local $ENV{DAG_FAULT};
	my @wrong = grep { !/\.tmp$/ } grep { my $hex = $_ =~ s{^files/md5/|/|\.dir$}{}gr; $hex ne md5_hex(slurp("$c/.dag/cache/$_")) && !/\.tmp$/ } keys %{files("$c/.dag/cache")};
	is("@wrong", '', '... nothing wrong has a name');
	ok_dag(0, '... fetched again', $c, 'fetch', '-q', 'big');
	like(whole("$c/.dag/cache"), qr/^whole, 2000/, '... whole');
}

# A name with a tab in it: harmless on a terminal, itself in JSON.
my $odd = "$top/odd";
make_path($odd);
git($odd, qw(init -q -b main));
ok_dag(0, 'remote', $odd, 'remote', 'add', '-q', '-d', 'r', '../odd-rem');
spew("$odd/t\tab", "1\n");
ok_dag(0, 'add', $odd, 'add', '-q', "t\tab");
unlike(ok_dag(0, 'a tab, for people', $odd, 'status', '-c')->{out}, qr/t\tab/, '... is not written to a terminal');
like(ok_dag(0, 'a tab, for programs', $odd, 'status', '-c', '--json')->{out}, qr/"t\\tab": "new"/, '... is a tab');
spew("$odd/t\tab", "2\n");
unlike(ok_dag(0, 'a tab, for people', $odd, 'status')->{out}, qr/modified:\s+t\tab/, '... is not written to a terminal');
like(ok_dag(0, 'a tab, for programs', $odd, 'status', '--json')->{out}, qr/"t\\tab": "modified"/, '... is a tab');
like(ok_dag(0, 'a tab, for programs', $odd, 'status', '--json')->{out}, qr/"t\\tab\.dvc": \[/, '... also in the name of its pointer');

# Two parts of one directory, of another branch.
my $two = "$top/two";
make_path($two);
git($two, qw(init -q -b main));
ok_dag(0, 'remote', $two, 'remote', 'add', '-q', '-d', 'r', '../two-rem');
for my $n (1, 2) {
	spew("$two/d/$_", "$_ of $n\n") for qw(x y z);
	ok_dag(0, "version $n", $two, 'add', '-q', 'd');
	git($two, qw(add -A));
	git($two, qw(commit -qm), $n);
	git($two, qw(switch -qc other)) if $n == 1;
}
git($two, qw(switch -q main));
ok_dag(0, 'two parts of all branches', $two, 'push', '-q', '-a', 'd/x', 'd/y');
for my $n (1, 2) {
	ok(-e object("$top/two-rem", md5_hex("$_ of $n\n")), "... $_ of $n is there") for qw(x y);
	ok(!-e object("$top/two-rem", md5_hex("z of $n\n")), '... the third is not');
}
done_testing();
