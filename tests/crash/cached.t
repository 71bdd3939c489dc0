#!/usr/bin/perl
# Runs of tasks that do not run again where nothing has changed, killed at each fault point that
# they pass, from the decision over what is brought back and kept to the lock file.  After each
# kill the lock says only what is true, and no half output is a result; then the run is resumed,
# or begun where it was not, and all is as if nobody had died: outputs, lock, cache, and the run
# after it does nothing.
#
# DAG_CACHED_SECONDS: for points besides those of caching (4); DAG_SEED.
use strict;
use warnings;
use FindBin;
use File::Path qw(make_path remove_tree);
use File::Temp qw(tempdir);
use lib $FindBin::Bin;
use Artifacts;
use Crash;
use Digest::MD5 qw(md5_hex);
use List::Util qw(shuffle);
use Rounds;
use Test::More;
use Time::HiRes qw(time);

my $seconds = $ENV{DAG_CACHED_SECONDS} // 4;
my $seed = $ENV{DAG_SEED} // time ^ $$;
srand $seed;
diag "DAG_SEED=$seed";

my $base = -w '/dev/shm' ? '/dev/shm' : undef;
my $top = tempdir('dag-cached-XXXXXX', defined $base ? (DIR => $base) : (TMPDIR => 1), CLEANUP => 1);
my $here = "$top/at";
$ENV{HOME} = "$top/home";
$ENV{XDG_CONFIG_HOME} = "$top/home/.config";
$ENV{XDG_CONFIG_DIRS} = "$top/etc";
delete $ENV{DAG_FAULT};
make_path("$top/home");

my $file = <<'END';
defaults: {retries: 3, retry_delay: 1ms}
tasks:
  a:
    inputs: [in]
    outputs: [a.out]
    run: |
      echo start $DAG_ATTEMPT >> a.log
      printf half > a.out
      cat in > a.out
      echo n=$(cat in) >> "$DAG_OUTPUT"
  b:
    inputs: [a.out]
    env: {N: '{{ outputs.a.n }}'}
    outputs: [b.out, tree]
    run: |
      echo start $DAG_ATTEMPT >> b.log
      mkdir -p tree/s; printf half > tree/s/x; printf half > b.out
      test "$N" = "$(cat a.out)" || echo value >> bad
      echo $N > tree/y; cat a.out > tree/s/x; cat a.out a.out > b.out
  c: {inputs: [tree], outputs: [c.out], run: 'echo start $DAG_ATTEMPT >> c.log; cat tree/s/x > c.out'}
  d: {outputs: [d.out], run: 'echo start $DAG_ATTEMPT >> d.log; echo d > d.out'}
END
my @outs = qw(a.out b.out tree c.out d.out);
my @run = ('run', 'p.yaml', '-j', 2, '--progress', 'plain');

sub play { my (@args) = @_; chdir $here or die; my $rc = wait_dag(start_dag("$top/out", @args)); return ($rc, read_file("$top/out") // '') }
sub must { my ($rc, $out) = play(@_); die "dag @_: $rc: $out" if $rc != 0 }
sub copy { my ($from, $to) = @_; chdir '/'; remove_tree($to); system('cp', '-a', $from, $to) == 0 or die 'cp' }
sub input { unlink "$here/in"; write_file("$here/in", "$_[0]\n") }

# ---- what a run finds ----

my @scenes = ('nothing', 'a change', 'outputs gone', 'an earlier state', 'an empty cache', 'a lock behind');

sub make_scenes {
    mkdir $here;
    mkdir "$here/.dag";
    chdir $here;
    write_file('p.yaml', $file);
    input(1);
    copy($here, "$top/nothing");
    must(@run);
    my $old = read_file("$here/p.dag.lock");
    copy($here, "$top/an empty cache");
    remove_tree("$top/an empty cache/.dag/cache");
    copy($here, "$top/outputs gone");
    unlink map { "$top/outputs gone/$_" } qw(a.out b.out tree/s/x);
    input(2);
    copy($here, "$top/a change");
    must(@run);
    # What a process has left in the database for the file.
    copy($here, "$top/a lock behind");
    chdir "$top/a lock behind";
    for my $t (qw(a b c)) {
        my ($entry) = read_file('p.dag.lock') =~ /^  $t:\n((?:    .*\n)+)/m;
        $entry =~ s/^    //mg;
        $entry =~ s/'/''/g;
        write_file("$top/sql", "insert into lock_entry (lock, name, entry, run, at_us) values ('p.dag.lock', '$t', '$entry', '', 1);\n");
        system("sqlite3 .dag/dag.db < '$top/sql'") == 0 or die 'sqlite3';
    }
    write_file('p.dag.lock', $old);
    chdir $here;
    input(1);
    copy($here, "$top/an earlier state");
    unlink glob "$top/*/*.log";
}

# ---- what is right ----

# What the lock has: path -> hash, of inputs and of outputs.
sub locked {
    my ($text) = @_;
    my (%in, %out, $to);
    for (split /\n/, $text) {
        if (/^    (deps|outs):/) { $to = $1 eq 'deps' ? \%in : \%out }
        elsif (/^    - path: (\S+)/) { $to->{path} = $1 }
        elsif (/^      md5: (\S+)/) { push @{ $to->{all} }, [$to->{path}, $1] }
    }
    return ($in{all} // [], $out{all} // []);
}

# The lock is whole, and what it says of outputs is in the cache; but where that was lost before.
sub lock_wrong {
    my ($scene) = @_;
    my $text = read_file("$here/p.dag.lock");
    return () if !defined $text;
    my @wrong;
    push @wrong, "the lock is not whole: $text" if $text !~ /\Aschema: '2\.0'\nstages:\n(?:  \w:\n(?:    .*\n)+)+\z/;
    return @wrong if $scene eq 'an empty cache';
    my (undef, $outs) = locked($text);
    for (@$outs) {
        push @wrong, "the lock has $_->[0] as $_->[1], which the cache has not" if !Artifacts::whole("$here/.dag/cache", $_->[1]);
    }
    push @wrong, 'the lock has half an output' if $text =~ md5_hex('half');
    return @wrong;
}

sub halves { return grep { -f && (read_file($_) // '') eq 'half' } map { "$here/$_" } qw(a.out b.out tree/s/x) }

sub runs_known { return map { read_file($_) } grep { -f } glob "$here/.dag/cache/runs/*/*/*" }

sub after_kill_wrong {
    my ($scene) = @_;
    return (lock_wrong($scene), store_wrong("$here/.dag/cache", 0),
        (map { "the run cache knows half an output: $_" } grep { my $h = md5_hex('half'); /$h/ } runs_known()));
}

my (%want, %passes);

sub state { return join "\n", read_file("$here/p.dag.lock") // 'no lock', map { "$_ " . (Artifacts::hash_of($_) // 'absent') } map { "$here/$_" } @outs }

# Brought to its end, as its user would.
sub end_wrong {
    my ($scene) = @_;
    my (@wrong, $run, $rc, $out);
    chdir $here;
    for (1 .. 3) {
        $run = runs_json('last');
        # Of a scene that had runs already, the latest may be one of those.
        my $mine = $run && $run->{run} ne ($want{$scene}{before} // '');
        last if $mine && $run->{state} eq 'done';
        ($rc, $out) = play($mine ? ('resume', '--progress', 'plain') : @run);
        push @wrong, "then: $rc: $out" if $rc != 0;
    }
    push @wrong, 'the run did not end well: ' . results_of($run) if ($run->{result} // '') ne 'success';
    push @wrong, wrong_history($run);
    push @wrong, 'half an output is left: ' . join(' ', halves()) if halves();
    ($rc, $out) = play(@run);
    push @wrong, "the run after it: $rc: $out" if $rc != 0 || $out !~ /4 tasks: 4 unchanged/;
    push @wrong, "it ends as\n" . state() . "\ninstead of\n$want{$scene}{state}" if state() ne $want{$scene}{state};
    my $left = sql('select count(*) from lock_entry');
    push @wrong, "$left entries are left to be written" if $left ne '0';
    push @wrong, after_kill_wrong('');
    push @wrong, 'bad: ' . read_file('bad') if -e 'bad';
    return @wrong;
}

# ---- rounds ----

sub undisturbed {
    my ($scene) = @_;
    copy("$top/$scene", $here);
    chdir $here;
    my $run = runs_json('last');
    $want{$scene}{before} = $run->{run} if $run;
    my $trace = "$top/trace";
    unlink $trace;
    {
        local $ENV{DAG_FAULT} = "trace:0:$trace";
        must(@run);
    }
    $want{$scene}{state} = state();
    $passes{$scene}{$_}++ for grep { !/^shim-/ } slurp_lines($trace);
    is(join("\n", end_wrong($scene)), '', "$scene: undisturbed");
}

my %died;

sub killed_at {
    my ($scene, $point, $n) = @_;
    copy("$top/$scene", $here);
    my ($rc, $out);
    {
        unlink "$top/count";
        local $ENV{DAG_FAULT} = "$point:$n:$top/count";
        ($rc, $out) = play(@run);
    }
    $died{$point}++ if $rc == 137;
    # Tasks go on without their owner.
    my @wrong = map { "after it: $_" } after_kill_wrong($scene);
    push @wrong, "it ended as $rc: $out" if $rc != 137 && $rc != 0;
    push @wrong, end_wrong($scene);
    is(join("\n", @wrong), '', "$scene, killed at $point:$n ($rc)");
}

make_scenes();
undisturbed($_) for @scenes;
is(join(' ', map { $want{$_}{state} eq $want{nothing}{state} ? 1 : 0 } @scenes), '1 0 1 1 1 0', 'the same state is the same, whatever it comes from');

my @mine = qw(looked-ahead decided restored result-kept lock-made lock-written);
for my $point (@mine) {
    for my $scene (@scenes) {
        my $n = $passes{$scene}{$point} // next;
        killed_at($scene, $point, $_) for $n == 1 ? 1 : (1, 2 + int rand($n - 1));
    }
}
is(join(' ', grep { !$died{$_} } @mine), '', 'somebody died at each point of caching');

# What it reads changes after its owner has died: the lock says what it has read.
copy("$top/nothing", $here);
chdir $here;
(my $slow = $file) =~ s/cat in > a\.out/cp in a.out; touch busy; until test -e go; do sleep 0.02; done/ or die;
write_file('p.yaml', $slow);
my $pid = start_dag("$top/out", @run);
wait_until(20, sub { -e 'busy' });
kill 'KILL', $pid;
wait_dag($pid);
input(7);
write_file('go', '');
is((play('resume', '--progress', 'plain'))[0], 0, 'an input changes while nobody owns the run');
my ($ins) = locked(read_file('p.dag.lock'));
is((map { $_->[1] } grep { $_->[0] eq 'in' } @$ins)[0], md5_hex("1\n"), '... the lock says what the task has read');
like((play(@run))[1], qr/\ba: running/, '... and it runs again');
is(read_file('a.out'), "7\n", '... with what there is');

my $end = time + $seconds;
my @all = shuffle map { my $s = $_; map { [$s, $_] } keys %{ $passes{$s} } } @scenes;
my $rounds = 0;
for (@all) {
    last if time > $end;
    my ($scene, $point) = @$_;
    next if $point =~ /^gc-/;
    killed_at($scene, $point, 1 + int rand $passes{$scene}{$point});
    $rounds++;
}
diag "$rounds of " . @all . ' other points, ' . (grep { $_ } values %died) . ' kinds at which somebody died';
chdir '/';
nothing_left();
done_testing();
