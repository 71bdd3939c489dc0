#!/usr/bin/perl
# dag stage, freeze, unfreeze, and remove of stages: what they say and refuse. That files are what DVC
# writes is for tests/dvc/stage_edit.t.
use strict;
use warnings;
use File::Basename qw(dirname);
use lib dirname(__FILE__);
use Cli;
use Test::More;

my $dir = project('raw' => "r\n", 'sub/x' => "x\n");
system('git', 'init', '-q', $dir) == 0 or die 'git';

# Words.
usage($dir, "'dag stage' needs add|list [STAGE...]", 'stage');
usage($dir, "'foo' is nothing that stage can do: it is one of add and list", 'stage', 'foo');
usage($dir, 'the stage needs a name: --name STAGE', 'stage', 'add', 'echo');
usage($dir, 'the stage needs a command: dag stage add -n a ... COMMAND', 'stage', 'add', '-n', 'a');
usage($dir, "that option has no meaning for 'dag stage list'", 'stage', 'list', '-f');
usage($dir, "that option has no meaning for 'dag stage add'", 'stage', 'add', '-n', 'a', '--all', 'echo');
usage($dir, "unknown option '--lr'", 'stage', 'list', '--lr');
ok(!-e "$dir/dvc.yaml", 'nothing was made');

# A command has options of its own.
is(ok_dag(0, 'add', $dir, 'stage', 'add', '-n', 'a', '-d', 'raw', '-o', 'out', 'sh', '-c', 'cp raw out', '--name', '-f')->{out},
	"a  added to dvc.yaml\nto track this with git:  git add .gitignore dvc.yaml\n", 'is told');
is(slurp("$dir/dvc.yaml"), qq{stages:\n  a:\n    cmd: sh -c "cp raw out" --name -f\n    deps:\n    - raw\n    outs:\n    - out\n},
	'options behind the first word are its');
is(ok_dag(0, 'add', $dir, 'stage', '-q', 'add', '-n', 'b', '-d', 'out', '-O', 'b', '--', '-x', '--all')->{out}, '', 'nothing is told');
like(slurp("$dir/dvc.yaml"), qr/^    cmd: -x --all$/m, '-- is none of its words');
ok_dag(0, 'add', $dir, 'stage', 'list', '--name-only');

# What is refused changes nothing.
my $before = slurp("$dir/dvc.yaml") . slurp("$dir/.gitignore");
my @refused = (
	[qr/has a stage 'a' already: --force/, '-n', 'a', 'x'],
	[qr/'a.b' cannot be the name/, '-n', 'a.b', 'x'],
	[qr/the name of a stage is empty/, '-n', '', 'x'],
	[qr/the name of a stage has more than 1000 bytes/, '-n', 'x' x 1001, 'x'],
	[qr/'out\/y', which stage 'c' of 'dvc.yaml' makes, lies in 'out', which stage 'a' of 'dvc.yaml' makes/, '-n', 'c', '-o', 'out/y', 'x'],
	[qr/'out' is an output of stage 'a' of 'dvc.yaml' already, so it cannot be one of stage 'c'/, '-n', 'c', '-o', 'out', 'x'],
	[qr/a circle: stage 'c' of 'dvc.yaml' is needed by stage 'a' of 'dvc.yaml', which is needed by stage 'b' .*, which is needed by stage 'c'/, '-n', 'c', '-d', 'b', '-o', 'raw', 'x'],
	[qr/stage 'c' of 'dvc.yaml' would need a part of what it makes/, '-n', 'c', '-d', 'm', '-o', 'm/n', 'x'],
	[qr/working directory 'nope'.*: no such file/i, '-n', 'c', '-w', 'nope', 'x'],
	[qr/working directory '.*' is outside/, '-n', 'c', '-w', '..', 'x'],
	[qr/'..\/y' is outside of the repository, so the cache cannot keep it/, '-n', 'c', '-o', '../y', 'x'],
	[qr/says what is tracked/, '-n', 'c', '-d', 'y.dvc', 'x'],
	[qr/the command is empty/, '-n', 'c', ''],
	[qr/is not UTF-8/, '-n', 'c', '-o', "y\xff", 'x'],
	[qr/too long/, '-n', 'c', '-o', 'y/' x 2048, 'x'],
	[qr/'y' is named twice among what stage 'c' needs/, '-n', 'c', '-d', 'y', '-p', './y:k', 'x'],
);
like(ok_dag(2, "refused: @$_[1 .. 3]", $dir, 'stage', 'add', @$_[1 .. $#$_])->{err}, $_->[0], '... and why') for @refused;
is(slurp("$dir/dvc.yaml") . slurp("$dir/.gitignore"), $before, 'nothing was changed');
ok_dag(0, 'a name at the limit', $dir, 'stage', 'add', '-q', '-n', 'x' x 1000, 'x');
ok_dag(0, '... goes', $dir, 'remove', '-q', 'x' x 1000);
is(slurp("$dir/dvc.yaml") . slurp("$dir/.gitignore"), $before, '... and nothing is left of it');

# An output that git knows: nothing is written, where DVC has written dvc.yaml by then.
system('git', '-C', $dir, 'add', 'sub/x') == 0 or die 'git';
like(ok_dag(2, 'git tracks it', $dir, 'stage', 'add', '-n', 'c', '-o', 'new', '-o', 'sub/x', 'x')->{err}, qr/git tracks 'sub\/x'/, '... is told');
is(slurp("$dir/dvc.yaml") . slurp("$dir/.gitignore"), $before, '... and nothing changed');

# A directory that is not there yet does not keep the others out of .gitignore.
like(ok_dag(0, 'later', $dir, 'stage', 'add', '-n', 'c', '-m', 'later/m', '-o', 'now', 'x')->{err}, qr/'later\/m' is not in .gitignore yet/, '... is told');
is(slurp("$dir/.gitignore"), "/out\n/now\n", '... and the other is there');

# A group has its name, too.
spew("$dir/sub/dvc.yaml", "stages:\n  g:\n    foreach: [1, 2]\n    do:\n      cmd: echo \${item}\n      outs: ['g\${item}']\n  t:\n    cmd: x\n");
like(ok_dag(2, 'a group', "$dir/sub", 'stage', 'add', '-n', 'g', 'x')->{err}, qr/has a stage 'g' already/, '... is not replaced');
is(ok_dag(0, 'list', "$dir/sub", 'stage', 'list', 'g', 't', 'g@1', '../dvc.yaml:a')->{out},
	join('', map { sprintf "%-13s  %s\n", @$_ } ['g@1', 'Outputs g1'], ['g@2', 'Outputs g2'], ['t', 'No outputs or dependencies'], ['../dvc.yaml:a', 'Outputs out']),
	'each is listed once');
like(ok_dag(2, 'list', $dir, 'stage', 'list', 'aa')->{err}, qr/did you mean 'a'/, 'a wrong name');
like(ok_dag(2, 'freeze', $dir, 'freeze', 'sub/dvc.yaml:g')->{err}, qr/stage 'g' is made of templates/, 'templates are for hands');
like(ok_dag(2, 'remove', $dir, 'remove', 'sub/dvc.yaml:g@1', 'a')->{err}, qr/stage 'g\@1' is made of templates/, 'templates are for hands');
like(slurp("$dir/dvc.yaml"), qr/^  a:$/m, '... and the other word has to wait');

# Frozen: one that cannot be does not keep the others from it.
my $p = ok_dag(2, 'freeze', $dir, 'freeze', 'nope', 'a', 'sub/dvc.yaml:t');
is($p->{out}, "a  frozen\nsub/dvc.yaml:t  frozen\nto track this with git:  git add dvc.yaml sub/dvc.yaml\n", 'is told');
like($p->{err}, qr/there is no stage 'nope' in 'dvc.yaml'/, '... and the other');
like(slurp("$dir/$_"), qr/^    frozen: true$/m, "$_ has it") for 'dvc.yaml', 'sub/dvc.yaml';
ok_dag(0, 'unfreeze', $dir, 'unfreeze', '-q', 'a');
unlike(slurp("$dir/dvc.yaml"), qr/frozen/, 'and back');
ok_dag(0, 'add', $dir, 'add', '-q', 'raw');
ok_dag(0, 'what is tracked', $dir, 'freeze', '-q', 'raw');
like(slurp("$dir/raw.dvc"), qr/^frozen: true$/m, '... by its pointer');
ok_dag(0, 'remove', $dir, 'remove', '-q', 'raw');

# Taken out: what cannot be got back is asked for, and nothing happens before.
spew("$dir/b", "git's\n");
spew("$dir/dvc.lock", "schema: '2.0'\nstages:\n  b:\n    cmd: -x --all\n");
like(ok_dag(1, 'outs', $dir, 'remove', '--outs', 'b')->{err}, qr/would be lost.*\n  b$/s, 'what is nowhere else');
like(slurp("$dir/dvc.yaml"), qr/^  b:$/m, '... and the stage is there');
ok(-e "$dir/dvc.lock", '... and its lock');
is(ok_dag(0, 'by force', $dir, 'remove', '--outs', '-f', 'b')->{out}, "b  removed\nb  taken out of dvc.yaml\n", 'both go');
ok(!-e "$dir/$_", "no $_") for 'b', 'dvc.lock';

# The last stage: dvc.yaml goes with it only if it has nothing else to say.
spew("$dir/dvc.yaml", "vars:\n- {a: 1}   # one\nstages:\n  a:\n    cmd: x\n");
ok_dag(0, 'the last stage', $dir, 'remove', 'a');
is(slurp("$dir/dvc.yaml"), "vars:\n- {a: 1}   # one\n", '... and the rest stays');
ok_dag(2, 'again', $dir, 'remove', 'a');
# Added and run: a failure leaves it in the file.
$dir = project('raw' => "r\n");
like(ok_dag(0, 'added and run', $dir, 'stage', 'add', '-n', 'a', '-d', 'raw', '-o', 'out', '--run', 'cp raw out')->{out},
	qr/^a  added to dvc\.yaml\n.*a: success.*1 task: 1 success/s, 'is told');
is(slurp("$dir/out") . (slurp("$dir/dvc.lock") =~ /^  a:\n    cmd: cp raw out\n/m), "r\n1", '... and done');
$p = ok_dag(1, 'added and failed', $dir, 'stage', 'add', '-q', '-n', 'b', '-d', 'out', '--run', 'exit 3');
like($p->{out}, qr/b: exit status 3/, '... says why');
like(slurp("$dir/dvc.yaml"), qr/^  b:$/m, '... and it is there');
usage($dir, "that option has no meaning for 'dag stage list'", 'stage', 'list', '--run');
done_testing;
