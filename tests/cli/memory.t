#!/usr/bin/perl
# resources: {memory: ...}: an attempt that stays below is left alone, one that goes above is
# killed and said so, whoever holds the limit.
use strict;
use warnings;
use File::Basename qw(dirname);
use lib dirname(__FILE__);
use Cli;
use JSON::PP;
use Test::More;

my $dir = project('m.yaml' => <<'END');
defaults: {resources: {memory: 64MiB}}
tasks:
  below: {run: perl take.pl 40}
  above: {run: echo begun; perl take.pl 100; echo not here}
  child: {run: 'perl take.pl 100 || true; sleep 30'}
  many: {run: for i in 1 2 3 4; do perl take.pl 20 20 & done; wait}
  killed: {run: 'kill -KILL $$'}
  tiny: {run: perl take.pl 20, resources: {memory: 1MiB}}
  huge: {run: perl take.pl 20, resources: {memory: 4TiB}}
  free: {run: exit 3}
END
# Takes so many MiB, touches them all, and lives a little longer.
spew("$dir/take.pl", '$x = "x"; $x x= $ARGV[0] << 20; select(undef, undef, undef, $ARGV[1] // 0.3);');
# Written by a program that shares its pages with its children: what is shared counts once.
spew("$dir/shared.yaml", <<'END');
tasks:
  shared:
    resources: {memory: 64MiB}
    run: |
      perl -e '$x = "x"; $x x= 40 << 20;
        for (1 .. 3) { $p = fork; if (!$p) { select(undef, undef, undef, 0.5); exec "true" } }
        1 while wait > 0'
END

sub attempts {
	my $run = decode_json(ok_dag(0, 'runs --json', $dir, 'runs', 'last', '--json')->{out});
	my @all = map { @{$_->{attempts} // []} } @{$run->{tasks} // []};
	@all = @{$run->{attempts}} if !@all && $run->{attempts};
	return map { $_->{task} // $_->{name} => $_ } @all;
}

# How one way of holding the limit holds it.
sub check {
	my ($how) = @_;
	my $p = ok_dag(1, "$how: a run in which some go above", $dir, 'run', 'm', '-j', 3);
	my %record = map { m{/([a-z]+)\.-1\.1/exit$} ? ($1 => slurp($_)) : () } glob("$dir/.dag/runs/*/*/exit");
	my ($mem) = $record{below} =~ /\bmem=(\w+)/;
	if ($mem ne $how) {
		SKIP: { skip "$how: this machine does not let us (see dag doctor)", 1; }
		system("rm -rf $dir/.dag/runs/*");
		return;
	}
	my %a = attempts();
	is($a{$_}{result}, 'success', "$how: $_ is left alone") for qw(below huge);
	for (qw(above child many tiny)) {
		is("$a{$_}{result} $a{$_}{cause} $a{$_}{oom}", 'failed oom yes', "$how: $_ is ended");
		like($record{$_}, qr/ mem_over=1 /, '... its record says so');
	}
	like($p->{err} . $p->{out}, qr/above: used more than its memory of 64.* MiB and was killed/, '... and the summary');
	is("$a{killed}{cause} $a{killed}{oom}", 'signal no', "$how: a plain KILL is none");
	is("$a{free}{cause} $a{free}{oom}", 'exit no', "$how: nor is an exit");
	cmp_ok($a{below}{mem_peak_kib}, '>', 40 << 10, "$how: the peak is recorded");
	cmp_ok($a{below}{mem_peak_kib}, '<=', 64 << 10, '... and below the limit');
	cmp_ok($a{many}{mem_peak_kib}, '>', 50 << 10, '... that of all its processes together');
	my $e = ok_dag(0, "$how: explain", $dir, 'explain', 'last', 'below')->{out};
	like($e, qr/at most 4\d(\.\d)? MiB of memory \(it may use 64(\.0)? MiB\)/, '... tells both') or diag($e);
	my ($kill) = $record{many} =~ /dur_us=(\d+)/;
	cmp_ok($kill, '<', 10e6, "$how: it does not take long");
	ok_dag(0, "$how: shared pages count once", $dir, 'run', 'shared');
	system("rm -rf $dir/.dag/runs/*");
}
like(ok_dag(0, 'show', $dir, 'show', 'm', '-f', 'list')->{out}, qr/memory 64 MiB.*memory 4 TiB/s, '... tells the limits');
check('cgroup');
{
	local $ENV{DAG_CGROUP} = 'none';
	check('sampled');
}

# Nothing of ours is left in the hierarchies.
my @left = grep { /-7[0-9a-f]{3}-/ } split /\n/, `find /sys/fs/cgroup -maxdepth 6 -type d -name 'dag-0*' -mmin -5 2>/dev/null`;
my %mine = map { $_ => 1 } map { m{dag-([0-9a-f-]{36})} } map { slurp($_) // '' } glob("$dir/.dag/runs/*/*/cgroup");
is(join(' ', grep { m{dag-([0-9a-f-]{36})} && $mine{$1} } @left), '', 'no cgroup is left');

# A shim that is killed leaves the cgroup to who finds the attempt lost.
{
	spew("$dir/s.yaml", "tasks: {s: {run: 'sleep 60', resources: {memory: 64MiB}}}\n");
	my $p = start($dir, 'run', 's');
	wait_for('the task begins', sub { glob("$dir/.dag/runs/*/s.-1.1/started") });
	my ($at) = glob("$dir/.dag/runs/*/s.-1.1");
	my $cg = slurp("$at/cgroup");
	my ($pid) = slurp("$at/shim") =~ / pid=(\d+)/;
	kill 'KILL', $pid;
	$p = finish($p);
	is($p->{rc}, 1, 'a killed shim: the attempt is lost');
	SKIP: {
		skip 'no cgroup here', 1 if !defined $cg;
		ok(!-d $cg, '... and its cgroup is gone');
	}
}
done_testing();
