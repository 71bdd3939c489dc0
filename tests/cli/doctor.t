#!/usr/bin/perl
# dag doctor: what it looks at, and what it says when something is bad.
use strict;
use warnings;
use File::Basename qw(dirname);
use File::Temp qw(tempdir);
use lib dirname(__FILE__);
use Cli;
use JSON::PP;
use POSIX ();
use Test::More;

my $dir = project('a.yaml' => "tasks: {a: {run: 'true'}}\n");
rmdir "$dir/.dag";
my $p = ok_dag(0, 'a fresh directory', $dir, 'doctor');
like($p->{out}, qr/^$_ +(?:ok|warn) /m, $_) for 'dag', 'libraries', 'dag-shim', 'pidfd', 'openat2',
	'open files', 'processes', 'processors', 'memory', 'clock', 'terminal', 'git', 'files', 'commits', 'database', 'settings', 'cache', 'links';
ok(!-e "$dir/.dag", 'nothing is made');
unlike($p->{out}, qr/ fail /, 'nothing fails');

ok_dag(0, 'a run', $dir, 'run', 'a');
my $j = decode_json(ok_dag(0, 'as JSON', $dir, 'doctor', '--json', '--full')->{out});
is((grep { $_->{grade} eq 'fail' } @$j), 0, 'all is well');
my %f = map { $_->{what} => $_ } @$j;
like($f{database}{text}, qr/is sound \(checked whole\)/, 'the database was looked at');
like($f{runs}{text}, qr/none is interrupted/, 'and the runs');

SKIP: {
	skip 'only test builds look elsewhere', 2 unless -e build() . '/tests/ptyrun';
	local $ENV{DAG_LIBEXEC} = "$dir/nowhere";
	$p = dag_in($dir, 'doctor');
	skip 'this build does not', 2 if $p->{out} =~ /^dag-shim +ok/m;
	is($p->{rc}, 1, 'without its helper: status 1');
	like($p->{out}, qr/^dag-shim +fail .*nowhere/m, '... and where it was sought');
}

like($f{history}{text}, qr/^schema \d+, 1 run, .* KiB, WAL /, '... and what is in it');
like($f{commits}{text}, qr/^an fsync takes /, '... and what a commit costs');
like($f{memory}{text}, qr/^[\d.]+ [MG]iB; the limits of tasks/, '... and who holds limits of memory');
like($f{orphans}{text}, qr/^none$/, '... and no orphans');

subtest 'what was left behind' => sub {
	mkdir "$dir/.dag/runs/018cba80-0001-7001-8000-000000000001";
	like(ok_dag(0, 'an orphan', $dir, 'doctor')->{out}, qr/^orphans +warn +1 directory in \S+ belongs to no run \(.*\): 'dag gc --runs/m, 'is told');
	ok_dag(0, 'the way out', $dir, 'gc', '--runs', '--keep', '1000000');
	like(ok_dag(0, '... works', $dir, 'doctor')->{out}, qr/^orphans +ok/m, '... it is gone');
	unlink "$dir/.dag/.gitignore";
	mkdir "$dir/.git";
	like(ok_dag(0, 'git', $dir, 'doctor')->{out}, qr/^git +warn .*\.gitignore' is missing/m, 'a state that git sees');
	ok_dag(0, 'another run', $dir, 'run', 'a');
	like(ok_dag(0, '...', $dir, 'doctor')->{out}, qr/^git +ok/m, '... the next run mends it');
	rmdir "$dir/.git";
};

subtest 'data' => sub {
	my $d = project();
	local $ENV{HOME} = "$d/home";
	local $ENV{XDG_CONFIG_HOME} = "$d/home/.config";
	local $ENV{XDG_CONFIG_DIRS} = "$d/etc";
	rmdir "$d/.dag";
	my $p = ok_dag(0, 'before the first add', $d, 'doctor');
	like($p->{out}, qr/^settings +ok +none: all is as it comes$/m, 'no settings');
	like($p->{out}, qr{^cache +ok +\Q$d\E/\.dag/cache: .* free; the\s+first 'dag add' makes it$}ms, 'no cache yet');
	like($p->{out}, qr/^links +ok +(?:no )?reflink, copy, hardlink, symlink; 'dag checkout'\s+makes a (?:reflink|copy)$/m, 'which links work');
	is(join(' ', glob("$d/* $d/.[a-z]*")), '', 'nothing is made');
	ok_dag(0, 'a setting', $d, 'config', 'cache.type', 'hardlink,symlink');
	ok_dag(0, 'one of mine', $d, qw(config --local core.autostage true));
	spew("$d/a", 'a');
	ok_dag(0, 'add', $d, qw(add -q a));
	$p = ok_dag(0, 'then', $d, 'doctor');
	like($p->{out}, qr{^settings +ok +\Q$d\E/\.dag/config \(1\),\s+\Q$d\E/\.dag/config\.local\s+\(1\)$}m, 'both files, the stronger last');
	like($p->{out}, qr/^cache +ok +\S+: \S+, \S+ \S+ free$/m, 'the cache is there');
	like($p->{out}, qr/^links +ok +.*\s+makes a\s+hardlink \(cache\.type\)$/m, 'and what is used') or diag($p->{out});
	is(join(' ', glob("$d/.dag/cache/files/md5/.*.tmp $d/.dag-*")), '', 'nothing is left');
	spew("$d/.dag/config", "[cache]\n    type = softlink\n");
	like(ok_dag(1, 'a mistake in it', $d, 'doctor')->{out}, qr{^settings +fail +\S*\.dag/config:2: }m, 'is named');
};

# A cache where hard links cannot be: the only type that is set does not work.
subtest 'links of another file system' => sub {
	plan skip_all => 'needs another file system in /dev/shm' unless -w '/dev/shm' && (stat '/dev/shm')[0] != (stat $dir)[0];
	my $far = tempdir('dag-doctor-XXXXXX', DIR => '/dev/shm', CLEANUP => 1);
	my $d = project();
	ok_dag(0, 'a setting', $d, 'config', 'cache.dir', "$far/c");
	like(ok_dag(0, 'doctor', $d, 'doctor')->{out}, qr/^links +ok +no\s+reflink,\s+copy,\s+no\s+hardlink,\s+symlink; 'dag\s+checkout'\s+makes\s+a\s+copy$/m, 'says so');
	ok_dag(0, 'a setting', $d, qw(config cache.type hardlink));
	like(ok_dag(1, 'doctor', $d, 'doctor')->{out}, qr/^links +fail .*none\s+of\s+the\s+link\s+types.*add\s+'copy'\s+to\s+it/ms, 'none works: says what to do');
};

subtest 'owners' => sub {
	spew("$dir/slow.yaml", "tasks: {s: {run: sleep 60}}\n");
	my $live = start($dir, 'run', 'slow');
	wait_for('it runs', sub { glob("$dir/.dag/runs/*/s.-1.1/started") });
	like(ok_dag(0, 'a run at work', $dir, 'doctor')->{out}, qr/^runs +ok +1 at work, none is interrupted/m, 'is counted');
	kill 'STOP', $live->{pid};
	like(ok_dag(0, 'an owner that is stopped', $dir, 'doctor')->{out},
		qr/^runs +warn +run \w+ of slow belongs to process $live->{pid},\s+which is stopped.*kill -CONT $live->{pid}/ms, 'is named with the way out');
	kill 'CONT', $live->{pid};
	kill 'KILL', $live->{pid};
	finish($live);
	like(ok_dag(0, 'an interrupted run', $dir, 'doctor')->{out}, qr/^runs +warn +run \w+ of slow was interrupted: dag resume \w+/m, 'is named');
	ok_dag(0, 'cancel', $dir, 'cancel', 'last');

	# Somebody holds the lock of writers, and is stopped.
	my $pid = fork // die;
	if ($pid == 0) {
		open(my $f, '+<', "$dir/.dag/write.lock") or POSIX::_exit(1);
		flock($f, 2);
		syswrite($f, sprintf("%-11d\n", $$));
		kill 'STOP', $$;
		POSIX::_exit(0);
	}
	waitpid($pid, 2);
	my $p = ok_dag(1, 'a writer that is stopped', $dir, 'doctor');
	like($p->{out}, qr/^writing +fail +process $pid is stopped while it writes.*kill -CONT $pid/ms, '... is named with the way out');
	kill 'CONT', $pid;
	waitpid($pid, 0);
	like(ok_dag(0, 'then', $dir, 'doctor')->{out}, qr/^writing +ok/m, '... all is well');
};

subtest 'the clock' => sub {
	plan skip_all => 'needs unshare with time namespaces' if system('unshare -T true 2>/dev/null') != 0;
	like(`cd $dir && unshare -T --boottime 1000000 @{[build()]}/bin/dag doctor 2>&1`, qr/^clock +ok/m, 'a boot long ago');
};

# A file system on a network is refused with the way out, and doctor says the same.
subtest 'a network file system' => sub {
	my $net = project('a.yaml' => "tasks: {a: {run: 'true'}}\n");
	my $local = project();
	plan skip_all => 'only test builds have this door' unless -e build() . '/tests/ptyrun';
	local $ENV{DAG_FS_NETWORK} = $net;
	my $p = dag_in($net, 'run', 'a');
	plan skip_all => 'this build does not' if $p->{rc} == 0;
	like($p->{err}, qr/is on a file system \(nfs\) where other machines' locks are not seen: .*DAG_STATE/s, 'is refused with the way out');
	ok(!-e "$net/.dag/dag.db", '... nothing is made');
	like(ok_dag(1, 'doctor', $net, 'doctor')->{out}, qr/^project +fail .*nfs.*DAG_STATE/ms, '... says the same');
	local $ENV{DAG_STATE} = $local;
	ok_dag(0, 'the way out', $net, 'run', 'a');
	ok_dag(0, '... is well', $net, 'doctor');
};

subtest 'FUSE' => sub {
	plan skip_all => 'needs root, /dev/fuse and bindfs' if $> != 0 || !-e '/dev/fuse' || system('command -v bindfs >/dev/null') != 0;
	my $below = project('a.yaml' => "tasks: {a: {run: echo made >o, outputs: [o]}}\n");
	my $on = tempdir('dag-fuse-XXXXXX', TMPDIR => 1, CLEANUP => 1);
	plan skip_all => 'bindfs cannot mount here' if system("bindfs $below $on 2>/dev/null") != 0;
	my $d = dag_in($on, 'doctor');
	my $p = dag_in($on, 'run', 'a');
	if ($p->{rc} == 0) {
		like($d->{out}, qr/^state +ok +\S+: fuse, locks, mappings and fsync work/m, 'tried, and found to work');
		is(slurp("$below/o"), "made\n", '... it does');
		ok_dag(0, '... the database is sound', $on, 'doctor', '--full');
	} else {
		like($p->{err}, qr/file system \(fuse\) where .*DAG_STATE/s, 'tried, and refused with the way out');
		is($d->{rc}, 1, '... doctor says the same');
	}
	system("umount $on");
};

subtest 'a read-only mount' => sub {
	plan skip_all => 'needs root to mount' if $> != 0 || system('unshare -m true 2>/dev/null') != 0;
	my $ro = project('a.yaml' => "tasks: {a: {run: 'true'}}\n");
	my $local = project();
	ok_dag(0, 'a run while it can be written', $ro, 'run', 'a');
	my $in = sub { my $out = `unshare -m sh -c 'mount --bind $ro $ro && mount -o remount,ro,bind $ro && cd $ro && $_[0]' 2>&1`; ($? >> 8, $out) };
	my $dag = build() . '/bin/dag';
	my ($rc, $out) = $in->("$dag run a");
	is($rc, 3, 'a run is refused');
	like($out, qr/cannot write into .*Read-only file system.*DAG_STATE/s, '... with the reason and the way out') or diag($out);
	for my $verb ('list', 'runs', 'runs last', 'check', 'logs last', 'explain last', 'show a') {
		($rc, $out) = $in->("$dag $verb");
		is($rc, 0, "dag $verb reads") or diag($out);
	}
	($rc, $out) = $in->("$dag doctor");
	is($rc, 1, 'doctor fails');
	like($out, qr/^state +fail .*Read-only file system.*DAG_STATE/ms, '... and says so');
	like($out, qr/^database +ok/m, '... the history can be read');
	($rc, $out) = $in->("DAG_STATE=$local $dag run a");
	is($rc, 0, 'the way out') or diag($out);
};

# A damaged database is named with the way out, and nothing is written over it.
sub damaged {
	my ($name, $damage) = @_;
	subtest "a database whose $name" => sub {
		my $d = project('a.yaml' => "tasks: {a: {run: 'true'}}\n");
		ok_dag(0, 'a run', $d, 'run', 'a') for 1 .. 3;
		unlink "$d/.dag/dag.db-wal", "$d/.dag/dag.db-shm";
		open(my $db, '+<', "$d/.dag/dag.db") or die;
		$damage->($db);
		close($db);
		my $before = slurp("$d/.dag/dag.db");
		my $p = ok_dag(1, 'doctor', $d, 'doctor', '--full');
		like($p->{out}, qr/^database +fail +.*(?:restore it from a|move it away|newer dag)/ms, '... names it with the way out') or diag($p->{out});
		if ($name ne 'middle is damaged') {
			is((dag($d, $_, $_ eq 'run' ? 'a' : ()))[0], 3, "dag $_ refuses it") for 'runs', 'list', 'run';
			like((dag($d, 'gc', '--runs', '--keep', '0'))[2], qr/move it away|newer/, 'gc refuses it');
		}
		ok(slurp("$d/.dag/dag.db") eq $before, '... and nothing was written over it') if $name ne 'middle is damaged';
		rename("$d/.dag/dag.db", "$d/.dag/dag.db.bad");
		ok_dag(0, 'the way out: a new one', $d, 'run', 'a');
	};
}
damaged('head is no database', sub { seek($_[0], 0, 0); print {$_[0]} 'This is no database.' x 10 });
damaged('file is cut', sub { truncate($_[0], 5000) });
damaged('file is another program\'s', sub { seek($_[0], 68, 0); print {$_[0]} "abcd" });
damaged('schema is newer', sub { seek($_[0], 60, 0); print {$_[0]} pack('N', 999) });
damaged('middle is damaged', sub { my $size = -s $_[0]; seek($_[0], $size - 4096 * 3, 0); print {$_[0]} "\xa5" x 4096 });
done_testing();
