package Cached;
# What the tests of killed runs with caching share: a project of four tasks, as a DAG file or as a
# dvc.yaml, the states in which a run may find it, and what is right after a kill and in the end.
use strict;
use warnings;
use Artifacts;
use Crash;
use Digest::MD5 qw(md5_hex);
use Exporter 'import';
use File::Path qw(make_path remove_tree);
use File::Temp qw(tempdir);
use Rounds;
use Test::More;

our @EXPORT = qw($here $top @run %want @scenes $native begin play must copy input make_scenes locked
    after_kill_wrong state end_wrong undisturbed);

our ($top, $here, $file, $lock, @run, %want);
our @scenes = ('nothing', 'a change', 'outputs gone', 'an earlier state', 'an empty cache', 'a lock behind');

our $native = <<'END';
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

my $stages = <<'END';
stages:
  a:
    cmd:
    - echo start $DAG_ATTEMPT >> a.log
    - printf half > a.out
    - cat in > a.out
    deps: [in]
    outs: [a.out]
    meta: {dag: {retries: 3, retry_delay: 1ms}}
  b:
    cmd:
    - echo start $DAG_ATTEMPT >> b.log
    - mkdir -p tree/s && printf half > tree/s/x && printf half > b.out
    - cat in > tree/y; cat a.out > tree/s/x; cat a.out a.out > b.out
    deps: [a.out, in]
    outs: [b.out, tree]
    meta: {dag: {retries: 3, retry_delay: 1ms}}
  c:
    cmd: echo start $DAG_ATTEMPT >> c.log; cat tree/s/x > c.out
    deps: [tree]
    outs: [c.out]
    meta: {dag: {retries: 3, retry_delay: 1ms}}
  d:
    cmd: echo start $DAG_ATTEMPT >> d.log; echo d > d.out
    outs: [d.out]
    meta: {dag: {retries: 3, retry_delay: 1ms}}
END
my @outs = qw(a.out b.out tree c.out d.out);
my $tasks = 4;

# Where it is played: ${kind} is `native` or `stages`.
sub begin {
    my ($kind) = @_;
    my $base = -w '/dev/shm' ? '/dev/shm' : undef;
    chdir '/';
    $top = tempdir('dag-cached-XXXXXX', defined $base ? (DIR => $base) : (TMPDIR => 1), CLEANUP => 1);
    $here = "$top/at";
    $ENV{HOME} = "$top/home";
    $ENV{XDG_CONFIG_HOME} = "$top/home/.config";
    $ENV{XDG_CONFIG_DIRS} = "$top/etc";
    $ENV{GIT_CONFIG_NOSYSTEM} = 1;
    delete $ENV{DAG_FAULT};
    make_path("$top/home");
    $file = $kind eq 'native' ? 'p.yaml' : 'dvc.yaml';
    $lock = $kind eq 'native' ? 'p.dag.lock' : 'dvc.lock';
    @run = ('run', $file, '-j', 2, '--progress', 'plain');
    %want = ();
}

sub play { my (@args) = @_; chdir $here or die; my $rc = wait_dag(start_dag("$top/out", @args)); return ($rc, read_file("$top/out") // '') }
sub must { my ($rc, $out) = play(@_); die "dag @_: $rc: $out" if $rc != 0 }
sub copy { my ($from, $to) = @_; chdir '/'; remove_tree($to); system('cp', '-a', $from, $to) == 0 or die 'cp' }
sub input { unlink "$here/in"; write_file("$here/in", "$_[0]\n") }

# ---- what a run finds ----

sub make_scenes {
    mkdir $here;
    mkdir "$here/.dag";
    chdir $here;
    write_file($file, $file eq 'dvc.yaml' ? $stages : $native);
    # Stages name what they make in .gitignore.
    system('git', 'init', '-q') == 0 or die 'git' if $file eq 'dvc.yaml';
    input(1);
    copy($here, "$top/nothing");
    must(@run);
    my $old = read_file("$here/$lock");
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
        my ($entry) = read_file($lock) =~ /^  $t:\n((?:    .*\n)+)/m;
        $entry =~ s/^    //mg;
        $entry =~ s/'/''/g;
        write_file("$top/sql", "insert into lock_entry (lock, name, entry, run, at_us) values ('$lock', '$t', '$entry', '', 1);\n");
        system("sqlite3 .dag/dag.db < '$top/sql'") == 0 or die 'sqlite3';
    }
    write_file($lock, $old);
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
    my $text = read_file("$here/$lock");
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

sub state {
    # Names stand in .gitignore in the order in which the stages ended.
    return join "\n", read_file("$here/$lock") // 'no lock', sort(slurp_lines("$here/.gitignore")),
        map { "$_ " . (Artifacts::hash_of($_) // 'absent') } map { "$here/$_" } @outs;
}

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
    push @wrong, "the run after it: $rc: $out" if $rc != 0 || $out !~ /\b$tasks (?:tasks|stages): $tasks unchanged/;
    push @wrong, "it ends as\n" . state() . "\ninstead of\n$want{$scene}{state}" if state() ne $want{$scene}{state};
    my $left = sql('select count(*) from lock_entry');
    push @wrong, "$left entries are left to be written" if $left ne '0';
    push @wrong, after_kill_wrong('');
    push @wrong, 'bad: ' . read_file('bad') if -e 'bad';
    return @wrong;
}

# The scene without a fault, with ${env} set: after it `want` has the state that it ends in.
sub undisturbed {
    my ($scene, %env) = @_;
    copy("$top/$scene", $here);
    chdir $here;
    my $run = runs_json('last');
    $want{$scene}{before} = $run->{run} if $run;
    {
        local @ENV{ keys %env } = values %env;
        must(@run);
    }
    $want{$scene}{state} = state();
    is(join("\n", end_wrong($scene)), '', "$scene: undisturbed");
}

1;
