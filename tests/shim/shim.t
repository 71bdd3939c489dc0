#!/usr/bin/perl
# The real dag-shim, driven as an owner drives it (tests/shim/drive.c).
use strict;
use warnings;
use Cwd qw(abs_path);
use Fcntl qw(:mode);
use File::Temp qw(tempdir);
use POSIX ();
use Test::More;
use Time::HiRes qw(sleep time);

my $build = $ENV{DAG_BUILD} // abs_path('build/dev');
my $drive = "$build/tests/shim_drive";
my $shim = "$build/libexec/dag/dag-shim";
my $tmp = tempdir('dag-shim-XXXXXX', TMPDIR => 1, CLEANUP => 1);
my $count = 0;
my @clean;	# pids that a failing test could leave

sub fresh { return "$tmp/a" . ++$count }

sub output {
	open(my $p, '-|', @_) or die "$_[0]: $!";
	binmode($p);
	local $/;
	my $s = <$p>;
	close($p);
	return $s // '';
}

# Key=value pairs of a line.
sub pairs { return map { /^([^=]+)=(.*)$/ ? ($1 => $2) : () } split ' ', $_[0] }

# Run to the end; the record with `dir`, `log` and `took` seconds.
sub run {
	my ($opt, @command) = @_;
	my $dir = fresh();
	my $t = time;
	my %r = pairs(output($drive, 'run', @$opt, $dir, '--', @command));
	@r{qw(dir took)} = ($dir, time - $t);
	$r{log} = -d $dir ? output($drive, 'log', $dir) : '';
	return \%r;
}

sub sh { my ($opt, $text) = @_; return run($opt, '/bin/sh', '-c', $text) }

# Start and leave running: directory and pid of the shim, which is init's child.
sub start {
	my ($opt, @command) = @_;
	my $dir = fresh();
	my ($pid) = output($drive, 'start', @$opt, $dir, '--', @command) =~ /^(\d+)$/;
	push @clean, $pid if $pid;
	return ($dir, $pid);
}

sub slurp { my ($p) = @_; open(my $f, '<:raw', $p) or return ''; local $/; return <$f> // '' }

# Wait until the code yields true, for at most some seconds.
sub until_true {
	my ($code, $seconds) = @_;
	my $end = time + ($seconds // 10);
	while (time < $end) {
		my $v = $code->();
		return $v if $v;
		sleep 0.01;
	}
	return;
}

sub state_of {
	my ($pid) = @_;
	return slurp("/proc/$pid/stat") =~ /^.*\) (\S)/s ? $1 : '';
}

sub alive { my $s = state_of($_[0]); return $s ne '' && $s ne 'Z' && $s ne 'X' }
sub lock_of { return output($drive, 'alive', $_[0]) =~ s/\n//r }
sub started { my ($dir) = @_; return until_true(sub { -e "$dir/started" }) }
sub record { return { pairs(output($drive, 'record', $_[0])) } }
sub finished { my ($dir) = @_; until_true(sub { -e "$dir/exit" }, 20); return record($dir) }

# Processes whose environment carries a marker.
sub marked {
	my ($mark) = @_;
	return grep { alive($_) && slurp("/proc/$_/environ") =~ /(^|\0)\Q$mark\E(\0|$)/ }
		map { m{(\d+)$} } glob('/proc/[0-9]*');
}

# ---- how a task ends ----

for my $code (0, 1, 3, 126, 127, 255) {
	my $r = sh([], "exit $code");
	is("$r->{shim} $r->{status} $r->{signal} $r->{step}", "0 $code 0 none", "exit $code");
}
for my $sig (qw(TERM KILL SEGV HUP)) {
	my $r = sh([], "kill -$sig \$\$");
	is("$r->{status} $r->{signal}", '-1 ' . { TERM => 15, KILL => 9, SEGV => 11, HUP => 1 }->{$sig},
		"killed by $sig");
	is("$r->{stop} $r->{timed_out} $r->{killed} $r->{oom}", 'none 0 0 no', '... by nobody of ours');
}
{
	my $r = sh([], 'i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done; sleep 0.1');
	cmp_ok($r->{dur_us}, '>=', 100_000, 'duration');
	cmp_ok(abs($r->{end_us} - $r->{start_us} - $r->{dur_us}), '<', 100_000, 'and the clock agree');
	cmp_ok(abs($r->{start_us} / 1e6 - time), '<', 60, 'start is of today');
	cmp_ok($r->{user_us} + $r->{sys_us}, '>', 5000, 'CPU time');
	cmp_ok($r->{maxrss_kib}, '>', 500, 'memory');
}

# ---- what is in the directory ----
{
	my ($dir, $pid) = start([], 'sleep', '0.5');
	started($dir);
	is(lock_of($dir), 'held', 'the lock is held while the shim lives');
	my %i = pairs(output($drive, 'info', $dir));
	is($i{pid}, $pid, 'the shim file names the shim');
	is($i{session}, $pid, '... and its session');
	is($i{boot}, slurp('/proc/sys/kernel/random/boot_id') =~ s/\n//r, '... and the boot');
	is($i{attempt}, 'test-attempt', '... and the attempt');
	is($i{start}, (split ' ', slurp("/proc/$pid/stat") =~ s/.*\)//sr)[19], '... and its start time');
	ok(!-e "$dir/exit", 'no record while it runs');
	my ($rss) = slurp("/proc/$pid/status") =~ /VmRSS:\s+(\d+) kB/;
	cmp_ok($rss, '<', 1000, "the shim takes $rss KiB");
	is(join(' ', sort map { readlink("/proc/$pid/fd/$_") =~ s{.*/}{}r } 0 .. 3), 'alive null null null',
		'descriptors of the shim');
	is(finished($dir)->{status}, 0, 'it ends');
	until_true(sub { !alive($pid) });
	is(lock_of($dir), 'free', 'the lock is free when the shim is gone');
	is(join(' ', sort map { s{.*/}{}r } glob("$dir/*")), 'alive exit shim started',
		'no log without output, nothing temporary left');
}
for my $umask ('000', '027', '777') {
	my $r = sh(['--umask', $umask], 'umask; echo x');
	is($r->{log}, "0$umask\nx\n", "umask $umask reaches the task");
	is(join(' ', map { sprintf '%o', S_IMODE((stat "$r->{dir}/$_")[2]) } qw(shim started log exit)),
		'600 600 600 600', '... and files are private all the same');
}

# ---- what the task sees ----
{
	is(run([], 'ls', '/proc/self/fd')->{log}, "0\n1\n2\n3\n", 'descriptors 0 to 2 (and that of ls)');
	is(sh([], 'readlink /proc/self/fd/0; wc -c')->{log}, "/dev/null\n0\n", 'stdin is /dev/null');
	my %s = run([], 'grep', '^Sig', '/proc/self/status')->{log} =~ /^(\w+):\s+(\w+)/gm;
	is("$s{SigBlk} $s{SigIgn}", join(' ', ('0' x 16) x 2), 'no signal blocked or ignored');
	my $r = run([], 'perl', '-e', 'print join(" ", getpgrp() == $$ ? "leader" : "member",
		(split " ", do { open my $f, "<", "/proc/self/stat"; <$f> })[5])');
	my %i = pairs(output($drive, 'info', $r->{dir}));
	is($r->{log}, "leader $i{session}", 'a process group of its own in the session of the shim');
	is(run(['--noenv', '--env', 'A=1', '--env', 'B=2 3'], '/usr/bin/env')->{log}, "A=1\nB=2 3\n",
		'its environment is the one given');
	is(run(['--cwd', $tmp], 'pwd')->{log}, "$tmp\n", 'its directory');
	is(run([], 'printf', '%s|', 'a b', '', "c\nd")->{log}, "a b||c\nd|", 'its arguments');
	is(sh([], 'echo 1; echo 2 >&2; echo 3; echo 4 >&2')->{log}, "1\n2\n3\n4\n",
		'stdout and stderr keep their order');
}

# ---- what cannot be started ----
sub not_started {
	my ($what, $step, $errno, $opt, @command) = @_;
	my $r = run($opt, @command);
	is("$r->{shim} $r->{step} $r->{errno} $r->{status} $r->{signal}", "0 $step $errno -1 0", $what);
	return $r;
}
mkdir "$tmp/bin" or die;
sub script {
	my ($name, $text, $mode) = @_;
	open(my $f, '>', "$tmp/bin/$name") or die;
	print $f $text;
	close($f);
	chmod $mode, "$tmp/bin/$name";
	return "$tmp/bin/$name";
}
script('plain', "echo plain \"\$1\" \"\$0\"\n", 0755);
script('off', "#!/bin/sh\n", 0644);
script('lost', "#!/nowhere/interpreter\n", 0755);
script('hello', "#!/bin/sh\necho hello \"\$@\"\n", 0755);
my @path = ('--noenv', '--env', "PATH=/nowhere:$tmp/bin:/bin");
{
	my $r = not_started('command not found', 'exec', 2, [], 'no-such-command');
	ok(-e "$r->{dir}/started", 'the marker is there: it was about to be executed');
	not_started('path not found', 'exec', 2, [], '/no/such/command');
	not_started('not executable', 'exec', 13, [], "$tmp/bin/off");
	not_started('not executable, by PATH', 'exec', 13, \@path, 'off');
	not_started('a directory', 'exec', 13, [], $tmp);
	not_started('no interpreter', 'script', 2, [], "$tmp/bin/lost");
	not_started('no interpreter, by PATH', 'script', 2, \@path, 'lost');
	$r = not_started('directory missing', 'chdir', 2, ['--cwd', '/no/such'], 'true');
	ok(!-e "$r->{dir}/started", 'the marker is not there');
	not_started('directory is a file', 'chdir', 20, ['--cwd', "$tmp/bin/off"], 'true');
	not_started('a name longer than PATH can make', 'exec', 2, \@path, 'x' x 5000);
	is(run(\@path, 'hello', 'a', 'b')->{log}, "hello a b\n", "found by the task's PATH");
	is(run(\@path, 'plain', 'a')->{log}, "plain a $tmp/bin/plain\n", 'a script without #! is one of sh');
	is(run(['--cwd', "$tmp/bin"], './plain', 'b')->{log}, "plain b ./plain\n", '... by its path too');
	is(run(['--cwd', $tmp], 'bin/hello')->{log}, "hello\n", 'a relative path counts from the directory');
	is(run(['--noenv', '--env', 'PATH=:/bin', '--cwd', "$tmp/bin"], 'hello')->{log}, "hello\n",
		'an empty part of PATH is the directory');
}
{
	my $dir = fresh();
	my $said = `$drive run --bigenv 131072 $dir -- true 2>&1`;
	like($said, qr/'BIG' has 131072 bytes/, 'an environment string over the limit is refused by name');
	my $r = run(['--bigenv', 131071], 'sh', '-c', 'echo ${#BIG}');
	is($r->{log}, "131067\n", 'one at the limit works');
}
SKIP: {
	skip 'needs root, to become another user', 2 if $> != 0 || !-x '/usr/bin/setpriv';
	chmod 0711, $tmp;
	my $dir = "$tmp/closed";
	mkdir $dir, 0700;
	chown 65534, 65534, $dir;
	mkdir "$tmp/locked", 0700;
	chmod 0777, $tmp;
	my %r = pairs(output('setpriv', '--reuid=65534', '--regid=65534', '--clear-groups', $drive, 'run',
		'--cwd', "$tmp/locked", $dir, '--', 'true'));
	chmod 0700, $tmp;
	is("$r{step} $r{errno}", 'chdir 13', 'a directory of another user');
	chmod 0777, $tmp;
	%r = pairs(output('setpriv', '--reuid=65534', '--regid=65534', '--clear-groups', $drive, 'run', '--noenv',
		'--env', "PATH=$tmp/locked:/bin", $dir, '--', 'no-such-command'));
	chmod 0700, $tmp;
	is("$r{step} $r{errno}", 'exec 2', 'a closed directory in PATH hides nothing');
}

# ---- time and stop ----
my $stubborn = 'trap "" TERM; while :; do sleep 0.05; done';
{
	my $r = run(['--timeout', 300], 'sleep', '20');
	is("$r->{timed_out} $r->{signal} $r->{killed} $r->{stop}", '1 15 0 none', 'timeout');
	cmp_ok($r->{took}, '<', 3, '... in time');
	$r = sh(['--timeout', 200, '--grace', 400], $stubborn);
	is("$r->{timed_out} $r->{signal} $r->{killed}", '1 9 1', 'TERM ignored: KILL');
	cmp_ok($r->{dur_us}, '>=', 590_000, '... after the grace');
	cmp_ok($r->{dur_us}, '<', 3_000_000, '... and not long after');
	$r = sh(['--timeout', 200, '--grace', 0], $stubborn);
	is("$r->{timed_out} $r->{signal} $r->{killed}", '1 9 1', 'no grace: KILL at once');
	cmp_ok($r->{dur_us}, '<', 2_000_000, '... indeed');
	$r = sh(['--timeout', 200], 'trap "exit 7" TERM; while :; do sleep 0.02; done');
	is("$r->{timed_out} $r->{status}", '1 7', 'a handler may choose the status');
	$r = sh(['--timeout', 60_000], 'exit 0');
	is("$r->{timed_out} $r->{status}", '0 0', 'a timeout that is not reached');
	$r = run(['--timeout', 300], 'perl', '-e', 'kill STOP => $$; sleep 20');
	is("$r->{signal} $r->{killed}", '15 0', 'a stopped task gets its TERM');
	$r = run(['--timeout', 300, '--grace', 300], 'perl', '-e', '$SIG{TERM} = "IGNORE";
		while (1) { kill STOP => $$ }');
	is("$r->{signal} $r->{killed}", '9 1', '... and KILL, if it stops again');
}
{
	my ($dir, $pid) = start(['--grace', 5000], 'sleep', '20');
	started($dir);
	kill TERM => $pid;
	my $r = finished($dir);
	is("$r->{stop} $r->{signal} $r->{killed} $r->{timed_out}", 'term 15 0 0', 'SIGTERM to the shim stops');
	($dir, $pid) = start(['--grace', 1000], 'perl', '-e',
		'$| = 1; $SIG{TERM} = sub { print "T" }; print "on"; select undef, undef, undef, 0.05 while 1');
	until_true(sub { -s "$dir/log" });
	my $t = time;
	kill TERM => $pid;
	sleep 0.6;
	kill TERM => $pid;
	$r = finished($dir);
	is("$r->{stop} $r->{signal} $r->{killed}", 'term 9 1', 'then KILL');
	cmp_ok(time - $t, '>=', 0.99, 'a second SIGTERM does not shorten the grace');
	cmp_ok(time - $t, '<', 1.5, '... nor prolong it');
	is(output($drive, 'log', $dir), 'onT', '... nor is it passed on');
	($dir, $pid) = start(['--grace', 30000], 'sh', '-c', "echo on; $stubborn");
	until_true(sub { -s "$dir/log" });
	$t = time;
	kill TERM => $pid;
	kill QUIT => $pid;
	$r = finished($dir);
	is("$r->{stop} $r->{signal} $r->{killed}", 'kill 9 1', 'SIGQUIT kills at once');
	cmp_ok(time - $t, '<', 3, '... whatever the grace');
	# With an owner: his end is a stop, before the start and after it.
	($dir, $pid) = start(['--with-owner'], 'sleep', '20');
	like(finished($dir)->{stop}, qr/^term$/, 'an owner that is gone already');
	$dir = fresh();
	$pid = fork // die;
	exec($drive, 'run', '--with-owner', $dir, '--', 'sh', '-c', 'sleep 20') or die if $pid == 0;
	ok(started($dir), 'an owner that stays');
	kill KILL => $pid;
	waitpid $pid, 0;
	$r = finished($dir);
	is("$r->{stop} $r->{signal}", 'term 15', '... until he is killed');
	is(run(['--with-owner'], 'true')->{status}, 0, '... or to the end');
	($dir, $pid) = start([], 'sh', '-c', 'echo on; sleep 0.5; echo off');
	until_true(sub { -s "$dir/log" });
	kill $_ => $pid for qw(HUP INT PIPE TSTP USR1 ALRM);
	$r = finished($dir);
	is("$r->{status} $r->{stop}", '0 none', 'other signals do nothing');
}
{
	# A stop that comes before the shim is ready is not lost: never the default action.
	my %how;
	for (1 .. 20) {
		my ($dir, $pid) = start(['--grace', 5000], 'sleep', '20');
		kill TERM => $pid;
		my $r = finished($dir);
		$how{($r->{stop} // 'none') . ' ' . ($r->{step} // '?')}++;
	}
	is(join(' ', grep { !/^term (stop|none)$/ } keys %how), '', 'stop at the start: ' . join(', ', sort keys %how));
}

# ---- the tree ----
my $mark = "DAGTEST=$$." . int(rand(1e9));
{
	my $r = sh(['--env', $mark], 'setsid sleep 50 & (setsid sh -c "sleep 51 & sleep 52" &) ; exit 3');
	is($r->{status}, 3, 'the status is that of the main process');
	cmp_ok($r->{survivors}, '>=', 3, "$r->{survivors} survivors");
	is($r->{unkilled}, 0, 'all killed');
	is(join(' ', marked($mark)), '', 'setsid and double fork are swept');
	cmp_ok($r->{took}, '<', 3, 'by TERM, at once');
	$r = sh(['--env', $mark, '--grace', 300], '(trap "" TERM; sleep 50; sleep 51) & sleep 0.1');
	is("$r->{status} $r->{killed}", '0 0', 'a survivor that ignores TERM does not change the result');
	cmp_ok($r->{dur_us}, '<', 250_000, 'the duration is that of the task');
	is(join(' ', marked($mark)), '', '... and is killed after the grace');
	$r = sh([], 'sleep 50 & echo out');
	is("$r->{status} $r->{survivors} $r->{log}", "0 1 out\n", 'a background child that holds stdout');
	cmp_ok($r->{took}, '<', 3, '... does not hang the attempt');
	$r = sh([], '(sleep 0.03; echo late) & echo early');
	is("$r->{survivors} $r->{log}", "0 early\nlate\n", 'what is just ending may end, and its output counts');
	$r = sh(['--timeout', 300, '--env', $mark], 'setsid sh -c "sleep 50 & sleep 51"; exit 1');
	is(join(' ', marked($mark)), '', 'a timeout reaches the whole tree');
	is($r->{timed_out}, 1, '... and is one');
}
{
	# Children that are born all the time, in groups of their own, and ignore TERM.
	my $r = run(['--env', $mark, '--timeout', 400, '--grace', 100], 'perl', '-e', q{
		$SIG{TERM} = 'IGNORE'; $SIG{CHLD} = 'IGNORE';
		for (1 .. 400) {
			my $p = fork // last;
			if (!$p) { setpgrp(0, 0); fork; fork; sleep 60 }
			select undef, undef, undef, 0.002;
		}
		sleep 60;
	});
	is("$r->{signal} $r->{killed} $r->{unkilled}", '9 1 0', 'a task that forks all the time is killed');
	is(join(' ', marked($mark)), '', '... with all that it has made');
}
{
	my $r = run([], 'perl', '-e', q{
		for (1 .. 20) { if (!fork) { if (!fork) { exit } exit } }
		1 while wait != -1;
		select undef, undef, undef, 0.3;
		my $shim = getppid;
		print scalar grep { open(my $f, '<', "$_/stat") && <$f> =~ /\) Z $shim / } glob('/proc/[0-9]*');
	});
	is($r->{log}, '0', 'no zombies while it runs');
	is($r->{status}, 0, '... and adopted ones do not count as the task');
}
{
	my $r = sh(['--leave', '--env', $mark], 'sleep 30 & setsid sleep 31 & echo out');
	is("$r->{status} $r->{survivors} $r->{log}", "0 0 out\n", 'leave_children');
	cmp_ok($r->{took}, '<', 3, '... does not wait for them');
	my @left = marked($mark);
	is(scalar @left, 2, '... nor touch them');
	is(lock_of($r->{dir}), 'free', '... and they do not hold the lock');
	kill KILL => @left;
	$r = sh(['--leave', '--env', $mark], 'yes & echo x; sleep 0.1');
	is($r->{status}, 0, 'a child left behind that writes without end');
	cmp_ok($r->{took}, '<', 3, '... does not hang the attempt');
	ok(until_true(sub { !marked($mark) }, 5), '... and gets EPIPE');
	$r = sh(['--leave', '--env', $mark, '--timeout', 200], 'sleep 30 & sleep 31');
	is("$r->{timed_out} $r->{signal}", '1 15', 'a timeout with leave_children');
	kill KILL => marked($mark);
}
{
	my ($dir, $pid) = start(['--env', $mark], 'sh', '-c', 'setsid sleep 40 & echo on; sleep 41');
	until_true(sub { -s "$dir/log" });
	my ($task) = grep { slurp("/proc/$_/cmdline") =~ /^sh\0-c/ } marked($mark);
	kill KILL => $pid;
	ok(until_true(sub { !alive($task) }, 3), 'the shim killed: the task dies with it');
	is(lock_of($dir), 'free', '... the lock is free');
	is(record($dir)->{record}, 'absent', '... there is no record');
	my @left = marked($mark);
	cmp_ok(scalar @left, '>=', 1, '... what has left the group is found by its environment');
	kill KILL => @left;
}

# ---- the log ----
{
	my $r = sh([], 'exec >&- 2>&-; sleep 0.3; exit 4');
	is("$r->{status} $r->{log_bytes}", '4 0', 'a task that closes its stdout');
	my $all = join '', map { chr } 0 .. 255;
	$r = run([], 'perl', '-e', 'binmode STDOUT; print map { chr } 0 .. 255 for 1 .. 1000');
	ok($r->{log} eq $all x 1000, 'bytes come as they are');
	is($r->{log_bytes}, 256_000, '... and are counted');
	$r = run([], 'perl', '-e', '$| = 1; for (1 .. 3) { print "\r$_"; select undef, undef, undef, 0.05 }');
	is($r->{log}, "\r1\r2\r3", 'also carriage returns');
	my ($dir, $pid) = start([], 'sh', '-c', 'echo first; sleep 5');
	ok(until_true(sub { output($drive, 'log', $dir) eq "first\n" }, 3), 'the log can be read while it grows');
	kill QUIT => $pid;
	finished($dir);
}
{
	# 72 MB of numbers into 100,000 bytes: head, gap and tail at their places.
	my $n = 9_000_000;
	my $r = run(['--limit', 100_000], 'perl', '-e', 'printf "%07d\n", $_ for 0 .. $ARGV[0] - 1', $n);
	my $total = 8 * $n;
	is("$r->{status} $r->{log_bytes} $r->{log_stored} $r->{log_failed}", "0 $total $total 0", 'a flood');
	is(-s "$r->{dir}/log", 50_000, 'head');
	is(-s "$r->{dir}/log.tail", 50_064, 'ring');
	my $want = join '', map { sprintf "%07d\n", $_ } 0 .. 6249;
	$want .= sprintf '[gap %d at 50000]', $total - 100_000;
	$want .= join '', map { sprintf "%07d\n", $_ } $n - 6250 .. $n - 1;
	ok($r->{log} eq $want, 'what is kept is right, at its place');
	is(output($drive, 'log', $r->{dir}, $total - 16), sprintf("%07d\n%07d\n", $n - 2, $n - 1),
		'and can be read from any offset');
	cmp_ok($r->{took}, '<', 60, sprintf('it took %.1f s', $r->{took}));
}
{
	my $s = 'tok-4f9a0c81-secret';
	my @s = ('--secret', $s, '--secret', 'another-secret');
	my $r = run([@s], 'perl', '-e', '$| = 1; for (split //, "a $ARGV[0] b") { print;
		select undef, undef, undef, 0.005 }', $s);
	is($r->{log}, 'a *** b', 'a secret that comes byte by byte');
	$r = run([@s], 'perl', '-e', 'print "x" x $_, $ARGV[0], "\n" for 65530 .. 65536, 131070', $s);
	is($r->{log}, join('', map { 'x' x $_ . "***\n" } 65530 .. 65536, 131070), '... across the borders of reads');
	for my $front ('', 'a', 'ab', 'abc') {
		$r = sh([@s], "printf '%s' '$front$s-x' | base64");
		unlike($r->{log}, qr/\QdG9rLTRm\E|4ZjlhMGM4|rLTRmOWEwYzg|b2stNGY5/, "base64 behind '$front'");
		like($r->{log}, qr/^\S{0,5}\*\*\*\S{0,7}\n$/, '... is masked');
	}
	$r = sh([@s], "printf '%s' '$s' | base64; printf '%s' another-secret | base64");
	is($r->{log}, "***\n***\n", 'alone too');
	$r = sh([@s], "echo '${s}another-secret$s' >&2; echo tok-4f9a0c81-secre; printf another-");
	is($r->{log}, "*********\ntok-4f9a0c81-secre\nanother-", 'nothing else is, and the end of a start comes out');
	is($r->{log_bytes}, length $r->{log}, 'offsets are those of the masked stream');
	$r = run(['--limit', 4096, @s], 'perl', '-e', 'print "$ARGV[0]\n" x 100_000', $s);
	unlike($r->{log}, qr/tok|secret/, 'a flood of secrets');
	my ($dir, $pid) = start([@s], 'sh', '-c', 'echo on; sleep 10');
	started($dir);
	is((grep { slurp("/proc/$pid/$_") =~ /\Q$s\E/ } qw(cmdline environ)), 0, 'no secret in the command line');
	kill QUIT => $pid;
	finished($dir);
}

# ---- bad days ----
SKIP: {
	mkdir "$tmp/small" or die;
	skip 'disk full: needs root for a small tmpfs', 9
		if $> != 0 || system("mount -t tmpfs -o size=64k,mode=700 tmpfs $tmp/small 2>/dev/null") != 0;
	my %r = pairs(output($drive, 'run', "$tmp/small/a", '--', 'perl', '-e', 'print "x" x 99, "\n" for 1 .. 10_000'));
	is("$r{shim} $r{status} $r{log_bytes}", '0 0 1000000', 'disk full: the task goes on and its end is recorded');
	is($r{log_failed}, 28, '... with what stopped the log');
	cmp_ok($r{log_stored}, '<', 65536, '... and where');
	like(output($drive, 'log', "$tmp/small/a"), qr/\[dag-shim: the log stops here: no space left/, '... the log says so');
	# Nothing left at all: a record still, from the room kept for it.
	unlink "$tmp/small/a/log";
	%r = pairs(output($drive, 'run', "$tmp/small/b", '--', 'sh', '-c',
		"cat /dev/zero >$tmp/small/fill 2>/dev/null; echo lost; exit 5"));
	is("$r{shim} $r{status} $r{log_failed}", '0 5 28', 'full from the start: still a record');
	# No room even for the start.
	mkdir "$tmp/small/c";
	%r = pairs(output($drive, 'run', "$tmp/small/c", '--', 'true'));
	is("$r{shim} $r{record}", '3 absent', 'no room to begin: nothing is started');
	ok(!-e "$tmp/small/c/started", '... indeed nothing');
	unlink "$tmp/small/fill";
	%r = pairs(output($drive, 'run', "$tmp/small/c", '--', 'true'));
	is("$r{shim} $r{status}", '0 0', '... and later it works in the same directory');
	is((stat "$tmp/small/c/exit")[7] < 1024, 1, 'the record is not longer than it is');
	system("umount $tmp/small");
}
{
	my $dir = fresh();
	my %r = pairs(`ulimit -f 16; $drive run $dir -- perl -e 'print "x" x 99, "\\n" for 1 .. 2000'`);
	is("$r{shim} $r{status} $r{log_failed}", '0 0 27', 'a limit of file sizes does not end the shim');
	$r{log} = output($drive, 'log', $dir);
	like($r{log}, qr/the limit of a file's size is reached\]\n$/, '... the log says so');
}
SKIP: {
	my $cg = "/sys/fs/cgroup/memory/dag-test-$$";
	skip 'out of memory: needs root and a memory cgroup (v1)', 2
		if $> != 0 || !-e '/sys/fs/cgroup/memory/memory.limit_in_bytes' || !mkdir $cg;
	my $dir = fresh();
	system("echo 200M >$cg/memory.limit_in_bytes; echo 200M >$cg/memory.memsw.limit_in_bytes 2>/dev/null");
	my %r = pairs(`echo \$\$ >$cg/tasks; exec $drive run $dir -- perl -e '\$x = "x" x 400_000_000'`);
	SKIP: {
		skip 'the limit does not bind here', 2 if ($r{signal} // 0) != 9;
		is("$r{shim} $r{signal} $r{oom}", '0 9 yes', 'killed for want of memory');
		is(sh([], 'kill -KILL $$')->{oom}, 'no', 'killed by somebody');
	}
	until_true(sub { rmdir $cg }, 2);
}
for my $args ([], ['relative'], [$tmp], [$tmp, 'x']) {
	my $rc = system("$shim @$args 3>&- 4>&- </dev/null >/dev/null");
	is($rc >> 8, 2, 'started wrongly (' . join(' ', 'dag-shim', @$args) . '): exit 2');
}
{
	my $dir = fresh();
	mkdir $dir;
	is(system("$shim $dir 3</dev/null 4</etc/passwd </dev/null") >> 8, 2, 'a spec that is none: exit 2');
	is(join('', glob("$dir/*")), '', '... nothing written');
}

END {
	my $rc = $?;
	kill KILL => grep { slurp("/proc/$_/comm") =~ /^dag-shim$/ } @clean;
	kill KILL => marked($mark) if defined $mark;
	system("umount $tmp/small 2>/dev/null") if defined $tmp && $> == 0 && slurp('/proc/mounts') =~ m{ \Q$tmp\E/small };
	$? = $rc;
}
done_testing();
