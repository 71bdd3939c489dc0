#!/usr/bin/perl
# The power goes at any moment of a verb on data.  What dag does to files is written down below
# libc (tests/fault/witness.c); at each point of that log some of the disks that may be left of it
# (Disk.pm) are judged: a name in a store holds what it says, a pointer names what is there and is
# old or new, a list on the remote lacks nothing, and what dag has said that it has done is done.
# Some of them are then mounted, so to speak: status tells what is so, and the same command ends
# where it would have.
#
# DAG_POWER: disks of each kind at each point (1), DAG_POWER_RUNS: disks on which dag is run, of
# each verb (3), DAG_SEED.
use strict;
use warnings;
use Cwd qw(abs_path);
use Digest::MD5 qw(md5_hex);
use File::Path qw(make_path remove_tree);
use File::Temp qw(tempdir);
use FindBin;
use lib $FindBin::Bin;
use Artifacts;
use Crash;
use Disk;
use Scenes;
use Test::More;

my $seeds = $ENV{DAG_POWER} // 1;
my $runs = $ENV{DAG_POWER_RUNS} // 3;
my $seed = $ENV{DAG_SEED} // time ^ $$;
srand $seed;
diag "DAG_SEED=$seed";

my $base = -w '/dev/shm' ? '/dev/shm' : undef;
my $top = abs_path(tempdir('dag-power-XXXXXX', defined $base ? (DIR => $base) : (TMPDIR => 1), CLEANUP => 1));
my ($at, $found) = ("$top/at", "$top/found");
$ENV{HOME} = "$top/home";
$ENV{XDG_CONFIG_HOME} = "$top/home/.config";
$ENV{XDG_CONFIG_DIRS} = "$top/etc";
$ENV{GIT_CONFIG_NOSYSTEM} = 1;
make_path("$top/home");
my $bin = "$ENV{DAG_BUILD}/bin/dag";
# Of an instrumented program its run-time library must come first.
my ($asan) = `ldd $bin` =~ /libasan\S* => (\S+)/;
my $preload = join ' ', grep { defined } $asan, "$ENV{DAG_BUILD}/tests/libwitness.so";

# ---- the log ----

my (%log, %disk, %after, %end);

sub record {
    my ($verb) = @_;
    copy("$top/$verb", $at);
    sleep 1 if $verb eq 'gc'; # it leaves what was made in the same second
    $disk{$verb} = Disk->new($at);
    unlink "$top/log";
    local @ENV{qw(LD_PRELOAD WITNESS_TOP WITNESS_LOG)} = ($preload, $at, "$top/log");
    local $ENV{ASAN_OPTIONS} = join ':', grep { defined } $ENV{ASAN_OPTIONS}, 'detect_leaks=0';
    my ($rc, $out) = in_dir("$at/r", @{ $verbs{$verb} });
    delete @ENV{qw(LD_PRELOAD WITNESS_TOP WITNESS_LOG)};
    is("$rc $out", '0 ', "$verb, watched");
    $log{$verb} = Disk::read_log("$top/log");
    $after{$verb} = state_of($at);
    $end{$verb} = Disk->new($at)->image('kept', 'kept');
}

# ---- judging ----

my %md5;
sub hash { my ($bytes) = @_; return length $bytes > 200 ? $md5{$bytes} //= md5_hex($bytes) : md5_hex($bytes) }

sub listed { return $_[0] =~ /"md5": "([0-9a-f]{32})"/g }

sub there { my ($image, $store, $id) = @_; return $image->{"$store/files/md5/" . substr($id, 0, 2) . '/' . substr $id, 2} }

# What must never be.
sub wrong {
    my ($verb, $old, $image, $done) = @_;
    my @wrong;
    for my $path (grep { m{/files/md5/} } keys %$image) {
        my ($kind, $bytes) = @{ $image->{$path} };
        next if $kind eq 'd' || $path =~ m{/\.[A-Za-z0-9_-]{22}\.tmp$};
        my ($store, $hex) = $path =~ m{^(.*)/files/md5/(../[0-9a-f]{30})(?:\.dir)?$} or return "a stray $path";
        $hex =~ s{/}{};
        push @wrong, "$path is not what it says" if hash($bytes) ne $hex;
        if ($store eq 'rem' && $path =~ /\.dir$/) {
            for (listed($bytes)) { push @wrong, "$path lacks $_" if !there($image, $store, $_) }
        }
    }
    my $new = $end{$verb};
    my %all = map { $_ => 1 } grep { m{^r/(?:.*\.dvc|(?:sub/)?\.gitignore)$} } keys %$old, keys %$image, keys %$new;
    for my $file (sort keys %all) {
        my ($o, $i, $n) = map { $_->{$file} ? $_->{$file}[1] : 'absent' } $old, $image, $new;
        # Lines are added and removed one by one.
        next if $file =~ /gitignore$/ && ($i eq 'absent' || $i =~ /\A(?:\/\w+\n)*\z/) && !$done;
        push @wrong, "$file is '$i', neither '$o' nor '$n'" if $i ne $o && $i ne $n;
        push @wrong, "$file is not yet what was said" if $done && $i ne $n;
        next if $i eq 'absent' || $file !~ /\.dvc$/ || $verb =~ /^(?:fetch|pull)$/;
        my ($id) = $i =~ /^- md5: (\S+)$/m;
        my $o2 = there($image, 'r/.dag/cache', $id);
        push @wrong, "$file names $id, which is not there" if !$o2;
        for ($o2 && $id =~ /\.dir$/ ? listed($o2->[1]) : ()) {
            push @wrong, "$file names $id, which lacks $_" if !there($image, 'r/.dag/cache', $_);
        }
    }
    push @wrong, map { "$_ is not there, as was said" } grep { m{/files/md5/../[0-9a-f]{30}} && !$image->{$_} } keys %$new if $done;
    return @wrong;
}

my @ways = (['kept', 'kept'], ['lost', 'lost'], ['kept', 'lost'], ['lost', 'kept'], ['zeros', 'kept']);
push @ways, ['some', 'some'], ['kept', 'some'], ['lost', 'first'], ['some', 'first'], ['some', 'kept'] for 1 .. $seeds;

# Every point of the log, and some of the disks there.  Return how many were looked at, what is
# wrong, and some of those that are not.
sub judge {
    my ($verb, $lies) = @_;
    my $d = $disk{$verb}->fork;
    my $old = $d->image('kept', 'kept');
    my ($n, @wrong, @some) = 0;
    my @log = @{ $log{$verb} };
    for my $point (0 .. @log) {
        for my $way (@ways) {
            my $image = $d->image(@$way);
            $n++;
            my @w = wrong($verb, $old, $image, $point == @log);
            push @wrong, "at $point of " . @log . " (@$way): $w[0]" if @w;
            my $r = int rand $n;
            if (@some < $runs) { push @some, [$point, $way, $image] }
            elsif ($r < $runs) { $some[$r] = [$point, $way, $image] }
        }
        last if $lies ne '' && @wrong > 20;
        $d->step($log[$point], $lies) if $point < @log;
    }
    push @wrong, map { "not seen: $_" } $d->unseen_in($end{$verb}) if $lies eq '';
    return ($n, \@wrong, \@some);
}

# On one of them dag is run.
sub run_on {
    my ($verb, $point, $way, $image) = @_;
    chdir '/';
    remove_tree($found);
    Disk::put($image, $found);
    sleep 1 if $verb eq 'gc';
    my @verb = @{ $verbs{$verb} };
    # The work tree is not synced: what a checkout has damaged is not taken for granted.
    push @verb, '--force' if $verb =~ /^(?:checkout|pull)$/;
    my @wrong;
    my ($rc, $out) = in_dir("$found/r", qw(status --json));
    my $want = status_json("$found/r");
    push @wrong, "status: $rc, '$out' instead of '$want'" if $rc != 0 || $out ne $want;
    # Done once, there is nothing left that could be asked for.
    if ($verb !~ /^(?:move|remove)$/ || differs(state_of($found), $after{$verb})) {
        ($rc, $out) = in_dir("$found/r", @verb);
        push @wrong, "again: $rc: $out" if $rc != 0;
        push @wrong, differs(state_of($found), $after{$verb});
    }
    is(join("\n", @wrong), '', "$verb: after a power loss at $point (@$way) it goes on");
}

# ---- the tests ----

make_scenes($top, 0);
make_scenes($top, 1);
for my $verb (@order) {
    record($verb);
    my ($n, $wrong, $some) = judge($verb, '');
    is(join("\n", @$wrong[0 .. ($#$wrong < 9 ? $#$wrong : 9)]), '', "$verb: $n disks at " . @{ $log{$verb} } . ' points');
    run_on($verb, @$_) for @$some;
}
for my $verb ('add', 'add many', 'push many', 'commit') {
    for my $lies ('files', 'names') {
        my ($n, $wrong) = judge($verb, $lies);
        cmp_ok(scalar @$wrong, '>', 0, "control: $verb where syncs of $lies do nothing is found out");
    }
}
chdir '/';
done_testing();
