#!/usr/bin/perl
# Completion: what `dag __complete` answers, and bash, zsh and fish with their Tab key.
use strict;
use warnings;
use File::Basename qw(dirname);
use lib dirname(__FILE__);
use Cli;
use Test::More;
use Time::HiRes qw(time);

my $dir = project(
	'dags/demo.yaml' => <<'END',
params:
  mode: {type: string, enum: [fast, slow], default: fast, description: how}
  dry: {type: boolean, default: false}
tasks:
  fetch: {run: "true", description: get it, tags: [net]}
  train: {run: "true", needs: [fetch]}
  tune: {run: exit 3, needs: [fetch], retries: 1, retry_delay: 10ms}
END
	'dags/deep/other.yaml' => "tasks:\n  t: {run: 'true'}\n",
	'broken.yaml' => "tasks:\n  one: {ruN: x}\n  two: [\n",
	'half.yaml' => "tasks:\n  one: {ruN: x}\n  two: {}\n",
	'my files/x y.yaml' => "tasks:\n  t: {run: 'true'}\n",
	'notes.txt' => '',
);
my $bin = build() . '/bin/dag';

# What is answered, without descriptions.
sub complete {
	my (@words) = @_;
	my $p = dag_in($dir, '__complete', @words);
	is("$p->{rc}$p->{err}", '0', "dag @words: neither fails nor complains") if "$p->{rc}$p->{err}" ne '0';
	return join ' ', map { s/\t.*//r } split /\n/, $p->{out};
}

is(complete('run', 'demo', '-p', ''), 'mode= dry= :nospace', 'parameters before any run');
is(complete('runs', ''), '', 'no runs yet');
ok(!-e "$dir/.dag/dag.db", '... and no database is made for the question');
ok_dag(1, 'a run that fails', $dir, 'run', 'demo', '--progress', 'none');
my $old = substr(run_id($dir), -8);
ok_dag(0, 'and one that does not', $dir, 'run', 'other', '--progress', 'none');
my $new = substr(run_id($dir), -8);

my @verbs = dag_in($dir, 'help')->{out} =~ /^  ([a-z-]+) {2,}\S/mg;
for (
	[[''], join(' ', @verbs), 'all verbs'],
	[['ru'], 'run runs', 'verbs by their beginning'],
	[['-C', '/nowhere', 'ru'], 'run runs', '... behind an option'],
	[['frobnicate', ''], '', 'an unknown verb has nothing'],
	[['frobnicate', 1 .. 200, ''], '', 'nor, however many words follow it'],
	[['-'], '--dir --color --help --version', 'options before the verb'],
	[['run', '--pro'], '--progress', 'an option'],
	[['run', '--progress', 'json', '--pro'], '', '... is not offered twice'],
	[['run', '-p', 'x=1', '--par'], '--param --params-file', '... unless it may be repeated'],
	[['run', '--progress', ''], 'live plain none' =~ s/none/json none/r, 'its values'],
	[['run', '--progress=p'], '--progress=plain', '... behind ='],
	[['--color', 'a'], 'auto always', '... of a global one'],
	[['run', '--', '-'], ':yaml', 'behind -- there are no options'],
	[['run', ''], 'broken other demo half', 'names of DAGs'],
	[['run', 'd'], 'demo', '... by their beginning'],
	[['run', 'dags/'], ':yaml', 'a file is for the shell'],
	[['check', 'demo', 'o'], 'other', 'every word of check is a DAG'],
	[['run', 'demo', ''], '', 'run takes one word'],
	[['init', ''], '', 'a new name has no candidates'],
	[['run', '--params-file', ''], ':file', 'any file'],
	[['-C', ''], ':dir', 'a directory'],
	[['run', 'demo', '-p', 'mode='], 'mode=fast mode=slow', 'values of a parameter'],
	[['run', 'demo', '-pdry=t'], '-pdry=true', '... joined to its option'],
	[['run', 'demo', '-s', 't'], 'train tune tag:net :nospace', 'tasks to select'],
	[['run', 'demo', '-s', 'fetch,+tr'], 'fetch,+train :nospace', '... in a list'],
	[['run', '-s', 't', 'demo', '--select=tag:'], '--select=tag:net :nospace', 'tags'],
	[['run', 'half.yaml', '-s', ''], 'one two :nospace', 'tasks of a file with mistakes'],
	[['run', 'broken.yaml', '-s', ''], '', 'a file that is no YAML has none'],
	[['run', 'nowhere.yaml', '-s', ''], '', 'nor one that is not there'],
	[['runs', ''], "last $new $old", 'runs, the newest first'],
	[['runs', substr($old, 0, 7)], $old, 'one by its beginning'],
	[['runs', 'dem'], 'demo', "a DAG's name is its latest run"],
	[['cancel', ''], '', 'nothing to cancel'],
	[['resume', ''], '', 'nothing to resume'],
	[['logs', $old, 't'], 'train tune', 'tasks of a run'],
	[['logs', $old, 'tune', '--attempt', ''], '1 2', 'attempts'],
	[['logs', 'nonsense', ''], '', '... of no run'],
	[['retry', $old, '--from', 'f'], 'fetch :nospace', 'a task as the value of an option'],
	[['help', 'exit-'], 'exit-codes', 'topics'],
	[['help', 'retries'], 'retries', 'keys'],
	[['help', 'sh'], 'show shell', 'types'],
	[['completion', ''], 'bash zsh fish', 'words that stand for themselves'],
	[[], '', 'no word at all'],
) {
	my ($words, $want, $name) = @$_;
	is(complete(@$words), $want, "$name: dag @$words");
}
my $desc = dag_in($dir, '__complete', 'runs', '')->{out};
like($desc, qr/^last\tother success, \d+\S* ago$/m, 'a run is described by DAG, end and age');
like($desc, qr/^$old\tdemo failed, \d+\S* ago$/m, '... each of them');
like(dag_in($dir, '__complete', 'run', '--dr')->{out}, qr/^--dry-run\tSay of every task/, 'an option by its text');
unlike(dag_in($dir, 'help')->{out}, qr/__complete/, 'it is no verb for people');

# A place where nothing can be read or written, and a database that is none.
my $bad = project('x.yaml' => "tasks: {t: {run: 'true'}}\n", '.dag/dag.db' => 'nonsense' x 1000);
my $before = `ls -lAR --time-style=full-iso '$bad'`;
is(join('', map { my $p = dag_in($bad, '__complete', @$_); "$p->{rc}$p->{err}" } ['runs', ''], ['logs', 'last', ''],
	['resume', ''], ['run', 'x', '-s', '']), '0000', 'a broken database is nothing to talk about');
is(`ls -lAR --time-style=full-iso '$bad'`, $before, '... and nothing is changed');

# Quick enough for a key press.
SKIP: {
	my $release = $ENV{DAG_RELEASE} or skip 'no release build to measure', 2;
	my $many = project(map { ("dags/d$_.yaml" => "tasks:\n" . join('', map { "  t$_: {run: 'true'}\n" } 1 .. 20)) } 1 .. 200);
	chdir($dir) or die;
	for ([$dir, 'runs', ''], [$many, 'run', ''], [$many, 'run', 'd17', '-s', '']) {
		my ($in, @words) = @$_;
		chdir($in) or die;
		my @t = map { my $t = time; system("$release/bin/dag __complete @words '' >/dev/null"); time - $t } 1 .. 9;
		my $median = (sort { $a <=> $b } @t)[4];
		cmp_ok($median, '<', 0.040, sprintf('dag @words: %.1f ms, of them a shell for the test', $median * 1e3));
	}
	chdir('/');
}

# ---- the shells ----

sub has { my ($shell) = @_; return !system("command -v $shell >/dev/null 2>&1") }
$ENV{PATH} = build() . "/bin:$ENV{PATH}";
for (['bash', 'bash'], ['zsh', 'zsh'], ['fish', 'fish']) {
	my ($shell, $cmd) = @$_;
	my $script = ok_dag(0, "dag completion $shell", $dir, 'completion', $shell)->{out};
	is($script, slurp(source() . '/cli/completion/' . {bash => 'dag.bash', zsh => '_dag', fish => 'dag.fish'}->{$shell}),
		'... is what is installed');
	spew("$dir/script.$shell", $script);
	SKIP: {
		has($cmd) or skip "$shell is not installed", 1;
		is(`cd '$dir' && $cmd -n script.$shell 2>&1`, '', "... $shell has nothing against it");
	}
}
usage($dir, "there is completion for bash, zsh and fish, not for 'ksh'", 'completion', 'ksh');

# bash: the function, as Tab calls it.
spew("$dir/drive.bash", <<'END');
. ./script.bash
drive() {
	COMP_LINE=$1 COMP_POINT=${#1}
	shift
	COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMPREPLY=()
	_dag_complete dag "${COMP_WORDS[COMP_CWORD]}" ""
	local IFS=' '
	echo "${COMPREPLY[*]}"
}
drive 'dag ru' dag ru
drive 'dag run --progress=' dag run --progress =
drive 'dag run --progress=pl' dag run --progress = pl
drive 'dag run demo -p mode=f' dag run demo -p mode = f
drive 'dag  run   demo  -s  tag:n' dag run demo -s tag : n
drive 'dag run "demo" -s f' dag run '"demo"' -s f
drive 'dag run dags/' dag run dags/
drive 'dag run my' dag run my
drive 'dag -C d' dag -C d
drive 'dag run --params-file n' dag run --params-file n
drive 'dag logs last ' dag logs last ''
END
SKIP: {
	has('bash') or skip 'bash is not installed', 2;
	is(`cd '$dir' && bash --norc --noprofile drive.bash 2>&1`, <<'END', 'bash: what Tab is given');
run runs
live plain json none
plain
fast
net
fetch
dags/deep dags/demo.yaml
my files
dags
notes.txt
t
END
	my $p = pty($dir, ['--size', '24x100', '--expect', '$ ', '--send', '. ./script.bash\r', '--expect', '$ ',
		'--send', 'dag run --prog\t', '--expect', 'ress ', '--send', 'pl\t', '--expect', 'ain ', '--send', 'de\t',
		'--expect', 'mo ', '--send', '\x15dag run my\t', '--expect', 'files/', '--send', '\t', '--expect', 'y.yaml',
		'--send', '\x15dag runs \t\t', '--expect', $old, '--send', '\x15exit\r'],
		'--', 'env', 'PS1=$ ', 'bash', '--norc', '--noprofile', '-i');
	is($p->{rc}, 0, 'bash: with its own Tab') or diag($p->{out}, $p->{err});
	like($p->{out}, qr/my\\ files\/x\\ y\.yaml/, '... blanks are quoted');
	like($p->{out}, qr/last +$new +$old/, '... the newest run first');
}
SKIP: {
	has('zsh') or skip 'zsh is not installed', 2;
	spew("$dir/z/.zshrc", "autoload -Uz compinit; compinit -u -D; source $dir/script.zsh; PS1='ready> '\n");
	my $p = pty($dir, ['--size', '24x100', '--expect', 'ready> ', '--send', 'dag run --prog\t', '--expect', 'ress',
		'--send', 'pl\t', '--expect', 'ain', '--send', 'de\t', '--expect', 'mo',
		'--send', '\x15dag run demo -p mo\t', '--expect', 'de=', '--send', 'f\t', '--expect', 'ast',
		'--send', '\x15dag run dags/dem\t', '--expect', '.yaml', '--send', '\x15dag runs \t\t',
		'--expect', 'demo failed', '--send', '\x15exit\r'], '--', 'env', "ZDOTDIR=$dir/z", 'zsh', '-d', '-i');
	is($p->{rc}, 0, 'zsh: with its own Tab') or diag($p->{out}, $p->{err});
	like($p->{out}, qr/last +-- other success.*$new +-- other.*$old +-- demo failed, \S+ ago/s, '... runs are described');
}
SKIP: {
	has('fish') or skip 'fish is not installed', 2;
	local $ENV{HOME} = "$dir/home";
	local $ENV{XDG_RUNTIME_DIR} = $dir; # else it leaves a directory in /tmp
	my $ask = sub { `cd '$dir' && fish --no-config -c 'source script.fish; complete -C "$_[0]"' 2>&1` };
	like($ask->('dag runs '), qr/^last\tother success, \S+ ago\n$new\tother.*\n$old\tdemo failed/m, 'fish: runs');
	is($ask->('dag run --progress=p'), "--progress=plain\n", '... values');
	is($ask->('dag run demo -p mode='), "mode=fast\nmode=slow\n", '... parameters');
	like($ask->('dag run dags/'), qr{^dags/demo\.yaml$}m, '... files');
	my $p = pty($dir, ['--size', '24x100', '--expect', '> ', '--send', 'dag run --prog\t', '--expect', 'ress ',
		'--send', 'pl\t', '--expect', 'ain ', '--send', '\x15exit\r'],
		'--', 'fish', '--no-config', '-i', '-C', "source script.fish; function fish_prompt; printf '> '; end");
	is($p->{rc}, 0, '... with its own Tab') or diag($p->{out}, $p->{err});
}
# Stages of dvc.yaml, wherever they may be named.
my $stages = project('dvc.yaml' => "stages:\n  prep: {cmd: echo}\n  train: {cmd: echo}\n", 'pipe.yaml' => "tasks: {t: {run: echo}}\n");
for (['show', ''], ['run', ''], ['run', 'dvc.yaml', ''], ['run', 'prep', 'tr'], ['freeze', '']) {
	like(dag_in($stages, '__complete', @$_)->{out}, qr/^train\tdvc\.yaml$/m, "stages behind @$_");
}
unlike(dag_in($stages, '__complete', 'stage', 'add', '-n', '')->{out}, qr/train/, 'the name of a new one is nobody\'s');

done_testing();
