# What the tests of the command line share: a project in a directory of its own, the program
# run with a clean environment, and golden outputs with what differs each time made equal.
package Cli;
use strict;
use warnings;
use Cwd qw(abs_path);
use Exporter qw(import);
use File::Basename qw(dirname);
use File::Path qw(make_path);
use File::Temp qw(tempdir);
use IPC::Open3 qw(open3);
use POSIX qw(WNOHANG);
use Symbol qw(gensym);
use Test::More;

our @EXPORT = qw(source build project spew slurp dag dag_in start finish norm golden golden_run ok_dag usage
	run_id wait_for pty screen);
our @EXPORT_OK = qw(home git object uml); # of tests about tracked data, and on a kernel of their own

my $source = $ENV{DAG_SOURCE} // abs_path(dirname(__FILE__) . '/../..');
my $build = $ENV{DAG_BUILD} // "$source/build/dev";
my $here = dirname(abs_path(__FILE__));

delete @ENV{grep { /^DAG_/ && !/^DAG_(?:BUILD|SOURCE|GOLDEN)$/ } keys %ENV};
delete @ENV{qw(NO_COLOR COLUMNS LINES)};
# Who is ended by a signal cleans up, too.
$SIG{$_} = sub { exit 1 } for qw(INT TERM HUP);
$ENV{LC_ALL} = 'C.UTF-8';
$ENV{TERM} = 'dumb';

sub source { $source }
sub build { $build }

# A new empty directory, with files; return its path.  `.dag` marks it as a root of its own.
sub project {
	my (%files) = @_;
	my $dir = abs_path(tempdir('dag-cli-XXXXXX', TMPDIR => 1, CLEANUP => 1));
	make_path("$dir/.dag");
	spew("$dir/$_", $files{$_}) for keys %files;
	return $dir;
}

sub spew {
	my ($path, $text) = @_;
	make_path(dirname($path));
	open(my $f, '>:raw', $path) or die "$path: $!";
	print $f $text;
	close($f) or die "$path: $!";
}

sub slurp {
	my ($path) = @_;
	open(my $f, '<:raw', $path) or return undef;
	local $/;
	return <$f> // '';
}

# Start dag in a directory; both outputs go to files.
sub start {
	my ($dir, @args) = @_;
	my $tmp = tempdir('dag-out-XXXXXX', TMPDIR => 1, CLEANUP => 1);
	my $pid = fork // die "fork: $!";
	if ($pid == 0) {
		chdir($dir) or die "$dir: $!";
		open(STDIN, '<', '/dev/null');
		open(STDOUT, '>', "$tmp/out");
		open(STDERR, '>', "$tmp/err");
		exec("$build/bin/dag", @args) or POSIX::_exit(126);
	}
	return {pid => $pid, dir => $dir, tmp => $tmp, args => "@args"};
}

# Wait for its end: {rc, out, err}.
sub finish {
	my ($p) = @_;
	my $end = time + 60;
	my $got;
	until ($got = waitpid($p->{pid}, WNOHANG)) {
		kill 'KILL', $p->{pid} if time > $end;
		select(undef, undef, undef, 0.005);
	}
	$p->{rc} = $? & 127 ? 128 + ($? & 127) : $? >> 8;
	$p->{out} = slurp("$p->{tmp}/out");
	$p->{err} = slurp("$p->{tmp}/err");
	return $p;
}

sub dag_in { finish(start(@_)) }

# The program's parts that are asked for most.
sub dag {
	my $p = dag_in(@_);
	return ($p->{rc}, $p->{out}, $p->{err});
}

# It ends with that status; else show what it said.
sub ok_dag {
	my ($rc, $name, @cmd) = @_;
	my $p = dag_in(@cmd);
	is($p->{rc}, $rc, $name) or diag("dag $p->{args}\n$p->{out}\n$p->{err}");
	return $p;
}

# A mistake on the command line: status 2, nothing on stdout, and this on stderr.
sub usage {
	my ($dir, $want, @args) = @_;
	my $p = dag_in($dir, @args);
	my ($first) = split /\n/, $p->{err};
	$first = norm($first // '', $dir);
	is("$p->{rc} $first", "2 dag: error: $want", "dag @args");
	is($p->{out}, '', '... and nothing on stdout') if $p->{out} ne '';
}

# Nobody's settings but those in that directory count, of git, DVC and dag.
sub home {
	my ($top) = @_;
	@ENV{qw(HOME XDG_CONFIG_HOME XDG_CONFIG_DIRS GIT_CONFIG_NOSYSTEM)} = ("$top/home", "$top/home/.config", "$top/etc", 1);
	delete @ENV{qw(DVC_GLOBAL_CONFIG_DIR DVC_SYSTEM_CONFIG_DIR GIT_CONFIG_GLOBAL)};
	make_path("$top/home");
}

sub git {
	my ($dir, @args) = @_;
	system('git', '-C', $dir, '-c', 'user.name=t', '-c', 'user.email=t@t', @args) == 0 or die "git @args";
}

# Where a store has the object of that hash.
sub object {
	my ($store, $hex) = @_;
	return "$store/files/md5/" . substr($hex, 0, 2) . '/' . substr($hex, 2);
}

# The full id of a run of the project.
sub run_id {
	my ($dir, $ref) = @_;
	my $p = dag_in($dir, 'runs', $ref // 'last', '--json');
	return $p->{out} =~ /"run": "([0-9a-f-]{36})"/ ? $1 : undef;
}

# Wait until the code is true; 20 s at most.
sub wait_for {
	my ($name, $code) = @_;
	my $end = time + 20;
	until ($code->()) {
		if (time > $end) {
			fail("waited in vain: $name");
			return 0;
		}
		select(undef, undef, undef, 0.02);
	}
	return 1;
}

# What is said on the console of a kernel that runs as a program (user-mode Linux), which has the
# machine's files and runs $init as its first process; '' where it does not come to its end.  It
# hangs now and then at its start, on a busy machine; so it is started again, and what is left of
# it goes with its pid namespace.
sub uml {
	my ($init, $seconds, @options) = @_;
	my $console = "$init.console";
	for my $try (1 .. 3) {
		my $pid = fork() // die "fork: $!";
		if ($pid == 0) {
			open(STDIN, '<', '/dev/null') && open(STDOUT, '>', $console) && open(STDERR, '>&', \*STDOUT) or die $!;
			exec('timeout', '-k', 5, $seconds, qw(unshare -p -f --kill-child linux.uml rootfstype=hostfs rootflags=/ rw con=null quiet), 'con0=fd:0,fd:1',
				"init=$init", @options) or exit 127;
		}
		waitpid($pid, 0);
		my $said = slurp($console) // '';
		unlink $console;
		return $said =~ s/\r//gr if ($? >> 8) != 124 && ($? >> 8) != 137 && $? != 9;
		diag("linux.uml hangs (try $try): " . substr($said, -300));
	}
	return '';
}

# What differs from run to run, made equal.
sub norm {
	my ($s, $dir) = @_;
	my %short;
	$s =~ s/\Q$dir\E/DIR/g if defined $dir;
	$short{substr($_, -8)} = 1 for $s =~ /\b([0-9a-f]{8}-[0-9a-f-]{27})\b/g;
	$s =~ s/\b[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}\b/RUN/g;
	$s =~ s/\b$_\b/ID/g for keys %short;
	$s =~ s/\b[0-9a-f]{64}\b/HASH/g;
	$s =~ s/\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z/INSTANT/g;
	$s =~ s/\b\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\b/WHEN/g;
	$s =~ s/^\d\d:\d\d:\d\d /TIME /mg;
	$s =~ s/\b\d+(?:\.\d+)?(?:us|ms|s)\b/DUR/g;
	$s =~ s/\b\d+(?:\.\d+)? (?:B|[KMG]iB)\b/SIZE/g;
	$s =~ s/\bpid \d+/pid PID/g;
	$s =~ s/\b(?=[0-9a-f]*\d)[0-9a-f]{8}\b/ID/g;
	$s =~ s/(?<=\S) {2,}/  /g;
	return $s;
}

# Compare with tests/cli/golden/NAME; DAG_GOLDEN=update writes it anew.  Of a run, what differs
# each time is made equal first; everything else must be the same to the byte.
sub golden {
	my ($name, $got, $dir) = @_;
	my $path = "$here/golden/$name";
	$got =~ s/\Q$dir\E/DIR/g if defined $dir;
	if (($ENV{DAG_GOLDEN} // '') eq 'update') {
		spew($path, $got);
	}
	my $want = slurp($path) // '(no such golden file)';
	is($got, $want, "golden $name");
}

sub golden_run {
	my ($name, $got, $dir) = @_;
	golden($name, norm($got, $dir));
}

# ---- terminals ----

# Run dag on a terminal: pty(dir, [ptyrun's options], dag's arguments).
sub pty {
	my ($dir, $steps, @args) = @_;
	my $tmp = tempdir('dag-pty-XXXXXX', TMPDIR => 1, CLEANUP => 1);
	my $pid = fork // die "fork: $!";
	if ($pid == 0) {
		chdir($dir) or die "$dir: $!";
		$ENV{TERM} = 'xterm' if $ENV{TERM} eq 'dumb' && !$ENV{KEEP_TERM};
		open(STDIN, '<', '/dev/null');
		open(STDOUT, '>', "$tmp/out");
		open(STDERR, '>', "$tmp/err");
		my @cmd = @args && $args[0] eq '--' ? @args[1 .. $#args] : ("$build/bin/dag", @args);
		exec("$build/tests/ptyrun", @$steps, '--', @cmd) or POSIX::_exit(126);
	}
	return finish({pid => $pid, dir => $dir, tmp => $tmp, args => "@args"});
}

# What a terminal of that size shows after the bytes: its lines, and how many have scrolled
# away.  Understands what the live table writes, and fails on anything else.  A wide character
# takes two cells, a combining one none.
sub screen {
	my ($bytes, $rows, $cols) = @_;
	my @cells = map { [] } 1 .. $rows;
	my ($y, $x, $scrolled, $odd) = (0, 0, 0, '');
	utf8::decode($bytes);
	my $down = sub {
		if ($y == $rows - 1) {
			shift @cells;
			push @cells, [];
			$scrolled++;
		} else {
			$y++;
		}
	};
	my $put = sub {
		my ($char) = @_;
		if ($char =~ /\p{M}/ && $x > 0) {
			$cells[$y][$x - 1] .= $char;
			return;
		}
		my $wide = $char =~ /\p{East_Asian_Width=Wide}|\p{East_Asian_Width=Fullwidth}/ ? 1 : 0;
		if ($x + $wide >= $cols) { $x = 0; $down->(); $odd .= '(wrapped)'; }
		$cells[$y][$_] //= ' ' for 0 .. $x - 1;
		$cells[$y][$x++] = $char;
		$cells[$y][$x++] = '' if $wide;
	};
	while ($bytes =~ /\G(?:(\e\[(\??)([\d;]*)([A-Za-z]))|(\r)|(\n)|([^\e\r\n])|(.))/gs) {
		my ($esc, $private, $n, $what, $cr, $nl, $char, $other) = ($1, $2, $3, $4, $5, $6, $7, $8);
		if (defined $esc) {
			if ($what eq 'A') { $y -= $n || 1; $y = 0 if $y < 0; }
			elsif ($what eq 'K') { $#{$cells[$y]} = $x - 1 if $#{$cells[$y]} >= $x; }
			elsif ($what eq 'J') {
				$#{$cells[$y]} = $x - 1 if $#{$cells[$y]} >= $x;
				$cells[$_] = [] for $y + 1 .. $rows - 1;
			} elsif ($what eq 'm' || $private) { }
			else { $odd .= $esc; }
		} elsif (defined $cr) { $x = 0; }
		elsif (defined $nl) { $down->(); }
		elsif (defined $char) { $put->($char); }
		else { $odd .= $other; }
	}
	my @lines = map { join('', map { $_ // ' ' } @$_) } @cells;
	return {lines => \@lines, text => join("\n", @lines), scrolled => $scrolled, odd => $odd};
}

1;
