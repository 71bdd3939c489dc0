#!/usr/bin/perl
# What has threads, watched by the ThreadSanitizer: the writer thread, the workers for inputs
# and outputs, the thread that writes to the terminal, two runs at once, Ctrl-C.  Needs a build
# of the preset tsan in DAG_TSAN, which scripts/test makes.
use strict;
use warnings;
use File::Temp qw(tempdir);
use Test::More;

my $build = $ENV{DAG_TSAN} or plan skip_all => 'no tsan build: scripts/test makes one';
my @tests = qw(store_writer store_commit store_wake store_crowd store_sync
	store_remote_push store_remote_fetch store_objects_batch
	store_objects_scan store_objects_scan_into cli_outbox scheduler_session);
my $dir = tempdir(CLEANUP => 1);
$ENV{TSAN_OPTIONS} = 'exitcode=66';
delete @ENV{qw(DAG_STATE NO_COLOR)};

# The sanitizer of gcc 12 wants addresses less random than some kernels make them.
my @wrap;
if (`$build/bin/dag version 2>&1` !~ /^dag /m) {
	@wrap = ('setarch', '-R');
	plan skip_all => 'the ThreadSanitizer does not work on this kernel'
		unless `setarch -R $build/bin/dag version 2>&1` =~ /^dag /m;
}

# Run a command to its end.  Its exit code, -1 if it was killed, and all it said.
sub run {
	my ($log, @command) = @_;
	my $pid = start($log, @command);
	return finish($log, $pid);
}

sub start {
	my ($log, @command) = @_;
	my $pid = fork // die "fork: $!";
	return $pid if $pid;
	chdir $dir or die;
	open(STDIN, '<', '/dev/null');
	open(STDOUT, '>', "$dir/$log") or die;
	open(STDERR, '>&', \*STDOUT);
	exec @wrap, @command or die "$command[0]: $!";
}

sub finish {
	my ($log, $pid) = @_;
	waitpid $pid, 0;
	my $rc = $? & 127 ? -1 : $? >> 8;
	open(my $f, '<', "$dir/$log") or die;
	local $/;
	return ($rc, <$f> // '');
}

# The exit code is as expected, and the sanitizer has not said a word.
sub clean {
	my ($name, $want, $rc, $said) = @_;
	ok($rc == $want && $said !~ /ThreadSanitizer/, $name)
		or diag("exit code $rc, not $want\n", substr($said, -4000));
}

my ($rc, $said) = run('race', "$build/tests/race");
is($rc, 66, 'a race that was planted');
like($said, qr/data race/, 'is found');

clean("test_$_", 0, run($_, "$build/tests/test_$_")) for @tests;

my $text = "tasks:\n";
for my $i (0 .. 47) {
	my $needs = $i >= 6 ? ', needs: [t' . ($i - 6) . ']' : '';
	$text .= "  t$i: {run: 'echo x >o$i; echo n=$i >>\$DAG_OUTPUT', outputs: [o$i]$needs}\n";
}
$text .= "  bad: {run: exit 3, retries: 1, retry_delay: 10ms, allow_failure: true}\n";
$text .= "  late: {run: 'sleep 0.3; echo x >late', timeout: 50ms, allow_failure: true}\n";
open(my $f, '>', "$dir/g.yaml") or die;
print $f $text, "  slow: {run: 'while [ ! -e go ]; do sleep 0.1; done'}\n";
close $f;

my $first = start('first', "$build/bin/dag", 'run', '-j', 4, 'g.yaml');
my $second = start('second', "$build/bin/dag", 'run', '-j', 4, 'g.yaml');
sleep 2;
open($f, '>', "$dir/go") or die;
close $f;
clean('a run', 0, finish('first', $first));
clean('and another at the same time, over the same outputs', 0, finish('second', $second));

unlink "$dir/go";
my $third = start('third', "$build/bin/dag", 'run', '-j', 4, 'g.yaml');
sleep 1;
kill 'INT', $third;
clean('a run, and Ctrl-C', 130, finish('third', $third));
clean('runs', 0, run('runs', "$build/bin/dag", 'runs'));
done_testing();
