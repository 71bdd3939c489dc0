#!/usr/bin/perl
# dag config: settings shown and changed as DVC does, and what is refused.
use strict;
use warnings;
use File::Basename qw(dirname);
use lib dirname(__FILE__);
use Cli qw(:DEFAULT home);
use Cwd qw(abs_path);
use File::Temp qw(tempdir);
use Test::More;

my $top = abs_path(tempdir('dag-config-XXXXXX', TMPDIR => 1, CLEANUP => 1));
my $dir = "$top/r";
mkdir $dir;
mkdir "$dir/$_" for '.dvc', 'sub';
spew("$dir/.dvc/config", '');
home($top);

ok_dag(0, 'set', $dir, 'config', 'core.autostage', 'true');
like(ok_dag(0, 'link types', $dir, 'config', 'cache.type', 'hardlink,symlink')->{err}, qr/checkout --relink/, '... says what that changes');
is(ok_dag(0, 'a path', "$dir/sub", 'config', 'cache.dir', '../../ca')->{out}, '', '... silently');
ok_dag(0, 'upper case', $dir, 'config', 'Core.CHECKSUM_jobs', '3');
my $want = "[core]\n    autostage = true\n    checksum_jobs = 3\n[cache]\n    type = \"hardlink,symlink\"\n    dir = ../../ca\n";
is(slurp("$dir/.dvc/config"), $want, 'the file is what DVC writes');
is(ok_dag(0, 'a path is as seen from here', "$dir/sub", 'config', 'cache.dir')->{out}, "$top/ca\n", '... whole');

# What is refused leaves all as it is.
my @no = (
	['an unknown option', qr/core has no option 'nope'/, 'core.nope', '1'],
	['to ask for one', qr/did you mean 'autostage'/, 'core.autostag'],
	['an unknown section', qr/no section 'cor'.*'core'/, 'cor.remote', 'x'],
	['a wrong value', qr/bogus|link/, 'cache.type', 'bogus'],
	['a wrong number', qr/checksum_jobs/, 'core.checksum_jobs', 'many'],
	['to unset what is not set', qr/no value for 'core.remote'/, '-u', 'core.remote'],
	['to ask a file that has it not', qr/config.local' says nothing of it/, '--local', 'core.autostage'],
);
for (@no) {
	my ($name, $re, @words) = @$_;
	like(ok_dag(2, $name, $dir, 'config', @words)->{err}, $re, '... says why');
}
is(slurp("$dir/.dvc/config"), $want, '... and nothing was written');
is(ok_dag(0, 'not set', $dir, 'config', 'core.remote')->{out}, '', '... is no failure');

# Levels.
ok_dag(0, 'of the user', $dir, 'config', '--global', 'core.autostage', 'false');
is(slurp("$top/home/.config/dvc/config"), "[core]\n    autostage = false\n", '... lies with the user');
is(ok_dag(0, 'the stronger one', $dir, 'config', 'core.autostage')->{out}, "true\n", '... holds');
is(ok_dag(0, 'the weaker one', $dir, 'config', '--global', 'core.autostage')->{out}, "false\n", '... can be asked for');
ok_dag(0, 'of this copy', $dir, 'config', '--local', 'core.autostage', 'false');
is(ok_dag(0, 'it', $dir, 'config', 'core.autostage', '--show-origin')->{out}, ".dvc/config.local\tfalse\n", '... is the strongest');
ok_dag(0, 'of the machine', $dir, 'config', '--system', 'cache.shared', 'group');
is(slurp("$top/etc/dvc/config"), "[cache]\n    shared = group\n", '... lies there');
ok_dag(0, 'taken out', $dir, 'config', '--unset', '--local', 'core.autostage');
is(slurp("$dir/.dvc/config.local"), "\n", '... with its section');

# Remotes and the list.
ok_dag(0, 'a remote', $dir, 'config', 'remote.s.url', 's3://bucket/x');
ok_dag(0, 'its secret', $dir, 'config', '--local', 'remote.s.secret_access_key', 'geheim');
ok_dag(0, 'an option', $dir, 'config', 'remote.s.jobs', '4');
my $list = ok_dag(0, 'list', $dir, 'config', '--list')->{out};
is($list, "cache.shared=group\ncore.autostage=false\nremote.s.url=s3://bucket/x\nremote.s.jobs=4\ncore.autostage=true\ncore.checksum_jobs=3\n"
	. "cache.type=hardlink,symlink\ncache.dir=$top/ca\nremote.s.secret_access_key=(not shown)\n", '... of all files, without the secret');
is(ok_dag(0, 'asked for by name', $dir, 'config', 'remote.s.secret_access_key')->{out}, "geheim\n", '... it is shown');
like(ok_dag(0, 'with the files', $dir, 'config', '-l', '--show-origin', '--project')->{out}, qr{\A.dvc/config\tremote.s.url=s3://bucket/x\n}, '... of one');

# Without DVC; comments stay; a mistake can be mended.
my $plain = project();
system('git', 'init', '-q', $plain) == 0 or die 'git';
ok_dag(0, 'without DVC', $plain, 'config', 'cache.type', 'copy');
is(slurp("$plain/.dag/config"), "[cache]\n    type = copy\n", '... .dag/config');
spew("$plain/.dag/config", "# mine\n[cache]\n    type = bogus # here\n");
ok_dag(0, 'a mistake', $plain, 'config', 'cache.type', 'copy');
like(slurp("$plain/.dag/config"), qr/\A# mine\n\[cache\]\n    type = copy/, '... is mended in place');

# Many at once: each change is there in the end, whoever came last.
{
	my @all = map { "remote.r$_.url" } 1 .. 24;
	my @pids = map {
		my ($name, $pid) = ($_, fork());
		if ($pid == 0) {
			open(STDOUT, '>', '/dev/null');
			exec(build() . "/bin/dag", '-C', $plain, 'config', $name, "/x/$name") or die;
		}
		$pid
	} @all;
	is(scalar(grep { waitpid($_, 0); $? } @pids), 0, 'many changes at once go well');
	my $text = slurp("$plain/.dag/config");
	is(join(' ', grep { $text !~ m{url = /x/\Q$_\E$}m } @all), '', '... and none is lost');
}

usage($dir, 'name a setting, or give --list', 'config');
usage($dir, "'core' is no name of a setting, such as core.remote or remote.NAME.url", 'config', 'core');
usage($dir, 'of which one? It is remote.NAME.url', 'config', 'remote.url');
usage($dir, "section 'core' has no names: it is core.remote", 'config', 'core.x.remote');
usage($dir, '--unset takes no value', 'config', '-u', 'core.remote', 'x');
usage($dir, 'only one of --project, --local, --global and --system', 'config', '--local', '--global', '-l');
like(ok_dag(0, 'completion', $dir, '__complete', 'config', 'core.c')->{out}, qr/^core.checksum_jobs\t3$/m, '... knows what is set');
done_testing();
