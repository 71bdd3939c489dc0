#!/usr/bin/perl
# dag exp save: the work tree as it is, as an experiment.
use strict;
use warnings;
use File::Basename qw(dirname);
use lib dirname(__FILE__);
use Cli qw(:DEFAULT home);
use Digest::MD5 qw(md5_hex);
use Test::More;

my $dir = project('params.yaml' => "lr: 1\n", 'data.txt' => "data\n", 'code.py' => "1\n", '.gitignore' => "/.dag\n/ignored\n");
home($dir . '/.dag');
my @git = ('git', '-C', $dir);

sub git { system(@git, @_) == 0 or die "git @_" }
sub said { open(my $f, '-|', @git, @_) or die; local $/; my $all = <$f>; close $f; $all =~ s{\n\z}{}; $all }
sub refs { join(' ', map { m{([^/]+)$} } split /\n/, said('for-each-ref', '--format=%(refname)', 'refs/exps')) }
sub files { join(' ', split /\n/, said('ls-tree', '-r', '--name-only', $_[0])) }

sub bad {
	my ($what, $like, @words) = @_;
	like(ok_dag(2, $what, $dir, 'exp', 'save', @words)->{err}, $like, '... says so');
}

git('init', '-q', '-b', 'main');
git('config', 'user.name', 't');
git('config', 'user.email', 't@example.org');
bad('no commit', qr/there is no commit yet/);
ok_dag(0, 'add', $dir, 'add', '-q', 'data.txt');
git('add', '.');
git('commit', '-qm', 'one');

spew("$dir/data.txt", "other\n");
spew("$dir/code.py", "2\n");
spew("$dir/loose/a", "a\n");
spew("$dir/loose/b", "b\n");
spew("$dir/ignored", "i\n");
my $index = slurp("$dir/.git/index");
bad('a name', qr/no experiment can be called 'a b'/, '-n', 'a b');
bad('nothing there', qr/--include-untracked 'nope': No such file/, '-I', 'nope');
bad('elsewhere', qr/'\.\.\/x' is no path below/, '-I', '../x');
bad('an option of run', qr/--set-param has no meaning for 'dag exp save'/, '-S', 'lr=2');
is(refs(), '', 'nothing is made');
unlike(slurp("$dir/data.txt.dvc"), qr/${\ md5_hex("other\n")}/, 'nothing is recorded');

my $p = ok_dag(0, 'save', $dir, 'exp', 'save', '-n', 'mine', '-m', 'my words');
like($p->{err}, qr/not in it, as git does not track them: loose\/a, loose\/b \(-I PATH takes one\)/, '... says what is not in it');
my ($id) = $p->{out} =~ /^(\w+) \[mine\]$/m;
is(files($id), '.gitignore code.py data.txt.dvc params.yaml', '... what git tracks is');
is(said('show', "$id:code.py"), '2', '... as it is now');
like(said('show', "$id:data.txt.dvc"), qr/${\ md5_hex("other\n")}/, '... with the data that has changed');
is(said('log', '-1', '--format=%s', $id), 'my words', '... and those words');
is(slurp("$dir/.git/index"), $index, '... the index is untouched');
bad('a name that is taken', qr/there is an experiment 'mine' already: --force replaces it/, '-n', 'mine');
$p = ok_dag(0, '--force', $dir, 'exp', 'save', '-f', '-n', 'mine', '-I', 'loose/a', '-I', 'ignored');
like($p->{err}, qr/does not track it: loose\/b /, '... with files that git does not track');
($id) = $p->{out} =~ /^(\w+) \[mine\]$/m;
is(files($id), '.gitignore code.py data.txt.dvc ignored loose/a params.yaml', '... also one that it ignores');
is(refs(), 'mine', '... in the place of the other');
like(ok_dag(0, 'JSON', $dir, 'exp', 'save', '--json', '-q')->{out}, qr/^\{"ref": ?"refs\/exps\/\w\w\/\w{38}\/[a-z]+-[a-z]+"\}$/, '... is the reference');
is(ok_dag(0, 'quiet', "$dir/loose", 'exp', 'save', '-q', '-n', 'below', '-I', 'b')->{out}, '', '... and from below');
($id) = said('for-each-ref', '--format=%(objectname)', 'refs/exps/*/*/below') =~ /(\w+)/;
like(files($id), qr/loose\/b/, '... by paths seen from there');
unlink "$dir/data.txt";
ok_dag(1, 'data that is gone', $dir, 'exp', 'save', '-n', 'gone');
unlike(refs(), qr/gone/, '... is not saved');
done_testing();
