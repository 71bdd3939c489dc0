#!/usr/bin/perl
# Each call of the C library on the way through a verb on data fails once, with each errno that it
# may have, or is cut short.  Whatever it was, dag ends by itself, with a word if not well; what it
# has said to be done is done; no store holds anything wrong and no pointer is half there; and then
# the same command, without a fault, ends where it would have.
#
# DAG_FAIL_CASES: how many cases of all (default 60, drawn by DAG_SEED); 0: all of them.
use strict;
use warnings;
use Cwd qw(abs_path);
use File::Path qw(make_path);
use File::Temp qw(tempdir);
use FindBin;
use List::Util qw(shuffle);
use lib "$FindBin::Bin/../crash", $FindBin::Bin;
use Artifacts;
use Crash;
use Failing;
use Scenes;
use Test::More;
use Time::HiRes qw(sleep time);

my $cases = $ENV{DAG_FAIL_CASES} // 60;
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

# The verb with a fault: (status, output).
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

my (%before, %after, %count);

sub undisturbed {
    my ($verb) = @_;
    copy("$top/$verb", $at);
    $before{$verb} = state_of($at);
    sleep 1 if $verb eq 'gc';
    unlink "$top/counts";
    my ($rc, $said) = with_fault($verb, FAILING_LOG => "$top/counts");
    is("$rc $said", '0 ', "$verb: without a fault all is well");
    $after{$verb} = state_of($at);
    $count{$verb} = { counts(read_file("$top/counts")) };
    cmp_ok($count{$verb}{open} // 0, '>', 10, '... the calls are seen');
}

# What is wrong after the case.
sub wrong {
    my ($verb, $call, $n, $how) = @_;
    copy("$top/$verb", $at);
    sleep 1 - time + int time if $verb eq 'gc';
    unlink "$top/log";
    my ($rc, $said) = with_fault($verb, FAILING => "$call:$n:$how", FAILING_LOG => "$top/log");
    return if !met(read_file("$top/log")); # there were not as many calls this time
    # A directory that may not be read is left out, as its owner may mean it, and named.
    return if $call eq 'open' && $how eq 'EACCES' && $said =~ /' may not be read: what is tracked in it is left out/;
    my @wrong = amiss($rc, $said);
    my $now = state_of($at);
    push @wrong, 'it says that all is well', differs($now, $after{$verb}) if $rc eq '0' && differs($now, $after{$verb});
    push @wrong, store_wrong("$here/.dag/cache", 0), store_wrong("$at/rem", 1), between($before{$verb}, $now, $after{$verb});
    my ($status, $out) = in_dir($here, qw(status --json));
    my $want = status_json($here);
    push @wrong, "status: $status, '$out' instead of '$want'" if $status != 0 || $out ne $want;
    push @wrong, map { "left: $_" } temporaries($here);
    if ($verb !~ /^(?:move|remove)$/ || differs($now, $after{$verb})) {
        my ($again, $more) = in_dir($here, @{ $verbs{$verb} });
        push @wrong, "again: $again: $more" if $again != 0;
        push @wrong, map { "again: $_" } differs(state_of($at), $after{$verb});
    }
    return @wrong ? join("\n", "status $rc: $said", @wrong[0 .. ($#wrong < 9 ? $#wrong : 9)]) : ();
}

make_scenes($top, 0);
my @verbs = grep { !/many/ } @order;
undisturbed($_) for @verbs;
my @all;
for my $verb (@verbs) {
    for my $call (sort keys %hows) {
        for my $n (1 .. $count{$verb}{$call} // 0) { push @all, [$verb, $call, $n, $_] for @{ $hows{$call} } }
    }
}
cmp_ok(scalar @all, '>', 1000, 'there are ' . @all . ' cases');
my @some = $cases ? (shuffle @all)[0 .. $cases - 1] : @all;
for my $case (grep { defined } @some) {
    my $wrong = wrong(@$case);
    is($wrong, undef, "@$case") if defined $wrong || $cases;
}
chdir '/';
done_testing();
