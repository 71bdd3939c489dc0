#!/usr/bin/perl
# Values that are wrong, and values that a shell would misread: they never become code, and are
# refused before anything starts; in the environment and by `| sh` they arrive as they are.
use strict;
use warnings;
use File::Basename qw(dirname);
use lib dirname(__FILE__);
use Cli;
use Test::More;

my $DECL = <<'E';
params:
  s: {type: string, default: abc, pattern: "[a-z]+", minimum: 1, maximum: 5}
  i: {type: integer, default: 1, minimum: 1, maximum: 10}
  n: {type: number, default: 1.5}
  b: {type: boolean, default: true}
  l: {type: array, default: [a], maximum: 3}
  e: {default: red, enum: [red, green]}
  r: {type: string, required: true}
tasks:
  a: {run: touch ran}
E

# A value that is refused: status 2, that sentence, nothing made.
sub wrong {
	my ($want, @args) = @_;
	my $dir = project('f.yaml' => $DECL);
	rmdir "$dir/.dag";
	my $p = dag_in($dir, 'run', 'f.yaml', @args);
	is($p->{rc}, 2, "status 2: @args") or diag($p->{out});
	my $err = $p->{err} =~ s/^dag: try .*\n//mr;
	is($err, "dag: error: $want\n", '... and why');
	ok(!-e "$dir/.dag" && !-e "$dir/ran" && $p->{out} eq '', '... nothing is made');
}

subtest 'params by -p' => sub {
	my @r = ('-p', 'r=x');
	wrong("param 'r' is required: give it by -p r=...");
	wrong("param 's' must match [a-z]+, which '$_' does not", @r, '-p', "s=$_")
		for ('ABC', 'a1', 'a b', 'ab ', '*');
	wrong("param 's' must match [a-z]+, which 'a\\nb' does not", @r, '-p', "s=a\nb");
	wrong("param 's' must have at least 1 character, not 0", @r, '-p', 's=');
	wrong("param 's' must have at most 5 characters, not 6", @r, '-p', 's=abcdef');
	wrong("param 's' must be valid UTF-8, not '\\xe9'", @r, '-p', "s=\xe9");
	wrong("param 'i' must be at least 1, not 0", @r, '-p', 'i=0');
	wrong("param 'i' must be at most 10, not 11", @r, '-p', 'i=11');
	wrong("param 'i' must be an integer, not '$_'", @r, '-p', "i=$_")
		for ('', 'x', '1.5', '1e1', '0x10', ' 1', '1 ', '99999999999999999999');
	wrong("param 'n' must be a number, not '$_'", @r, '-p', "n=$_")
		for ('', 'x', 'nan', 'inf', '1e999', '1,5');
	wrong("param 'b' must be true or false, not '$_'", @r, '-p', "b=$_") for ('', 'yes', '1', 'True');
	wrong("param 'l' must be a JSON array, not '{}'", @r, '-p', 'l={}');
	wrong("param 'l' must have at most 3 items, not 4", @r, '-p', 'l=[1,2,3,4]');
	wrong("param 'e' must be one of red, green, not 'blue'", @r, '-p', 'e=blue');
	wrong("param 'e' must be one of red, green, not 'gren'; did you mean 'green'?", @r, '-p', 'e=gren');
	wrong("there is no param 'q' in DAG 'f'", @r, '-p', 'q=1');
	wrong("there is no param 'rr' in DAG 'f'; did you mean 'r'?", @r, '-p', 'rr=1');
	wrong("there is no param 'x y' in DAG 'f'", @r, '-p', 'x y=1');
	# All of them in one go.
	wrong("param 'i' must be at most 10, not 99\n  param 'b' must be true or false, not 'x'\n"
		. "  param 'r' is required: give it by -p r=...", '-p', 'i=99', '-p', 'b=x');
	my $dir = project('f.yaml' => $DECL);
	my $p = ok_dag(2, 'a long value', $dir, 'run', 'f.yaml', '-p', 'r=x', '-p', 's=' . 'y' x 100_000);
	cmp_ok(length $p->{err}, '<', 2000, '... is not repeated whole');
};

# A params file with that text.
sub file {
	my ($name, $text, $want, $ending) = @_;
	my $file = 'v' . ($ending // '.yaml');
	my $dir = project('f.yaml' => $DECL, $file => $text);
	my $p = ok_dag(2, "params file: $name", $dir, 'run', 'f.yaml', '--params-file', $file);
	like($p->{err}, $want, '... why');
	ok(!-e "$dir/.dag/dag.db" && $p->{out} eq '', '... nothing is made');
}

subtest 'params by file' => sub {
	file('open', '{', qr/^v\.yaml:1:2: error: .*ends where/m);
	file('open, JSON', '{', qr/^dag: error: v\.json: /m, '.json');
	file('two keys', "r: x\nr: y\n", qr/^v\.yaml:2:1: error: the key 'r' is given twice/m);
	file('Latin-1', "r: \xe9\n", qr/^v\.yaml:1:4: error: the file is not UTF-8/m);
	file('NUL', "r: \"a\0\"\n", qr/^v\.yaml:1:6: error: .*NUL/m);
	file('empty', '', qr/^dag: error: v\.yaml: a params file is a mapping of names to values, not nothing/m);
	file('a list', "[1]\n", qr/not a list/);
	file('unknown', "r: x\nii: 1\n", qr/^dag: error: v\.yaml:2:1: there is no param 'ii' in DAG 'f'; did you mean 'i'\?$/m);
	file('a wrong type', "r: x\ni: \"3\"\n", qr/^dag: error: v\.yaml:2:4: param 'i' must be an integer, not '"3"'$/m);
	file('a wrong type, JSON', '{"r": "x", "i": "3"}', qr/^dag: error: v\.json: param 'i' must be an integer, not '"3"'$/m, '.json');
	file('three mistakes', "e: blue\ni: 11\nq: 1\n", qr/^dag: error: v\.yaml:3:1: there is no .*\n  v\.yaml:2:4: param 'i' .*\n  v\.yaml:1:4: param 'e' .*\n  param 'r' is required: /);
	file('out of range', "r: x\ni: 11\n", qr/param 'i' must be at most 10, not 11/);
	file('a number for text', "r: 5\n", qr/param 'r' must be a string, not '5'/);
	file('infinite', "r: x\nn: .inf\n", qr/param 'n' must be (?:finite|a number)/);
	file('too long', 'r: ' . 'x' x (2 << 20), qr/^dag: error: v\.yaml: the file of params.*at most 1 MiB/m);
	my $dir = project('f.yaml' => $DECL);
	my $p = ok_dag(2, 'no such file', $dir, 'run', 'f.yaml', '--params-file', 'gone.yaml');
	is($p->{err}, "dag: error: cannot open 'gone.yaml': No such file or directory\n", '... is said');
	$p = ok_dag(2, 'a directory', $dir, 'run', 'f.yaml', '--params-file', '.');
	is($p->{err}, "dag: error: cannot read '.': it is a directory\n", '... is said');
	spew("$dir/v.yaml", "r: \"it's\"\ni: 7\n");
	spew("$dir/f.yaml", $DECL =~ s/touch ran/[printf, '%s', '{{ params.r }} {{ params.i }} {{ params.e }}']/r);
	# What is no file but can be read, to the same limit.
	my $sh = sub { my $out = `cd $dir && bash -c '$_[0]' 2>&1`; return ($? >> 8) . " $out" };
	my $dag = build() . '/bin/dag run f.yaml --dry-run --params-file';
	like($sh->("echo \"{r: y, i: 7}\" | $dag $_"), qr/^0 /, "params from $_") for '-', '/dev/stdin';
	like($sh->("$dag <(echo \"{r: y, i: 7}\")"), qr/^0 /, 'params from a command');
	like($sh->("echo \"{i: x, r: y}\" | $dag -"), qr/^2 dag: error: standard input:1:5: param 'i'/, 'its mistakes have their place');
	like($sh->("head -c 17000000 /dev/zero | $dag -"), qr/^2 dag: error: standard input: .*larger than the limit of 16 MiB/, 'its limit');
	like($sh->("$dag /dev/zero"), qr/^2 dag: error: \/dev\/zero: .*larger than the limit of 16 MiB/, 'a device has it too');
	ok_dag(0, 'a right one', $dir, 'run', 'f.yaml', '--params-file', 'v.yaml', '-p', 'i=8',
		'--progress', 'none');
	is((dag($dir, 'logs', 'last', 'a'))[1], "it's 8 red", '-p goes before it, defaults behind');
};

# ---- values and the shell ----

my @meta = (';touch pwned', '$(touch pwned)', '`touch pwned`', "a\ntouch pwned\n", '| touch pwned',
	'&& touch pwned', '& touch pwned', '> pwned', "' ; touch pwned ; '", '" ; touch pwned ; "',
	'${IFS}touch', '\\', 'a b', '*', '~', '#x', '!x', '{a,b}', "\t", "caf\xc3\xa9", "x\rtouch pwned",
	'<(touch pwned)', "E\ntouch pwned\ncat <<E");

# Each of them in a word and in quotes; those that would do harm everywhere.
my @harm = @meta[1, 3, 8, 22];
my @contexts = (
	['a word', 'echo {{ params.x }}'],
	['a part of a word', 'echo pre-{{ params.x }}.csv'],
	['double quotes', 'echo "{{ params.x }}"'],
	['single quotes', "echo '{{ params.x }}'"],
	['$(...)', 'echo $(echo {{ params.x }})'],
	['$(...) in quotes', 'echo "$(echo "{{ params.x }}")"'],
	['backticks', 'echo `echo {{ params.x }}`'],
	['a here-document', "cat <<E\n{{ params.x }}\nE"],
	['a quoted here-document', "cat <<'E'\n{{ params.x }}\nE"],
	['a comment', "true # {{ params.x }}\ntrue"],
	['the command', '{{ params.x }} arg'],
	['a command behind ;', 'true; {{ params.x }}'],
	['a command behind a pipe', 'true | {{ params.x }}'],
	['a command behind then', 'if true; then {{ params.x }}; fi'],
	['an assignment', 'A={{ params.x }} env'],
	['a redirection', 'echo > {{ params.x }}'],
	['arithmetic', 'echo $(( {{ params.x }} ))'],
	['a parameter', 'echo ${X:-{{ params.x }}}'],
	['case', 'case {{ params.x }} in a) ;; esac'],
	['eval', 'eval "echo {{ params.x }}"'],
);

sub shell_dag {
	my ($run) = @_;
	return "params: {x: {type: string, default: d}}\ntasks:\n  a:\n    run: |\n"
		. join('', map { "      $_\n" } split /\n/, $run);
}

# Whether all that a refusal must say stands there.
sub is_refusal {
	my ($err) = @_;
	return $err =~ /^f\.yaml:\d+:\d+: error: the value .* cannot enter the shell command: /
		&& $err =~ /env: \{NAME: '\{\{ params\.x \}\}'\}, and "\$NAME" in the command/
		&& $err =~ /quote it as one word: \{\{ params\.x \| sh \}\}/;
}

for my $c (@contexts) {
	my ($name, $run) = @$c;
	subtest "a value in $name" => sub {
		my $dir = project('f.yaml' => shell_dag($run));
		for my $v ($run =~ /^echo ["']?\{/ ? @meta : @harm) {
			my $p = dag_in($dir, 'run', 'f.yaml', '--progress', 'plain', '-p', "x=$v");
			ok($p->{rc} == 2 && is_refusal($p->{err}) && $p->{out} eq '', "'$v'" =~ s/[^ -~]/?/gr)
				or diag("$p->{rc} $p->{out}$p->{err}");
		}
		is(join(' ', map { s/.*\///r } glob("$dir/* $dir/.dag/*")), 'f.yaml', 'nothing was executed or made');
	};
}

subtest 'options and command names' => sub {
	my $try = sub {
		my ($run, $value, $want) = @_;
		my $dir = project('f.yaml' => shell_dag($run));
		my $p = ok_dag(2, "'$value' in $run", $dir, 'run', 'f.yaml', '-p', "x=$value");
		like($p->{err}, $want, '... why');
	};
	$try->('ls {{ params.x }}', '-rf', qr/starts a word with '-' and would be an option/);
	$try->('ls {{ params.x | sh }}', '-rf', qr/starts a word with '-' and would be an option, quoted or not/);
	$try->('ls "{{ params.x }}"', '--all', qr/starts a word with '-'/);
	$try->('{{ params.x }} foo', 'ls', qr/would choose the program/);
	$try->('true && {{ params.x }}', 'ls', qr/would choose the program/);
	$try->('echo {{ params.x }}', '', qr/it is empty/);
	# | sh where its quotes would not hold.
	$try->($_, "a'b", qr/\| sh stands .*, where its quotes do not hold/)
		for ('echo "{{ params.x | sh }}"', "echo '{{ params.x | sh }}'", 'echo `echo {{ params.x | sh }}`',
		"cat <<E\n{{ params.x | sh }}\nE");
	my $dir = project('f.yaml' => shell_dag('ls --name={{ params.x }}; ls pre{{ params.x }} || true'));
	isnt((dag($dir, 'run', 'f.yaml', '-p', 'x=-rf'))[0], 2, 'behind = or in a word a dash is none');
	# A language with other rules.
	$dir = project('f.yaml' =>
		"params: {x: abc}\ntasks:\n  a: {run: 'print({{ params.x }})', shell: [python3, -c]}\n");
	like(ok_dag(2, 'another language', $dir, 'run', 'f.yaml')->{err}, qr/^f\.yaml:3:\d+: error: .*python3/m,
		'... has other rules');
};

subtest 'the two ways out, and argv' => sub {
	my $text = "params: {x: {type: string, default: d}}\ntasks:\n"
		. "  env: {run: 'printf %s \"\$X\" > env.out', env: {X: '{{ params.x }}'}}\n"
		. "  sh: {run: 'set -- -- {{ params.x | sh }}; printf %s \"\$2\" > sh.out; echo \$# > n.out'}\n"
		. "  argv: {run: [perl, -e, 'open F, \">argv.out\"; print F \$ARGV[0]', '--', '{{ params.x }}']}\n";
	my $dir = project('f.yaml' => $text);
	for my $v (@meta, "line\n\nline\n", "\n", '  ', "'''", '""', "\$X \${X}", '%s %n \\n', "\x01\x7f\e[31m",
		"\xf0\x9f\x98\x80 \xe2\x80\xae", '{{ ds }} {% if %} {# #}', "E\nEOF\n", 'x' x 100_000) {
		unlink glob("$dir/*.out");
		my $p = dag_in($dir, 'run', 'f.yaml', '--progress', 'plain', '-p', "x=$v");
		my $name = length $v > 50 ? '100,000 bytes' : "'" . ($v =~ s/([^ -~])/sprintf '\\x%02x', ord $1/ger) . "'";
		is($p->{rc}, 0, "$name runs") or diag("$p->{out}$p->{err}");
		ok((slurp("$dir/$_.out") // '') eq $v, "... arrives by $_, byte for byte") for ('env', 'sh', 'argv');
		is(slurp("$dir/n.out"), "2\n", '... as one word');
	}
	ok(!-e "$dir/pwned", 'nothing was executed');
};

subtest 'values of tasks' => sub {
	# What another task writes is no more to be trusted; then it is the attempt that is refused.
	my $dir = project('f.yaml' => <<'END');
tasks:
  a:
    run: |
      printf 'x<<END\n$(touch pwned)\nEND\n' >> "$DAG_OUTPUT"
  raw: {needs: [a], run: 'echo {{ outputs.a.x }}'}
  quoted: {needs: [a], run: 'printf "%s\n" {{ outputs.a.x | sh }}'}
  env: {needs: [a], run: 'printf "%s\n" "$X"', env: {X: '{{ outputs.a.x }}'}}
END
	my $p = ok_dag(1, 'the run fails', $dir, 'run', 'f.yaml', '--progress', 'plain');
	like($p->{out}, qr/^  raw: .*the value '\$\(touch pwned\)' cannot enter the shell command/m,
		'the task that takes it raw');
	is((dag($dir, 'logs', 'last', $_))[1], "\$(touch pwned)\n", "by $_ it arrives") for ('quoted', 'env');
	ok(!-e "$dir/pwned", 'nothing was executed');
};
done_testing();
