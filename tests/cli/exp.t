#!/usr/bin/perl
# dag exp: experiments by hand, the words on references, and apply, which loses nothing.
use strict;
use warnings;
use File::Basename qw(dirname);
use lib dirname(__FILE__);
use Cli;
use Digest::MD5 qw(md5_hex);
use JSON::PP;
use Test::More;

my $dir = project('params.yaml' => "lr: 1\n", 'same' => "s\n", 'gone' => "g\n", '.gitignore' => "/data\n/.dag\n");
my @git = ('git', '-C', $dir, '-c', 'user.name=t', '-c', 'user.email=t@example.org');

sub git { system(@git, @_) == 0 or die "git @_" }
sub said { open(my $f, '-|', @git, @_) or die; local $/; my $all = <$f>; close $f; $all =~ s{\n\z}{}; $all }
sub bad { my ($what, $like, @words) = @_; like(ok_dag(2, $what, $dir, 'exp', @words)->{err}, $like, '... says so') }

$ENV{GIT_CONFIG_GLOBAL} = "$dir/.git/global";
$ENV{HOME} = "$dir/.git/nobody"; # has no settings
like(ok_dag(2, 'without git', $dir, 'exp', 'list')->{err}, qr/there is no git repository here/, '... says so');
git('init', '-q', '-b', 'main');
spew("$dir/.git/global", "[user]\n\tname = t\n\temail = t\@example.org\n");
is(ok_dag(0, 'without a commit', $dir, 'exp', 'list')->{out}, '', '... nothing');
is(ok_dag(0, 'show without a commit', $dir, 'exp', 'show', '--json')->{out}, "[]\n", '... nothing');
is(ok_dag(0, 'diff without a commit', $dir, 'exp', 'diff', '--json')->{out}, "{}\n", '... nothing');
bad('no word', qr/usage|needs|takes/, ());
bad('an unknown word', qr/'lst' is nothing that exp can do/, 'lst');
bad('too many', qr/it is: dag exp list/, 'list', 'x');
bad('an option of another', qr/--name-only has no meaning for 'dag exp apply'/, 'apply', '--name-only', 'x');
bad('two shapes', qr/only one of/, 'list', '--json', '--name-only');
bad('-n', qr/'-n x' is no number of commits/, 'list', '-n', 'x');
bad('-n 0', qr/'-n 0' is no number of commits/, 'list', '-n', '0');
bad('nothing to remove', qr/name experiments, or/, 'remove');
bad('two kinds', qr/name experiments, or/, 'remove', '-A', 'x');

# Data with two states in the cache.
spew("$dir/data", "one\n");
ok_dag(0, 'add', $dir, 'add', '-q', 'data');
git('add', '.');
git('commit', '-qm', 'first');
my $base = said('rev-parse', 'HEAD');

# An experiment: params, data, a file more, one less.
sub make {
	my ($name, $lr, $data) = @_;
	git('checkout', '-q', '--detach');
	spew("$dir/params.yaml", "lr: $lr\n");
	spew("$dir/data", $data);
	ok_dag(0, 'add', $dir, 'add', '-q', 'data');
	spew("$dir/metrics.json", "{\"acc\": $lr}\n");
	git('rm', '-q', 'gone');
	git('add', '.');
	git('commit', '-qm', "dvc: commit experiment $name");
	git('update-ref', 'refs/exps/' . substr($base, 0, 2) . '/' . substr($base, 2) . "/$name", 'HEAD');
	git('checkout', '-q', 'main');
	ok_dag(0, 'checkout', $dir, 'checkout', '-q');
	unlink "$dir/metrics.json";
}
$ENV{GIT_COMMITTER_DATE} = '1700000000 +0000';
make('old', 5, "five\n");
$ENV{GIT_COMMITTER_DATE} = '1700000009 +0000';
make('new', 7, "seven\n");
delete $ENV{GIT_COMMITTER_DATE};
git('update-ref', 'refs/exps/exec/EXEC_HEAD', $base);
git('update-ref', 'refs/exps/zz/not/one', $base);
is(said('status', '--porcelain'), '', 'nothing is left of that');
my ($old, $new) = map { said('rev-parse', "refs/exps/@{[substr $base, 0, 2]}/@{[substr $base, 2]}/$_") } 'old', 'new';

is(ok_dag(0, 'list', $dir, 'exp', 'list')->{out}, "main:\n\t@{[substr $new, 0, 7]} [new]\n\t@{[substr $old, 0, 7]} [old]\n", 'the newest first');
is(ok_dag(0, 'names', $dir, 'exp', 'ls', '--name-only')->{out}, "new\nold\n", 'names alone');
is(ok_dag(0, 'ids', $dir, 'exp', 'list', '--sha-only')->{out}, "$new\n$old\n", 'ids alone');
is_deeply([map { [@$_{qw(name rev baseline baseline_name)}] } @{decode_json(ok_dag(0, 'JSON', $dir, 'exp', 'list', '--json')->{out})}],
	[['new', $new, $base, 'main'], ['old', $old, $base, 'main']], '... tells all');
git('commit', '-q', '--allow-empty', '-m', 'second');
git('tag', 'v1', $base);
is(ok_dag(0, 'of another commit', $dir, 'exp', 'list')->{out}, '', '... are not those of HEAD');
is(ok_dag(0, 'of two', $dir, 'exp', 'list', '--name-only', '-n', '2')->{out}, "new\nold\n", '... of the last two');
is(ok_dag(0, 'of REV', $dir, 'exp', 'list', '--name-only', '--rev', 'v1')->{out}, "new\nold\n", '... of a revision');
like(ok_dag(0, 'all', $dir, 'exp', 'list', '-A')->{out}, qr/^v1:\n/, '... of all, the tag is the name');
bad('no revision', qr/there is no revision 'nope'/, 'list', '--rev', 'nope');

# Names.
bad('no experiment', qr/there is no experiment 'nw': did you mean 'new'/, 'remove', 'nw');
bad('one of two', qr/there is no experiment 'xyz'/, 'remove', 'new', 'xyz');
is(said('rev-parse', "refs/exps/@{[substr $base, 0, 2]}/@{[substr $base, 2]}/new"), $new, '... and none went');
bad('taken', qr/there is an experiment 'new' already: --force/, 'rename', 'old', 'new');
bad('no name', qr/no experiment can be called '\Q$_\E'/, 'rename', 'old', '--', $_) for '', 'a b', 'a/b', 'a..b', '-x', 'x.lock', 'HEAD';
bad('too long', qr/longer than 200 bytes/, 'rename', 'old', 'x' x 201);
ok_dag(0, 'rename', $dir, 'exp', 'rename', 'old', 'x' x 200);
ok_dag(0, 'rename', $dir, 'exp', 'rename', 'x' x 200, 'old');
is(ok_dag(0, 'to itself', $dir, 'exp', 'rename', 'old', 'old')->{out}, '', '... nothing');
git('update-ref', "refs/exps/@{[substr $old, 0, 2]}/@{[substr $old, 2]}/new", $old);
bad('two of one name', qr/2 experiments are called 'new': name one by its whole reference: refs\/exps\/.*refs\/exps/, 'branch', 'new');
git('update-ref', '-d', "refs/exps/@{[substr $old, 0, 2]}/@{[substr $old, 2]}/new");
ok_dag(0, 'branch', $dir, 'exp', 'branch', 'new');
is(said('rev-parse', 'new-branch'), $new, '... begins there');
bad('there is one', qr/refs\/heads\/new-branch' is already/, 'branch', 'new');
bad('no branch', qr/is no name that git takes/, 'branch', 'new', 'a..b');
bad('no branch', qr/git takes no branch that is called '\Q$_\E'/, 'branch', 'new', '--', $_) for 'HEAD', '-x';

# Apply: what is there is kept, index and HEAD stay.
git('reset', '-q', '--hard', $base);
spew("$dir/same", "mine\n");
spew("$dir/staged", "staged\n");
git('add', 'staged');
spew("$dir/metrics.json", "untracked\n");
spew("$dir/other", "other\n");
my %before = map { $_ => slurp("$dir/.git/$_") } 'index', 'HEAD';
my $p = ok_dag(0, 'apply', $dir, 'exp', 'apply', 'new');
like($p->{out}, qr/^the work tree is what it is in 'new' now\nwhat was changed before is kept: .*\nM\tdata\n\z/, '... tells it');
is(join('', map { slurp("$dir/$_") } 'params.yaml', 'same', 'data', 'metrics.json', 'staged', 'other'), "lr: 7\ns\nseven\n{\"acc\": 7}\nstaged\nother\n", '... files and data');
ok(!-e "$dir/gone", '... what it has not is gone');
is(slurp("$dir/.git/$_"), $before{$_}, "... $_ is untouched") for sort keys %before;
my $first = said('rev-parse', 'refs/exps/apply/stash');
ok_dag(0, 'apply another one', $dir, 'exp', 'apply', '-q', 'old');
is(said('rev-parse', 'refs/exps/apply/stash@{1}'), $first, '... what was there before the first is in the log');
isnt(said('rev-parse', 'refs/exps/apply/stash'), $first, '... below what was there before this one');
git('update-ref', 'refs/exps/apply/stash', $first);
like($p->{out}, qr/: 'git (restore -s \S+ :\/)' brings it back, 'git (restore --overlay -s \S+ :\/)' what git does not track\n/, '... and the way back');
git(split / /, $_) for $p->{out} =~ /'git (restore [^']*)'/g;
is(join('', map { slurp("$dir/$_") } 'same', 'staged', 'metrics.json', 'params.yaml'), "mine\nstaged\nuntracked\nlr: 1\n", '... leads there');
is(slurp("$dir/.git/$_"), $before{$_}, "... $_ is untouched") for sort keys %before;
unlink "$dir/metrics.json", "$dir/staged";
git('reset', '-q', '--hard');
system("@git[0..2] stash apply -q refs/exps/apply/stash >/dev/null 2>&1");
is(join('', map { slurp("$dir/$_") } 'same', 'staged', 'metrics.json'), "mine\nstaged\nuntracked\n", 'the stash has it all');
git('reset', '-q', '--hard');
unlink "$dir/metrics.json";
ok_dag(0, 'checkout', $dir, 'checkout', '-q');
unlike(ok_dag(0, 'apply with nothing changed', $dir, 'exp', 'apply', 'old')->{out}, qr/kept/, '... needs no stash');
isnt(system("@git[0..2] rev-parse -q --verify refs/exps/apply/stash >/dev/null"), 0, '... and there is none');

# Data that the cache does not have.
git('reset', '-q', '--hard');
unlink "$dir/metrics.json";
ok_dag(0, 'checkout', $dir, 'checkout', '-q');
spew("$dir/data", "nowhere else\n");
$p = ok_dag(1, 'apply', $dir, 'exp', 'apply', 'new');
like($p->{err}, qr/nothing was changed, as these files would be lost: .*\n  data\n/, 'is named');
is(slurp("$dir/data") . slurp("$dir/params.yaml"), "nowhere else\nlr: 1\n", '... and nothing is changed');
is(ok_dag(0, 'apply --force', $dir, 'exp', 'apply', '-qf', 'new')->{out}, '', '... gives it up');
is(slurp("$dir/data") . slurp("$dir/params.yaml"), "seven\nlr: 7\n", '... is done');
bad('a name that is like a short id', qr/there is no revision 'e1'/, 'apply', 'e1');
bad('nothing of that name', qr/there is no revision 'nwe'|did you mean 'new'/, 'apply', 'nwe');
git('reset', '-q', '--hard');
unlink "$dir/metrics.json";
spew("$dir/data", "one\n");
mkdir "$dir/metrics.json";
like(ok_dag(2, 'a directory in the way', $dir, 'exp', 'apply', 'new')->{err}, qr/'metrics.json' is where a file is to be/, '... is named');
is(slurp("$dir/params.yaml"), "lr: 1\n", '... and nothing is changed');
rmdir "$dir/metrics.json";

# Show and diff.
git('checkout', '-q', '.');
spew("$dir/dvc.yaml", "metrics: [metrics.json]\nparams: [params.yaml]\n");
my $t = ok_dag(0, 'show', $dir, 'exp', 'show', '--md', '--drop', 'Created')->{out};
like($t, qr/\A\| Experiment .*\n\|-.*\n\| workspace .*\n\| main .*\n\| ├── .{7} \[new\] .*\n\| └── .{7} \[old\] .*\n\n\z/, '... is a tree');
is(ok_dag(0, 'without a column', $dir, 'exp', 'show', '--csv', '--drop', 'l', '--drop', 'Cre', '--hide-workspace')->{out},
	"Experiment,rev,typ,parent\r\n,main,baseline,\r\nnew,@{[substr $new, 0, 7]},branch_commit,\r\nold,@{[substr $old, 0, 7]},branch_base,\r\n", '... is that');
like(ok_dag(0, 'sorted', $dir, 'exp', 'show', '--sort-by', 'lr', '--no-pager')->{out}, qr/\[old\].*\[new\]/s, '... the least first');
like(ok_dag(0, 'the other way', $dir, 'exp', 'show', '--sort-by', 'params.yaml:lr', '--sort-order', 'desc')->{out}, qr/\[new\].*\[old\]/s, '... the greatest first');
is_deeply(decode_json(ok_dag(0, 'diff', $dir, 'exp', 'diff', 'old', 'new', '--json')->{out}),
	{metrics => {}, params => {'params.yaml' => {lr => {old => 5, new => 7, diff => 2}}}}, '... by the names of experiments');
is(ok_dag(0, 'nothing differs', $dir, 'exp', 'diff', 'old', 'old')->{out}, "\n", '... is nothing');
bad('a column', qr/--sort-by: there is no metric or param 'nope'/, 'show', '--sort-by', 'nope');
my $kept = ok_dag(0, 'columns that are kept', $dir, 'exp', 'show', '--csv', '--drop', '.', '--keep', 'acc', 'l', '--hide-workspace')->{out};
like($kept, qr/\AExperiment,.*\blr\b/, '... are there in spite of --drop');
unlike($kept, qr/\A.*Created/, '... and no others');
bad('--keep', qr/it is: dag exp show \[--keep REGEX\.\.\.\]/, 'show', '--keep');
bad('words of show', qr/it is: dag exp show \[--keep REGEX\.\.\.\]/, 'show', 'acc');
bad('what to keep', qr/--keep '\(' is no regular expression: /, 'show', '--keep', '(');
bad('an expression', qr/--drop '\(' is no regular expression: /, 'show', '--drop', '(');
bad('two shapes', qr/only one of --json, --md and --csv/, 'show', '--json', '--csv');
bad('two shapes', qr/--json and --md exclude/, 'diff', '--json', '--md');
bad('a revision', qr/there is no revision 'nope'/, 'show', '--rev', 'nope');
bad('an experiment', qr/there is no experiment 'nww': did you mean|there is no revision 'nww'/, 'diff', 'nww');
bad('three', qr/it is: dag exp diff \[A \[B\]\]/, 'diff', 'a', 'b', 'c');
bad('an option of another', qr/--csv has no meaning for 'dag exp diff'/, 'diff', '--csv');
bad('precision', qr/precision/, 'show', '--precision', $_) for 0, 101;
spew("$dir/params.yaml", "lr: [\n");
$p = ok_dag(0, 'a file with mistakes', $dir, 'exp', 'show', '--drop', 'Created');
like($p->{out}, qr/^workspace +-$/m, '... has no values');
like($p->{err}, qr/params\.yaml:/, '... and told');
unlike($p->{out}, qr/^main +-$/m, '... the others have theirs');
spew("$dir/params.yaml", "lr: 1\n");
spew("$dir/metrics.json", "{\"acc\": 1\n");
like(ok_dag(0, 'metrics with mistakes', $dir, 'exp', 'show')->{err}, qr/metrics\.json:/, '... are told');
ok_dag(1, 'diff of metrics with mistakes', $dir, 'exp', 'diff', 'old');
unlink "$dir/metrics.json";
spew("$dir/params.yaml", "lr: [\n");
ok_dag(2, 'diff with mistakes', $dir, 'exp', 'diff', 'old');
git('checkout', '-q', '.');
unlink "$dir/dvc.yaml";

# Remove.
is(ok_dag(0, 'all but one', $dir, 'exp', 'remove', '--keep', 'old')->{out}, "removed new\n", '... goes');
is(ok_dag(0, 'of HEAD', $dir, 'exp', 'remove', '--rev', 'HEAD')->{out}, "removed old\n", '... goes');
is(ok_dag(0, 'all', $dir, 'exp', 'rm', '-A')->{out}, "no experiment to remove\n", 'none is left');
is(said('for-each-ref', '--format=%(refname)', 'refs/exps/exec'), 'refs/exps/exec/EXEC_HEAD', 'EXEC_APPLY went with it, others stay');
like(said('fsck', '--strict'), qr/\A(?:dangling .*\n?)*\z/, 'git fsck finds nothing');
done_testing();
