#!/usr/bin/perl
# dag remove: what is tracked no more, and that nothing is lost by it.
use strict;
use warnings;
use File::Basename qw(dirname);
use lib dirname(__FILE__);
use Cli;
use Digest::MD5 qw(md5_hex);
use POSIX ();
use Test::More;

my $dir = project('a' => "a1\n", 'b' => "b1\n", 'd/x' => "x1\n", 'd/y' => "y1\n", 's/e' => "e1\n", 's/f' => "f1\n");
system('git', 'init', '-q', $dir) == 0 or die 'git';
spew("$dir/.gitignore", "x\n/a2\n");
ok_dag(0, 'add', $dir, 'add', '-q', 'a', 'b', 'd', 's/e', 's/f');
sub object { my ($text) = @_; my $h = md5_hex($text); return "$dir/.dag/cache/files/md5/" . substr($h, 0, 2) . '/' . substr($h, 2) }

# The data stays.
is(ok_dag(0, 'by its pointer', $dir, 'remove', 'a.dvc')->{out}, "a  not tracked any more\n", 'is told');
is(slurp("$dir/a"), "a1\n", 'the data is there');
ok(!-e "$dir/a.dvc", 'the pointer is not');
is(slurp("$dir/.gitignore"), "x\n/a2\n/b\n/d\n", 'nor the line in .gitignore');
is(ok_dag(0, 'by what it tracks', "$dir/s", 'remove', 'e', 'e.dvc')->{out}, "e  not tracked any more\n", '... from where we are, once');
is(slurp("$dir/s/.gitignore"), "/f\n", '... of its directory');
ok_dag(0, 'the other', $dir, 'remove', '-q', 's/f');
ok(!-e "$dir/s/.gitignore", 'a .gitignore that is empty goes');
ok_dag(0, 'checkout', $dir, 'checkout');
is(slurp("$dir/a"), "a1\n", '... does not take the data for one that was left behind');

# The data goes, but only if the cache has it.
spew("$dir/d/x", "x2\n");
my $p = ok_dag(1, 'changed data', $dir, 'remove', '--outs', 'b', 'd');
like($p->{err}, qr{would be lost.*\n  d/x$}m, '... is named');
ok(-e "$dir/$_", "... $_ is there") for 'b', 'b.dvc', 'd/x', 'd/y', 'd.dvc';
ok_dag(0, 'by force', $dir, 'remove', '--outs', '-f', 'd.dvc');
ok(!-e "$dir/$_", "... $_ is gone") for 'd', 'd.dvc';
unlink object("b1\n");
ok_dag(1, 'an object is missing', $dir, 'remove', '--outs', 'b');
is(slurp("$dir/b"), "b1\n", '... nothing is lost');
ok_dag(0, 'again in the cache', $dir, 'commit', '-f', 'b');
is(ok_dag(0, 'now', $dir, 'remove', '--outs', 'b')->{out}, "b  removed\n", '... it goes');
ok(!-e "$dir/$_", "... $_ is gone") for 'b', 'b.dvc';
is(slurp("$dir/.gitignore"), "x\n/a2\n", '... and its line');
ok(-e object("b1\n"), '... the cache has it');

# What is ignored is nobody's data.
spew("$dir/.dvcignore", "*.tmp\n");
spew("$dir/i/$_", $_) for 'x', 's/y', 's/z.tmp';
ok_dag(0, 'add', $dir, 'add', '-q', 'i');
ok_dag(0, 'remove', $dir, 'remove', '--outs', 'i');
ok(!-e "$dir/i/x" && !-e "$dir/i/s/y", 'the directory goes');
is(slurp("$dir/i/s/z.tmp"), 's/z.tmp', '... but for what is ignored in it');
unlink "$dir/.dvcignore";

# What is not there.
ok_dag(0, 'add', $dir, 'add', '-q', 'a');
unlink "$dir/a";
ok_dag(0, 'without data', $dir, 'remove', '--outs', 'a');
ok(!-e "$dir/a.dvc", '... goes as well');

# What is refused.
spew("$dir/m/n/z", "z\n");
ok_dag(0, 'add', $dir, 'add', '-q', 'm');
like(ok_dag(2, 'a part', $dir, 'remove', 'm/n')->{err}, qr/'m\/n' lies in 'm'/, '... of a directory');
like(ok_dag(2, 'a wrong name', $dir, 'remove', 'm.dcv')->{err}, qr/did you mean 'm.dvc'/, '... is named');
ok_dag(2, 'one wrong of two', $dir, 'remove', 'm', 'nope');
ok(-e "$dir/m.dvc", '... and nothing is done');
spew("$dir/dvc.yaml", "stages:\n  make:\n    cmd: make\n    outs:\n    - made\n");
like(ok_dag(2, 'an output', $dir, 'remove', 'made')->{err}, qr/output of stage 'make' in 'dvc.yaml'/, '... of a stage');
spew("$dir/two.dvc", "outs:\n- path: p\n- path: q\n");
like(ok_dag(2, 'one of two', $dir, 'remove', 'p')->{err}, qr/'dag remove two.dvc' is for all/, '... in one pointer');
ok_dag(0, 'both', $dir, 'remove', 'two.dvc');
ok(!-e "$dir/two.dvc", '... by the pointer');
usage($dir, '--force has no meaning without --outs', 'remove', '-f', 'm');

# Links into the cache become files of their own.
spew("$dir/.dag/config", "[cache]\n    type = symlink\n");
ok_dag(0, 'link', $dir, 'checkout', '--relink', 'm');
ok(-l "$dir/m/n/z", 'a link into the cache');
spew("$dir/m/new", "new\n");
ok_dag(0, 'remove', $dir, 'remove', 'm');
ok(!-l "$dir/m/n/z" && slurp("$dir/m/n/z") eq "z\n", '... is a file now');
is(slurp("$dir/m/new"), "new\n", '... and the other as it was');
ok_dag(0, 'link it again', $dir, 'add', '-q', 'm');
POSIX::mkfifo("$dir/m/pipe", 0600) or die 'mkfifo';
like(ok_dag(2, 'with a pipe in it', $dir, 'remove', 'm')->{err}, qr{m/pipe}, '... is refused by its name');
ok(-e "$dir/m.dvc" && -l "$dir/m/n/z", '... and nothing is done');
unlink "$dir/m/pipe";
ok_dag(0, 'without it', $dir, 'remove', 'm');
ok(!-l "$dir/m/n/z" && slurp("$dir/m/n/z") eq "z\n", '... it is a file now');
ok_dag(0, 'link another one', $dir, 'add', '-q', 'm');
ok(-l "$dir/m/new", '... is linked');
chmod 0644, object("new\n");
spew(object("new\n"), "other\n");
ok_dag(1, 'its object is wrong', $dir, 'remove', 'm');
ok(-e "$dir/m.dvc", '... so it is tracked still');

# Into git's index by itself.
my $auto = project('a' => "a1\n");
system('git', 'init', '-q', $auto) == 0 or die 'git';
spew("$auto/.dag/config", "[core]\n    autostage = true\n");
ok_dag(0, 'add', $auto, 'add', '-q', 'a');
is(`git -C $auto ls-files -- a.dvc .gitignore`, ".gitignore\na.dvc\n", 'both are in the index');
ok_dag(0, 'remove', $auto, 'remove', '--outs', 'a');
is(`git -C $auto ls-files -- a.dvc .gitignore`, '', '... and out of it again');
done_testing();
