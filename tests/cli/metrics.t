#!/usr/bin/perl
# dag metrics and dag params: what DVC is not asked about (tests/dvc/metrics.t does that).
use strict;
use warnings;
use File::Basename qw(dirname);
use lib dirname(__FILE__);
use Cli;
use JSON::PP;
use Test::More;

my $dir = project(
    'dvc.yaml' => "stages:\n  a:\n    cmd: x\n    params: [lr]\n    metrics: [m.json: {cache: false}]\n",
    'params.yaml' => "lr: 1\nother: 2\n", 'm.json' => "{\"a\": 0.5}\n");

sub git { system('git', '-C', $dir, '-c', 'user.name=t', '-c', 'user.email=t', @_) == 0 or die "git @_" }

# What is asked for.
like(ok_dag(2, 'another word', $dir, 'metrics', 'sow')->{err}, qr/'sow' is nothing that metrics can do/, '... is named');
like(ok_dag(2, 'both layouts', $dir, 'metrics', 'show', '--json', '--md')->{err}, qr/exclude each other/, '... exclude each other');
like(ok_dag(2, 'all branches of a diff', $dir, 'params', 'diff', '-a')->{err}, qr/a diff is of two revisions/, '... are refused');
like(ok_dag(2, 'three revisions', $dir, 'params', 'diff', 'a', 'b', 'c')->{err}, qr/--targets/, '... are too many');
like(ok_dag(2, 'targets of show', $dir, 'metrics', 'show', '--targets', 'm.json')->{err}, qr/for 'dag metrics diff'/, '... are words');
like(ok_dag(2, 'without git', $dir, 'metrics', 'diff')->{err}, qr/no git repository here/, '... there are no revisions');
like(ok_dag(2, 'nor branches', $dir, 'metrics', 'show', '-a')->{err}, qr/no git repository here/, '... nor branches');
is(ok_dag(0, 'no word', $dir, 'params')->{out}, "Path         Param    Value\nparams.yaml  lr       1\nparams.yaml  other    2\n", '... is show');
is(ok_dag(0, 'deps', $dir, 'params', 'show', '--deps')->{out}, "Path         Param    Value\nparams.yaml  lr       1\n", '... are params of stages');

# Files that cannot be read.
spew("$dir/m.json", "{\"a\": 1,\n  oops}\n");
my $r = ok_dag(1, 'a file with a mistake', $dir, 'metrics', 'show', '--json');
like($r->{err}, qr/m\.json:2:3: error: a name in quotes is missing/, '... which is shown');
is(decode_json($r->{out})->{''}{data}{'m.json'}{error}{type}, 'JSONFileCorruptedError', '... by its name in JSON');
unlink "$dir/m.json";
like(ok_dag(0, 'a file that is not there', $dir, 'metrics', 'show')->{err}, qr/m\.json is left out: there is no 'm\.json'/, '... is said to be left out');
like(ok_dag(2, 'a target that is not there', $dir, 'metrics', 'show', 'no.json')->{err}, qr/there is no file 'no\.json'/, '... is an error');
like(ok_dag(1, 'a target outside', $dir, 'metrics', 'show', '/etc/hostname')->{err}, qr/lies outside of the repository/, '... is refused');
spew("$dir/p.py", "lr = 1\n");
like(ok_dag(1, 'Python', $dir, 'params', 'show', 'p.py')->{err}, qr/params in Python are not read/, '... is refused by name');
mkdir "$dir/empty";
is(ok_dag(0, 'an empty directory', $dir, 'metrics', 'show', 'empty')->{out}, '', '... has nothing');

# What a terminal must not get, and what would break a table.
spew("$dir/t.json", '{"a\\u001b[31m": "x|y\\nz", "b": "\\u202e"}');
is(ok_dag(0, 'harmful text', $dir, 'metrics', 'show', 't.json')->{out},
    "Path    a\x{EF}\x{BF}\x{BD}[31m    b\nt.json  x|y\x{EF}\x{BF}\x{BD}z     \x{EF}\x{BF}\x{BD}\n", '... is made harmless');
like(ok_dag(0, 'a bar', $dir, 'metrics', 'show', '--md', 't.json')->{out}, qr/\| x\\\|y/, '... does not end the cell');

# Revisions.
git('init', '-q', '-b', 'main');
spew("$dir/m.json", "{\"a\": 0.5}\n");
is(ok_dag(0, 'before the first commit', $dir, 'metrics', 'diff', '--json')->{out}, "{}\n", '... nothing differs');
git('add', '-A');
git('commit', '-qm', 'one');
git('checkout', '-q', '-b', 'broken');
spew("$dir/dvc.yaml", "stages: [\n");
git('commit', '-qam', 'broken');
git('checkout', '-q', 'main');
$r = ok_dag(0, 'a branch with a broken dvc.yaml', $dir, 'metrics', 'show', '-a', '--json');
my $seen = decode_json($r->{out});
like($seen->{broken}{error}{msg}, qr/dvc\.yaml:\d/, '... has an error');
is($seen->{main}{data}{'m.json'}{data}{a}, 0.5, '... and the others their values');
like($r->{err}, qr/broken is left out/, '... which is said');
ok_dag(2, 'a diff with it', $dir, 'metrics', 'diff', 'broken');
like(ok_dag(2, 'an unknown revision', $dir, 'metrics', 'diff', 'nope')->{err}, qr/no revision 'nope'/, '... is named');

# What the cache has, and has not.
spew("$dir/dvc.yaml", "stages:\n  a:\n    cmd: x\n    metrics: [m.json]\n");
spew("$dir/dvc.lock", "schema: '2.0'\nstages:\n  a:\n    cmd: x\n    outs:\n    - path: m.json\n      hash: md5\n      md5: b026324c6904b2a9cb4b88d6d61c81d1\n      size: 2\n");
git('rm', '-q', '--cached', 'm.json');
git('add', 'dvc.yaml', 'dvc.lock');
git('commit', '-qm', 'cached');
like(ok_dag(0, 'not in the cache', $dir, 'metrics', 'diff', '--all')->{err}, qr/m\.json of HEAD is left out: the cache does not have.*dag fetch/, '... says the way out');
mkdir $_ for "$dir/.dag", "$dir/.dag/cache", "$dir/.dag/cache/files", "$dir/.dag/cache/files/md5", "$dir/.dag/cache/files/md5/b0";
spew("$dir/.dag/cache/files/md5/b0/26324c6904b2a9cb4b88d6d61c81d1", "1\n");
spew("$dir/m.json", "3\n");
is(ok_dag(0, 'in the cache', $dir, 'metrics', 'diff')->{out}, "Path    Metric    HEAD    workspace    Change\nm.json            1       3            2\n", '... is read from there');
spew("$dir/.dag/cache/files/md5/b0/26324c6904b2a9cb4b88d6d61c81d1", "2\n");
like(ok_dag(1, 'damaged there', $dir, 'metrics', 'diff')->{err}, qr/m\.json of HEAD is left out/, '... is not believed');

# The past is what branches and tags lead to, the newest first: no stash, no experiment.
{
	$dir = project('m.json' => "1\n", 'dvc.yaml' => "metrics: [m.json]\n");
	my @ids;
	git('init', '-q', '-b', 'main');
	for my $n (1 .. 3) {
		spew("$dir/m.json", "$n\n");
		git('add', '-A');
		local $ENV{GIT_COMMITTER_DATE} = "2026-01-0${n}T00:00:00Z";
		git('commit', '-qm', $n);
		chomp(my $id = `git -C $dir rev-parse HEAD`);
		unshift @ids, $id;
		git('checkout', '-q', '-b', "b$n", 'HEAD') if $n == 2;
	}
	git('checkout', '-q', 'main');
	git('tag', '-a', '-m', 't', 'v1');
	spew("$dir/m.json", "4\n");
	git('stash', '-q');
	git('update-ref', 'refs/exps/' . $ids[1] =~ s{^..\K}{/}r . '/x', 'stash@{0}');
	my $all = ok_dag(0, 'all commits', $dir, 'metrics', 'show', '-A', '--json')->{out};
	is_deeply([$all =~ /^  "(\w+)": /mg], ['workspace', @ids], '... are those of branches');
	is_deeply([map { $_->{rev} } @{ decode_json(ok_dag(0, 'exp show', $dir, 'exp', 'show', '-A', '--json')->{out}) }], ['workspace', @ids], '... for experiments, too');
}
done_testing();
