#!/usr/bin/perl
# dag remote: the settings as DVC writes them, and what is refused.
use strict;
use warnings;
use File::Basename qw(dirname);
use lib dirname(__FILE__);
use Cli qw(:DEFAULT home);
use Cwd qw(abs_path);
use File::Path qw(make_path);
use File::Temp qw(tempdir);
use Test::More;

my $top = abs_path(tempdir('dag-remote-XXXXXX', TMPDIR => 1, CLEANUP => 1));
my $dir = "$top/r";
mkdir $dir;
mkdir "$dir/$_" for '.dvc', 'sub';
spew("$dir/.dvc/config", '');
home($top);

# In a repository of DVC's: its words.
is(ok_dag(0, 'there is none', $dir, 'remote', 'list')->{out}, '', '... and nothing is said');
like(ok_dag(0, 'no default', $dir, 'remote', 'default')->{err}, qr/no remote is the default/, '... says how to have one');
ok_dag(0, 'add an absolute path', $dir, 'remote', 'add', 's', "$top/rem");
ok_dag(0, 'a relative one', $dir, 'remote', 'add', 'rel', '../rem2');
is(ok_dag(0, 'the default', $dir, 'remote', 'add', '-d', 'def', '../rem')->{out}, "'def' is the default remote now\n", '... is told');
my $want = "[core]\n    remote = def\n['remote \"s\"']\n    url = $top/rem\n"
	. "['remote \"rel\"']\n    url = ../../rem2\n['remote \"def\"']\n    url = ../../rem\n";
is(slurp("$dir/.dvc/config"), $want, 'the file is what DVC writes');
ok(!-e "$dir/.dag", 'nothing else was made');
my $p = ok_dag(2, 'add it again', $dir, 'remote', 'add', 'def', '../rem3');
like($p->{err}, qr/'def'.*--force/, '... is refused with the way out');
is(slurp("$dir/.dvc/config"), $want, '... and nothing was written');
ok_dag(0, 'with force', "$dir/sub", 'remote', 'add', '-f', 'def', '../../rem3');
is(ok_dag(0, 'list', $dir, 'remote', 'list')->{out}, "s       $top/rem\nrel     $top/rem2\ndef     $top/rem3      (default)\n",
	'... with paths as they are');
is(ok_dag(0, 'remote alone', "$dir/sub", 'remote')->{out}, ok_dag(0, '', $dir, 'remote', 'list')->{out}, '... is list');
like(ok_dag(0, 'as JSON', $dir, 'remote', '--json')->{out}, qr/"name": "def",\s*"url": "\Q$top\E\/rem3",\s*"default": true/, '... has the default');
is(ok_dag(0, 'ask for the default', $dir, 'remote', 'default')->{out}, "def\n", '... one word');
ok_dag(0, 'another one', $dir, 'remote', 'default', 'rel');
ok_dag(2, 'one that there is not', $dir, 'remote', 'default', 'nope');
ok_dag(0, 'jobs', $dir, 'remote', 'modify', 'rel', 'jobs', '4');
ok_dag(0, 'verify', $dir, 'remote', 'modify', 'rel', 'verify', 'true');
like(ok_dag(2, 'an unknown option', $dir, 'remote', 'modify', 'rel', 'nokey', '3')->{err}, qr/nokey/, '... is named');
ok_dag(2, 'a wrong value', $dir, 'remote', 'modify', 'rel', 'jobs', 'many');
ok_dag(0, 'in the local settings', $dir, 'remote', 'modify', '--local', 'rel', 'url', '../rem9');
ok_dag(0, 'taken out', $dir, 'remote', 'modify', '--unset', 'rel', 'jobs');
like(ok_dag(2, 'an unknown remote', $dir, 'remote', 'modify', 'nope', 'url', 'x')->{err}, qr/'nope'/, '... is named');
is(slurp("$dir/.dvc/config"), "[core]\n    remote = rel\n['remote \"s\"']\n    url = $top/rem\n"
		. "['remote \"rel\"']\n    url = ../../rem2\n    verify = true\n['remote \"def\"']\n    url = ../../rem3\n", 'the file');
is(slurp("$dir/.dvc/config.local"), "['remote \"rel\"']\n    url = ../../rem9\n", 'the local file');
is(ok_dag(0, 'list', $dir, 'remote', 'list')->{out}, "s       $top/rem\nrel     $top/rem9      (default)\ndef     $top/rem3\n", '... the local one holds');
ok_dag(0, 'rename', $dir, 'remote', 'rename', 'rel', 'newrel');
like(slurp("$dir/.dvc/config"), qr/remote = newrel\n/, '... the default too');
ok_dag(0, 'remove', $dir, 'remote', 'remove', 's');
ok_dag(2, 'again', $dir, 'remote', 'remove', 's');
ok_dag(0, 'the default one', $dir, 'remote', 'remove', 'newrel');
unlike(slurp("$dir/.dvc/config"), qr/core|newrel/, '... and that it was');
ok_dag(0, 'of the user', $dir, 'remote', 'add', '--global', 'mine', '/mnt/mine');
is(slurp("$top/home/.config/dvc/config"), "['remote \"mine\"']\n    url = /mnt/mine\n", '... lies with the user');

# A mistake in the settings can be mended by the verb that makes settings.
spew("$dir/.dvc/config", "['remote \"x\"']\n    url = /x\n    jobs = many\n");
ok_dag(0, 'a wrong value is mended', $dir, 'remote', 'modify', 'x', 'jobs', '3');
is(slurp("$dir/.dvc/config"), "['remote \"x\"']\n    url = /x\n    jobs = 3\n", '... in place');
spew("$dir/.dvc/config", "# mine\n['remote \"x\"']\n    url = s3://u:geheim\@h/x\n");
unlike(ok_dag(0, 'a password', $dir, 'remote')->{out}, qr/geheim/, '... is not shown');

# Without DVC.
my $plain = project();
system('git', 'init', '-q', $plain) == 0 or die 'git';
ok_dag(0, 'add without DVC', $plain, 'remote', 'add', '-d', 'store', '../store');
is(slurp("$plain/.dag/config"), "[core]\n    remote = store\n['remote \"store\"']\n    url = ../../store\n", '... .dag/config');
is(`git -C $plain status --short -uall`, "?? .dag/.gitignore\n?? .dag/config\n", '... which git sees, and nothing else');

# A repository in the project has its own.
make_path("$plain/in/.dvc", "$plain/in/sub");
spew("$plain/in/.dvc/config", '');
ok_dag(0, 'in a repository in the project', "$plain/in/sub", 'remote', 'add', 'inner', '/mnt/inner');
is(slurp("$plain/in/.dvc/config"), "['remote \"inner\"']\n    url = /mnt/inner\n", '... it is its own remote');
is(ok_dag(0, '... beside that of the user', "$plain/in", 'remote')->{out}, "mine    /mnt/mine\ninner   /mnt/inner\n", '... there');

# Usage.
usage($dir, "'frob' is nothing that remote can do: it is one of list, add, modify, default, rename and remove", 'remote', 'frob');
usage($dir, 'it is: dag remote add NAME URL', 'remote', 'add', 'x');
usage($dir, 'it is: dag remote modify NAME OPTION VALUE', 'remote', 'modify', 'x', 'url');
usage($dir, "that option has no meaning for 'dag remote list'", 'remote', '-d');
usage($dir, 'only one of --project, --local, --global and --system', 'remote', '--local', '--global', 'list');
like(ok_dag(0, 'completion', $dir, '__complete', 'remote', 'remove', '')->{out}, qr/^x\t$/m, '... knows the remotes');

# In a git work tree without DVC: what is to be entered, once. Below a project that lies above
# the work tree: nothing, as no clone would have it.
subtest 'git' => sub {
	my $top = project();
	local %ENV = %ENV;
	home($top);
	make_path("$top/r/s");
	system('git', '-C', "$top/r", 'init', '-q') == 0 or die;
	spew("$top/r/s/a", 'a');
	for my $cmd ([qw(add s/a)], [qw(remote add r /x)], [qw(config core.autostage true)], [qw(config --local core.autostage true)]) {
		my $p = ok_dag(2, "@$cmd", "$top/r", @$cmd);
		is($p->{err}, "dag: error: '$top/r' is a git repository of its own, but no project: its data would have cache and settings in '$top', which no clone of it has; 'dag -C $top/r init' makes it a project (or '-C $top' takes the one above)\n", '... is refused with the way out');
	}
	is(join(' ', grep { -e } "$top/.dag/config", "$top/.dag/config.local", "$top/r/.dag", "$top/r/s/a.dvc"), '', '... nothing is made');
	ok_dag(0, 'what is no project\'s', "$top/r", qw(config --global core.autostage false));
	ok_dag(0, 'nothing is asked of who looks', "$top/r", 'status');
	ok_dag(0, 'the one above', "$top/r/s", '-C', $top, qw(remote add -q r /x));
	unlink "$top/.dag/config";
	ok_dag(0, 'the way out', "$top/r/s", '-C', "$top/r", 'init');
	is(ok_dag(0, 'then', "$top/r/s", qw(remote add r /x))->{out}, "to share this by git:  git add ../.dag/config ../.dag/.gitignore\n", '... is told how git has it');
	system("cd $top/r/s && git add ../.dag/config ../.dag/.gitignore") == 0 or fail('... works');
	is(ok_dag(0, 'the next', "$top/r/s", qw(remote add q /y))->{out}, '', '... need not be told');
	ok_dag(0, 'add', "$top/r", qw(add -q s/a));
	ok(-e "$top/r/.dag/cache" && !-e "$top/.dag/cache", '... has its cache there');
};

# Many at once: each change stays, in files that are there and in those that are not yet.
for my $level ([], ['--global'], ['--local']) {
	my $many = project();
	local %ENV = %ENV;
	home($many);
	my @all = map { start($many, qw(remote add -q), @$level, "r$_", "/x/$_") } 1 .. 12;
	push @all, map { start($many, 'config', @$level, $_, 'true') } qw(core.autostage cache.slow_link_warning);
	is(join(' ', map { finish($_)->{rc} } @all), '0 ' x 13 . '0', "many changes at once @$level");
	is(scalar(split /\n/, ok_dag(0, 'list', $many, qw(remote list), @$level)->{out}), 12, '... all are there');
	is(ok_dag(0, 'config', $many, 'config', @$level, $_)->{out}, "true\n", "... $_ is") for qw(core.autostage cache.slow_link_warning);
	@all = map { start($many, qw(remote remove -q), @$level, "r$_") } 1 .. 6;
	push @all, map { start($many, qw(remote rename -q), @$level, "r$_", "n$_") } 7 .. 12;
	is(join(' ', map { finish($_)->{rc} } @all), '0 ' x 11 . '0', '... and then');
	my @left = map { (split)[0] } split /\n/, ok_dag(0, 'list', $many, qw(remote list), @$level)->{out};
	is(join(' ', sort @left), 'n10 n11 n12 n7 n8 n9', '... all are done');
}
done_testing();
