#!/usr/bin/perl
# Projects in git: what is recorded of a run, and the hooks.
use strict;
use warnings;
use File::Basename qw(dirname);
use JSON::PP;
use lib dirname(__FILE__);
use Cli;
use Test::More;

plan skip_all => 'git is not installed' if system('git --version >/dev/null 2>&1') != 0;
my $home = project();
$ENV{HOME} = $home;
spew("$home/.gitconfig", "[user]\n\tname = A\n\temail = a\@example.org\n[init]\n\tdefaultBranch = main\n");
delete @ENV{grep { /^GIT_/ } keys %ENV};

sub git {
	my ($dir, @args) = @_;
	open(my $p, '-|', 'git', '-C', $dir, @args) or die "git: $!";
	my $out = join '', <$p>;
	close $p or die "git @args fails";
	chomp $out;
	return $out;
}

# Long enough for libgit2 to be loaded on a machine that is busy.
my $file = "tasks:\n  a: {run: sleep 1}\n";
sub record {
	my ($dir) = @_;
	my $p = ok_dag(0, 'a run', $dir, 'run', 'd.yaml');
	my $run = decode_json((dag($dir, 'runs', 'last', '--json'))[1]);
	return ($run->{git_commit}, $run->{git_dirty}, $p);
}

my $dir = project('d.yaml' => $file);
my ($commit, $dirty) = record($dir);
is($commit, undef, 'outside of git there is no commit');
is($dirty, undef, '... and nothing that could have changed');
unlike((dag($dir, 'runs', 'last'))[1], qr/commit/, '... nor is one told');

git($dir, 'init', '-q');
($commit, $dirty, my $p) = record($dir);
is($commit, undef, 'a branch without a commit has none');
is($p->{err}, '', '... and there is nothing to say');
git($dir, 'add', '.');
git($dir, 'commit', '-qm', '1');
my $head = git($dir, 'rev-parse', 'HEAD');
my $short = substr($head, 0, 12);
spew("$dir/untracked", 'x');
($commit, $dirty) = record($dir);
is($commit, $head, 'the commit is recorded');
ok(defined $dirty && !$dirty, '... without changes: what is not tracked is none');
like((dag($dir, 'runs', 'last'))[1], qr/^  commit    $short$/m, 'it is told');
spew("$dir/d.yaml", "$file# changed\n");
($commit, $dirty) = record($dir);
is($commit, $head, 'with changes it is the same');
ok($dirty, '... and they are seen');
like((dag($dir, 'runs', 'last'))[1], qr/^  commit    $short \+ changes$/m, 'this too is told');
like((dag($dir, 'explain', 'last'))[1], qr/^It began at commit $short \+ changes\.$/m, '... by explain');
my ($before) = (dag($dir, 'runs', 'last', '--json'))[1];
git($dir, 'commit', '-qam', '2');
dag($dir, 'retry', 'last', 'a');
is(decode_json((dag($dir, 'runs', 'last', '--json'))[1])->{git_commit}, $head, 'a retry changes nothing of it');

# A project in a linked work tree, below its top.
git($dir, 'worktree', 'add', '-q', "$home/tree", 'HEAD~1');
mkdir "$home/tree/sub";
spew("$home/tree/sub/d.yaml", $file);
ok_dag(0, 'a project below', "$home/tree/sub", 'init', 'x');
is((record("$home/tree/sub"))[0], $head, 'is recorded with the commit of its work tree');

# A repository that cannot be read is no failure of the run.
my $odd = project('d.yaml' => $file);
git($odd, 'init', '-q', '--object-format=sha256');
($commit, $dirty, $p) = record($odd);
is($commit, undef, 'a repository that is refused gives none');
my $said = () = "$p->{out}$p->{err}" =~ /has SHA-256 ids \(extensions\.objectFormat\)/g;
is($said, 1, '... which is said once');
like("$p->{out}$p->{err}", qr/so the git commit of this run is not recorded/, '... with what follows');

# ---- hooks ----

my $hooks = project();
$p = ok_dag(2, 'hooks without git', $hooks, 'init', '--hooks');
like($p->{err}, qr/is in no git repository/, 'are an error');
git($hooks, 'init', '-q');
unlink glob "$hooks/.git/hooks/*";
$p = ok_dag(0, 'hooks', $hooks, 'init', '--hooks');
is($p->{out}, join('', map { "made $hooks/.git/hooks/$_\n" } qw(post-checkout pre-commit pre-push)), 'are made');
ok(!-e "$hooks/dags", '... and no DAG');
ok(-x "$hooks/.git/hooks/pre-push", 'they can be executed');
$p = ok_dag(0, 'hooks and a DAG', $hooks, 'init', '--hooks', 'x');
like($p->{out}, qr/\Awas there: .*pre-push\nmade dags\/x\.yaml/s, '... with a name both');
spew("$hooks/.git/hooks/pre-push", "make check\n");
$p = ok_dag(2, 'a hook of somebody else', $hooks, 'init', '--hooks');
like($p->{err}, qr/pre-push' is a hook that dag did not write: add this line to it by hand: dag push/, 'stays');
is(slurp("$hooks/.git/hooks/pre-push"), "make check\n", '... as it is');
done_testing();
