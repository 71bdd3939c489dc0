#!/usr/bin/perl
# Each call of the C library on the way through a run fails once: reads, writes, syncs, renames,
# opens, spawns, threads, with each errno it may have, or cut short.  Whatever it was, dag ends, by
# itself and with a word if not well; and then another run of it goes right: nothing is lost, no
# attempt is started twice, nothing half made is read, nothing keeps running.
#
# DAG_FAIL_CASES: how many cases of all (default 120, spread evenly); 0: all of them.
use strict;
use warnings;
use Cwd qw(abs_path);
use File::Temp qw(tempdir);
use FindBin;
use JSON::PP;
use lib $FindBin::Bin;
use Failing;
use POSIX ();
use Test::More;

my $bin = ($ENV{DAG_FAIL_BIN} // "$ENV{DAG_BUILD}/bin") . '/dag';
my $cases = $ENV{DAG_FAIL_CASES} // 120;
my $workers = 2;
my $slow = 40; # seconds that one run may take on a busy machine
my $preload = preload($bin);
my %hows = hows('link');

my $yaml = <<'YAML';
params: {n: 3}
tasks:
  a: {run: 'echo $DAG_TASK.$DAG_ATTEMPT >> began; seq {{ params.n }} > a.out; echo n=3 >> "$DAG_OUTPUT"', outputs: [a.out]}
  b: {run: 'echo $DAG_TASK.$DAG_ATTEMPT >> began; mkdir b.d; cat a.out > b.d/x; echo {{ outputs.a.n }} > b.d/n', inputs: [a.out], outputs: [b.d]}
  c: {run: 'echo $DAG_TASK.$DAG_ATTEMPT >> began; cat b.d/x b.d/n > c.out', inputs: ['b.d/*']}
  d: {run: 'true', needs: [a], when: 'params.n == 4'}
YAML

sub put {
    my ($name, $text) = @_;
    open my $f, '>', $name or die "cannot write $name: $!";
    print $f $text;
    close $f or die;
}

sub get {
    open my $f, '<', $_[0] or return '';
    local $/;
    return <$f> // '';
}

# Run dag: how it ended.
sub dag {
    my ($env, @args) = @_;
    my $pid = fork // die;
    if ($pid == 0) {
        POSIX::setsid();
        open STDIN, '<', '/dev/null';
        open STDOUT, '>', 'out';
        open STDERR, '>&', \*STDOUT;
        $ENV{$_} = $env->{$_} for keys %$env;
        exec $bin, @args or POSIX::_exit(127);
    }
    return ended($pid, $slow);
}

# What is wrong after the case; nothing: undef.
sub broken {
    my ($call, $n, $how) = @_;
    my $log = "$ENV{TMPDIR}/fail.$$";
    unlink $log;
    my $rc = dag({LD_PRELOAD => $preload, FAILING => "$call:$n:$how", FAILING_LOG => $log},
        'run', 'f.yaml', '--progress', 'plain');
    my $said = get('out');
    return undef if !met(get($log)); # there were not as many calls this time
    # libuv has no way to say that it cannot make its threads or its pipe; then it is as kill -9.
    my $aborts = $call =~ /^(?:thread|pipe)$/ && $rc eq 'signal 6';
    my @wrong = grep { !$aborts || /sanitizer/ } amiss($rc, $said);
    return join "\n", @wrong, $said if @wrong;
    my ($run) = runs();
    return right($said) if !$rc && !defined wrong_run($run);
    return 'it says that all is well: ' . wrong_run($run) . "\n$said" if !$rc;
    # Another owner, without a fault, goes on or begins anew.
    if ($run && $run->{status} eq 'interrupted') {
        my $again = dag({}, 'resume', '--progress', 'plain');
        return "resume ended with $again\n" . get('out') if $again !~ /^[01]$/;
        ($run) = runs();
    }
    if (!$run || $run->{result} ne 'success') {
        my $again = dag({}, ($run ? ('retry', $run->{run}) : ('run', 'f.yaml')), '--progress', 'plain');
        return "the next ended with $again\n" . get('out') . "before:\n$said" if $again;
    }
    return right($said);
}

sub runs {
    my $text = `$bin runs --json 2>/dev/null`;
    return map { decode_json($_) } grep { /^\{/ } split /\n/, $text;
}

sub wrong_run {
    my ($run) = @_;
    return 'there is no run' if !$run;
    return "the run is $run->{status}" if $run->{status} ne 'success';
    return undef;
}

sub right {
    my ($said) = @_;
    my $out = get('c.out');
    return "c.out is '$out'\n$said" if $out ne "1\n2\n3\n3\n";
    my %n;
    $n{$_}++ for split /\n/, get('began');
    for (sort keys %n) {
        return "$_ was started $n{$_} times\n$said" if $n{$_} > 1;
    }
    my $rc = dag({}, 'doctor');
    return "doctor finds fault:\n" . get('out') . $said if $rc;
    for my $env (glob('/proc/[0-9]*/environ')) {
        my $e = get($env);
        return "a process of an attempt lives: $env\n$said"
          if index($e, 'DAG_ATTEMPT_ID=') >= 0 && index($e, Cwd::getcwd() . '/') >= 0;
    }
    return undef;
}

# --- how many calls there are, and which of them fail

my $base = abs_path(tempdir(CLEANUP => 1));
$ENV{TMPDIR} = $base;
delete @ENV{grep { /^DAG_/ && $_ ne 'DAG_BUILD' && $_ ne 'DAG_SOURCE' } keys %ENV};
$ENV{ASAN_OPTIONS} = 'detect_leaks=1';
mkdir "$base/count" or die;
chdir "$base/count" or die;
mkdir '.dag' or die;
put('f.yaml', $yaml);
is(dag({LD_PRELOAD => $preload, FAILING_LOG => "$base/counts"}, 'run', 'f.yaml', '--progress', 'plain'),
    0, 'without a fault all is well') or diag(get('out'));
my %count = counts(get("$base/counts"));
cmp_ok($count{pwrite} // 0, '>', 50, 'the calls are seen');
is($count{$_} > 0, 1, "$_ is called") for sort keys %hows;

my @all;
for my $call (sort keys %hows) {
    for my $n (1 .. $count{$call}) {
        push @all, [$call, $n, $_] for @{$hows{$call}};
    }
}
@all = map { $all[int(($_ + 0.5) * @all / $cases)] } 0 .. $cases - 1 if $cases && $cases < @all;

my @pids;
for my $w (0 .. $workers - 1) {
    my $pid = fork // die;
    if (!$pid) {
        open my $f, '>', "$base/found.$w" or die;
        for (my $i = $w; $i < @all; $i += $workers) {
            my $dir = "$base/$i";
            mkdir $dir and chdir $dir or die;
            mkdir '.dag' if $i % 2; # made by the run in the other half
            mkdir '.git' if !($i % 2);
            put('f.yaml', $yaml);
            my $why = eval { broken(@{$all[$i]}) } // $@;
            print $f "@{$all[$i]}: $why\n\n" if $why;
            chdir $base;
            system 'rm', '-rf', $dir;
        }
        close $f or die;
        POSIX::_exit(0);
    }
    push @pids, $pid;
}
for my $pid (@pids) {
    waitpid $pid, 0;
    is($?, 0, 'a worker came to its end');
}
my $found = join '', map { get("$base/found.$_") } 0 .. $workers - 1;
chdir '/';
is($found, '', scalar(@all) . ' faults: nothing is lost by any');

done_testing();
