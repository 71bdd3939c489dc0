#!/usr/bin/perl
# Each call of the C library on the way through a verb on stages, or on what tasks have made, fails
# once, or is cut short.  Whatever it was, dag ends by itself, with a word if not well; what it has
# said to be done is done; dvc.yaml, lock files and data are as they were or as they shall be; and
# then the same command, without a fault, ends where it would have.
#
# DAG_FAIL_CASES: how many cases of all (default 25, drawn by DAG_SEED); 0: all of them.
use strict;
use warnings;
use Cwd qw(abs_path);
use File::Path qw(make_path remove_tree);
use File::Temp qw(tempdir);
use FindBin;
use List::Util qw(shuffle);
use lib "$FindBin::Bin/../crash", $FindBin::Bin;
use Artifacts;
use Crash;
use Failing;
use Scenes qw(copy);
use Test::More;
use Time::HiRes qw(sleep time);

my $cases = $ENV{DAG_FAIL_CASES} // 25;
my $seed = $ENV{DAG_SEED} // time ^ $$;
srand $seed;
diag "DAG_SEED=$seed";
my $slow = 60; # seconds that a verb may take on a busy machine
my %hows = hows(qw(spawn pipe memfd));

my $base = -w '/dev/shm' ? '/dev/shm' : undef;
my $top = abs_path(tempdir('dag-fail-XXXXXX', defined $base ? (DIR => $base) : (TMPDIR => 1), CLEANUP => 1));
my ($at, $here) = ("$top/at", "$top/at/r");
$ENV{HOME} = "$top/home";
$ENV{XDG_CONFIG_HOME} = "$top/home/.config";
$ENV{XDG_CONFIG_DIRS} = "$top/etc";
$ENV{GIT_CONFIG_NOSYSTEM} = 1;
make_path("$top/home");
my $preload = preload("$ENV{DAG_BUILD}/bin/dag");

my %verbs = (
    'add' => ['stage', 'add', '-q', qw(-n new -d in -p lr -o new.out -M m.json), 'cp in new.out'],
    'drop' => [qw(remove -q s)],
    'freeze' => [qw(freeze -q s)],
    'commit' => [qw(commit -q -f)],
    'push' => [qw(push -q --run-cache)],
    'pull' => [qw(pull -q)],
    'checkout' => [qw(checkout -q)],
    'gc' => [qw(gc -q -w -f --grace 0s)],
);
my @order = qw(add drop freeze commit push pull checkout gc);

sub in_dir {
    my ($dir, @args) = @_;
    chdir $dir or die "cannot enter $dir: $!";
    my $rc = wait_dag(start_dag("$top/out", @args));
    return ($rc, read_file("$top/out") // '');
}
sub must { my ($rc, $out) = in_dir(@_); die "dag @_ : $rc: $out" if $rc != 0; return $out }

sub scenes {
    my $w = "$top/work";
    make_path("$w/r/data", "$w/rem");
    system('git', '-C', "$w/r", qw(init -q -b main --template=)) == 0 or die 'git';
    write_file("$w/r/in", "1\n");
    write_file("$w/r/params.yaml", "lr: 1\n");
    write_file("$w/r/data/$_", "$_\n") for 1 .. 3;
    write_file("$w/r/dvc.yaml", "# head\nstages:\n  s:\n    cmd: cp in s.out\n    deps: [in, data]\n    params: [lr]\n    outs: [s.out]\n" .
        "  t:\n    cmd: mkdir -p t.d; cp in t.d/x\n    deps: [in]\n    outs: [t.d]\n");
    write_file("$w/r/p.yaml", "tasks:\n  a: {inputs: [in], outputs: [a.out], run: cp in a.out}\n" .
        "  b: {inputs: [a.out], outputs: [b.d], run: 'mkdir -p b.d/s; cp a.out b.d/s/x; echo y > b.d/y'}\n");
    must("$w/r", qw(remote add -q -d r ../rem));
    must("$w/r", qw(run p.yaml --progress none));
    must("$w/r", qw(run dvc.yaml --progress none));
    my $first = read_file("$w/r/p.dag.lock");
    copy($w, "$top/$_") for qw(add drop freeze push);
    must("$w/r", qw(push -q --run-cache));
    remove_tree("$w/r/.dag/cache", "$w/r/b.d", "$w/r/t.d");
    unlink map { "$w/r/$_" } qw(a.out s.out);
    copy($w, "$top/pull");
    must("$w/r", qw(pull -q));
    write_file("$w/r/in", "2\n");
    must("$w/r", qw(run p.yaml --progress none));
    copy($w, "$top/gc");
    write_file("$w/r/p.dag.lock", $first);
    copy($w, "$top/checkout");
    write_file("$w/r/data/new", "n\n");
    write_file("$w/r/t.d/more", "m\n");
    copy($w, "$top/commit");
}

sub with_fault {
    my ($verb, %env) = @_;
    chdir $here or die;
    local @ENV{ keys %env } = values %env;
    local $ENV{LD_PRELOAD} = $preload;
    my $pid = start_dag("$top/said", @{ $verbs{$verb} });
    delete $ENV{LD_PRELOAD};
    my $rc = ended($pid, $slow);
    return ($rc, read_file("$top/said") // '');
}

my (%before, %after, %count, %locked);

# Entries of a dvc.lock.
sub stages_of { my ($text) = @_; return ($text // '') =~ /^(  \w+:\n(?:    .*\n)+)/mg }

sub undisturbed {
    my ($verb) = @_;
    copy("$top/$verb", $at);
    $before{$verb} = state_of($at);
    $locked{$_} = 1 for stages_of(read_file("$here/dvc.lock"));
    sleep 1 if $verb eq 'gc';
    unlink "$top/counts";
    my ($rc, $said) = with_fault($verb, FAILING_LOG => "$top/counts");
    is($rc, 0, "$verb: without a fault all is well") or diag($said);
    $after{$verb} = state_of($at);
    $locked{$_} = 1 for stages_of(read_file("$here/dvc.lock"));
    isnt(scalar differs($before{$verb}, $after{$verb}), 0, '... it does something') unless $verb eq 'push';
    $count{$verb} = { counts(read_file("$top/counts")) };
    cmp_ok($count{$verb}{open} // 0, '>', 10, '... the calls are seen');
}

sub wrong {
    my ($verb, $call, $n, $how) = @_;
    copy("$top/$verb", $at);
    sleep 1 if $verb eq 'gc';
    unlink "$top/log";
    my ($rc, $said) = with_fault($verb, FAILING => "$call:$n:$how", FAILING_LOG => "$top/log");
    return if !met(read_file("$top/log")); # there were not as many calls this time
    return if $call eq 'open' && $how eq 'EACCES' && $said =~ /' may not be read: what is tracked in it is left out/;
    my @wrong = amiss($rc, $said);
    my $now = state_of($at);
    push @wrong, 'it says that all is well', differs($now, $after{$verb}) if $rc eq '0' && differs($now, $after{$verb});
    my @between = between($before{$verb}, $now, $after{$verb});
    # Stages before the one that fails are recorded.
    @between = grep { !/^dvc\.lock / } @between if $verb eq 'commit' && !grep { !$locked{$_} } stages_of(read_file("$here/dvc.lock"));
    push @wrong, store_wrong("$here/.dag/cache", 0), store_wrong("$at/rem", 1), @between;
    my ($status, $out) = in_dir($here, qw(status));
    push @wrong, "status: $status, '$out'" if $status != 0;
    push @wrong, map { "left: $_" } temporaries($here);
    if (differs($now, $after{$verb})) {
        my ($again, $more) = in_dir($here, @{ $verbs{$verb} });
        push @wrong, "again: $again: $more" if $again != 0;
        push @wrong, map { "again: $_" } differs(state_of($at), $after{$verb});
    }
    return @wrong ? join("\n", "status $rc: $said", @wrong[0 .. ($#wrong < 9 ? $#wrong : 9)]) : ();
}

scenes();
undisturbed($_) for @order;
my @all;
for my $verb (@order) {
    for my $call (sort keys %hows) {
        for my $n (1 .. $count{$verb}{$call} // 0) { push @all, [$verb, $call, $n, $_] for @{ $hows{$call} } }
    }
}
cmp_ok(scalar @all, '>', 1000, 'there are ' . @all . ' cases');
# And those that were wrong once.
my @some = $cases ? ((shuffle @all)[0 .. $cases - 1], map { [qw(pull unlink), $_, 'EIO'] } 1, 2) : @all;
for my $case (@some) {
    my $wrong = wrong(@$case);
    is($wrong, undef, "@$case") if defined $wrong || $cases;
}
chdir '/';
done_testing();
