#!/usr/bin/perl
# The verbs of artifacts, killed anywhere: at a moment by chance, and at each fault point that
# they pass.  After each kill nothing is half there, `dag status` says what is so, and the same
# command again ends where it would have ended undisturbed.  The same on a full disk, and with
# two verbs at once.
#
# DAG_ARTIFACTS_SECONDS for kills by chance (10; from 20 on everything else is done more often
# too), DAG_ARTIFACTS_FILES in the directory (60), DAG_ARTIFACTS_TYPE: cache.type (copy or, less
# often, hardlink), DAG_SEED.
use strict;
use warnings;
use FindBin;
use File::Path qw(make_path remove_tree);
use File::Temp qw(tempdir);
use lib $FindBin::Bin;
use Artifacts;
use Crash;
use List::Util qw(shuffle);
use Test::More;
use Time::HiRes qw(sleep time);

my $seconds = $ENV{DAG_ARTIFACTS_SECONDS} // 10;
my $long = $seconds > 20;
my $seed = $ENV{DAG_SEED} // time ^ $$;
srand $seed;
my $type = $ENV{DAG_ARTIFACTS_TYPE} // (rand() < 0.7 ? 'copy' : 'hardlink');
diag "DAG_SEED=$seed, cache.type=$type";

my $base = -w '/dev/shm' ? '/dev/shm' : undef;
my $top = tempdir('dag-artifacts-XXXXXX', defined $base ? (DIR => $base) : (TMPDIR => 1), CLEANUP => 1);
my $here = "$top/at/r";
$ENV{HOME} = "$top/home";
$ENV{XDG_CONFIG_HOME} = "$top/home/.config";
$ENV{XDG_CONFIG_DIRS} = "$top/etc";
$ENV{GIT_CONFIG_NOSYSTEM} = 1;
delete $ENV{DAG_FAULT};
make_path("$top/home");

# Run dag there, with its output out of the way: (exit code, output).
sub in_dir {
    my ($dir, @args) = @_;
    chdir $dir or die "cannot enter $dir: $!";
    # It leaves what was made in the same second.
    sleep 1 - time + int time if $args[0] eq 'gc';
    my $rc = wait_dag(start_dag("$top/out", @args));
    return ($rc, read_file("$top/out") // '');
}

sub must { my ($rc, $out) = in_dir(@_); die "dag @_ : $rc: $out" if $rc != 0; return $out }

# A copy of a scene is where the next round plays: the repository `r` and the remote `rem`.
sub copy { my ($from, $to) = @_; chdir '/'; remove_tree($to); system('cp', '-a', $from, $to) == 0 or die 'cp' }

# ---- the scenes ----

my %verbs = (
    'add' => [qw(add -q a b d sub/c)],
    'add again' => [qw(add -q a d new)],
    'commit' => [qw(commit -q -f)],
    'checkout' => [qw(checkout -q)],
    'push' => [qw(push -q)],
    'pull' => [qw(pull -q)],
    'fetch' => [qw(fetch -q)],
    'move' => [qw(move -q d sub/e)],
    'move a file' => [qw(move -q moved sub/f)],
    'remove' => [qw(remove -q --outs d)],
    'import' => [qw(import-url -q ../src imp)],
    'update' => [qw(update -q imp.dvc)],
    'unprotect' => [qw(unprotect -q a b d)],
    'relink' => [qw(checkout -q --relink)],
    'gc' => [qw(gc -q -w -c -f --grace 0s)],
);
my @order = ('add', 'add again', 'commit', 'checkout', 'push', 'pull', 'fetch', 'move', 'move a file', 'remove', 'gc',
    'unprotect', 'relink', 'import', 'update');
# Done once, there is nothing left that they could be asked for.
my %once = map { $_ => 1 } 'move', 'move a file', 'remove', 'import';

# Contents A are tracked, in the cache and at the remote; B is A with edits, and what each
# verb works on is somewhere between the two.
sub make_scenes {
    my $w = "$top/work";
    make_path("$w/r/d", "$w/r/sub");
    system('git', '-C', "$w/r", qw(init -q -b main)) == 0 or die 'git';
    contents("$w/r", $ENV{DAG_ARTIFACTS_FILES} // 60);
    must("$w/r", qw(config cache.type), $type);
    must("$w/r", qw(remote add -q -d r ../rem));
    make_path("$w/src/s");
    write_file("$w/src/" . ('', 's/')[$_ % 2] . $_, "source $_\n" x ($_ * 20)) for 1 .. 24;
    copy($w, "$top/add");
    must("$w/r", @{ $verbs{add} });
    must("$w/r", qw(push -q));
    my %a = map { $_ => read_file($_) } pointers("$w/r");
    edits("$w/r");
    copy($w, "$top/add again");
    unlink "$w/r/new";
    copy($w, "$top/commit");
    must("$w/r", @{ $verbs{commit} });
    copy($w, "$top/push");
    copy($w, "$top/remove");
    copy($w, "$top/move");
    # One that keeps its pointer file.
    must("$w/r", qw(move -q b moved));
    rename "$w/r/moved.dvc", "$w/r/kept.dvc" or die;
    copy($w, "$top/move a file");
    remove_tree($w);
    copy("$top/push", $w);
    write_file($_, $a{$_}) for keys %a;
    copy($w, "$top/checkout");
    copy("$top/push", $w);
    must("$w/r", qw(push -q));
    copy($w, "$top/gc");
    copy($w, "$top/unprotect");
    copy($w, "$top/import");
    must("$w/r", @{ $verbs{import} });
    write_file("$w/src/$_", "changed $_\n" x 100) for 'new', 2, 's/3';
    copy($w, "$top/update");
    copy("$top/import", $w);
    must("$w/r", qw(config cache.type), $type eq 'copy' ? 'hardlink' : 'copy');
    copy($w, "$top/relink");
    must("$w/r", qw(config cache.type), $type);
    remove_tree("$w/r/.dag/cache");
    copy($w, "$top/fetch");
    must("$w/r", qw(fetch -q));
    write_file($_, $a{$_}) for keys %a;
    copy($w, "$top/pull");
    chdir '/';
    remove_tree($w);
}

my (%before, %after, %passes, %took);

# What each verb does when nobody disturbs it, and which points it passes.
sub undisturbed {
    my ($verb) = @_;
    copy("$top/$verb", "$top/at");
    $before{$verb} = state_of("$top/at");
    unlink "$top/trace";
    my $t0 = time;
    must($here, @{ $verbs{$verb} });
    $took{$verb} = time - $t0;
    $after{$verb} = state_of("$top/at");
    is(join("\n", all_wrong($verb)), '', "$verb: all is well");
    copy("$top/$verb", "$top/at");
    local $ENV{DAG_FAULT} = "trace:0:$top/trace";
    must($here, @{ $verbs{$verb} });
    $passes{$verb}{$_}++ for slurp_lines("$top/trace");
}

# ---- what is looked at ----

sub status_wrong {
    my ($rc, $out) = in_dir($here, qw(status --json));
    my $want = status_json($here);
    return (($rc == 0 && $out eq $want ? () : "status: $rc, '$out' instead of '$want'"),
        map { "after a status: $_" } temporaries($here));
}

sub stores_wrong { return (store_wrong("$here/.dag/cache", 0), store_wrong("$top/at/rem", 1)) }

# All that is wrong after a kill of this verb.
sub all_wrong {
    my ($verb) = @_;
    my $now = state_of("$top/at");
    return (stores_wrong(), between($before{$verb}, $now, $after{$verb}), status_wrong());
}

# The same command again: is all as if nothing had been?
sub again_wrong {
    my ($verb) = @_;
    return if $once{$verb} && !differs(state_of("$top/at"), $after{$verb});
    grow_old(replacements($here));
    # What has been recorded is there to be checked out.
    my @verb = $verb eq 'import' && -e "$here/imp.dvc" ? qw(checkout -q) : @{ $verbs{$verb} };
    my ($rc, $out) = in_dir($here, @verb);
    return "again: exit $rc: $out" if $rc != 0;
    my @wrong = (all_wrong($verb), differs(state_of("$top/at"), $after{$verb}));
    # Who only reads what is tracked takes no lock.
    push @wrong, map { "left: $_" } replacements($here) if $verb ne 'push';
    return @wrong if $once{$verb} || (!$long && rand() < 0.8);
    my $was = state_of("$top/at");
    ($rc, $out) = in_dir($here, @{ $verbs{$verb} });
    push @wrong, "a third time: exit $rc: $out" if $rc != 0;
    push @wrong, map { "a third time: $_" } differs(state_of("$top/at"), $was);
    return @wrong;
}

sub look {
    my ($verb, $what) = @_;
    my @wrong = map { "after it: $_" } all_wrong($verb);
    push @wrong, again_wrong($verb);
    is(join("\n", @wrong[0 .. ($#wrong < 20 ? $#wrong : 20)]), '', "$verb, $what");
}

# ---- kills ----

sub at_point {
    my ($verb, $point, $n, $must) = @_;
    copy("$top/$verb", "$top/at");
    local $ENV{DAG_FAULT} = "$point:$n";
    my ($rc, $out) = in_dir($here, @{ $verbs{$verb} });
    delete $ENV{DAG_FAULT};
    # A moment later: no object has the bytes.
    # A link is whole from the beginning.
    append($_, 'half') for $point eq 'link-temp' ? grep { (stat)[3] == 1 } temporaries("$here/d") : ();
    # With several threads the last pass may be one fewer now and then.
    fail("$verb dies at $point:$n") || diag("$rc: $out") if $rc != 137 && ($must || $rc != 0);
    look($verb, "killed at $point:$n");
}

sub by_chance {
    my ($verb) = @_;
    copy("$top/$verb", "$top/at");
    chdir $here;
    my $pid = start_dag("$top/out", @{ $verbs{$verb} });
    my $wait = rand(1.1 * $took{$verb});
    sleep $wait;
    kill 'KILL', $pid;
    my $rc = wait_dag($pid);
    my $more = '';
    if (rand() < 0.3) { # and the next one too
        $pid = start_dag("$top/out", @{ $verbs{$verb} });
        sleep rand($took{$verb});
        kill 'KILL', $pid;
        $more = ', then again, ' . wait_dag($pid);
    }
    look($verb, sprintf 'killed after %.0f ms (%d%s)', 1000 * $wait, $rc, $more);
}

# ---- the tests ----

make_scenes();

subtest 'undisturbed' => sub { undisturbed($_) for @order };

subtest 'what is damaged by hand is seen' => sub {
    my $new = sub { copy("$top/push", "$top/at"); $before{x} = $after{x} = state_of("$top/at") };
    my $seen = sub {
        my ($re, $what) = @_;
        like(join("\n", stores_wrong(), between($before{x}, state_of("$top/at"), $after{x})), $re, $what);
    };
    my $some = sub { my @l = grep { !/\.dir$/ == !$_[1] } objects($_[0]); return $l[ rand @l ] };
    for my $store ("$here/.dag/cache", "$top/at/rem") {
        $new->();
        my $o = $some->($store, 0);
        chmod 0644, $o;
        $seen->(qr/mode 644/, 'an object that can be written to');
        append($o, 'x');
        $seen->(qr/is not what it says/, 'a byte too many');
        $new->();
        write_file("$store/files/md5/half", 'x');
        $seen->(qr/stray/, 'a name that is none');
    }
    $new->();
    my $list = $some->("$top/at/rem", 1);
    my ($md5) = read_file($list) =~ /"md5": "([0-9a-f]{32})"/;
    unlink object("$top/at/rem", $md5);
    $seen->(qr/lacks $md5/, 'a list without one of its files');
    $new->();
    write_file("$here/d.dvc", substr(read_file("$here/d.dvc"), 0, 40));
    $seen->(qr/d\.dvc.*is neither/, 'a pointer file cut short');
    $new->();
    unlink "$here/b";
    $seen->(qr/^\S*b is neither/m, 'a file that is gone');
};

subtest 'killed at each point' => sub {
    # Two verbs that pass it for each point, by chance; or all.
    my %of;
    for my $verb (shuffle @order) {
        push @{ $of{$_} }, $verb for keys %{ $passes{$verb} };
    }
    for my $point (sort keys %of) {
        for my $verb ($long ? @{ $of{$point} } : grep { defined } @{ $of{$point} }[0, 1]) {
            my $n = $passes{$verb}{$point};
            my $first = $n == 1 || rand() < 0.5;
            at_point($verb, $point, 1, 1) if $first || $long;
            at_point($verb, $point, 2 + int rand($n - 1), 0) if $n > 1 && (!$first || $long);
        }
    }
    my %seen = map { %$_ } values %passes;
    my ($list) = read_file("$ENV{DAG_SOURCE}/base/fault.h") =~ /FAULT_ARTIFACT_POINTS\(A\)(.*?)\nenum/s;
    is(join(' ', grep { !$seen{$_} } $list =~ /\bA\(\w+,\s*"([\w-]+)"/g), '', 'each point is passed by one of them');
};

subtest 'killed by chance' => sub {
    my $end = time + $seconds;
    my $n = 0;
    do { by_chance($order[ $n++ % @order ]) } while time < $end;
};

# ---- no room ----

sub room { return (split ' ', (split /\n/, `df -k --output=avail $_[0]`)[1])[0] }

subtest 'a full disk' => sub {
    plan skip_all => 'needs root and a tmpfs'
        if $> != 0 || !mkdir("$top/at.mount") || system("mount -t tmpfs -o size=64m tmpfs $top/at.mount 2>/dev/null") != 0;
    my $m = "$top/at.mount";
    my $failed = 0;
    for my $verb (@order) {
        for my $part ($long ? (0.05, 0.25, 0.25 + rand 0.6) : 0.02 + rand 0.6) {
            chdir '/';
            remove_tree("$top/at") if !-l "$top/at";
            unlink "$top/at";
            remove_tree(glob "$m/*");
            symlink $m, "$top/at" or die;
            system("cp -a '$top/$verb/.' $m/") == 0 or die;
            my $had = room($m);
            must($here, @{ $verbs{$verb} }); # how much it takes
            my $need = $had - room($m);
            chdir '/';
            remove_tree("$m/r", "$m/rem");
            system("cp -a '$top/$verb/.' $m/") == 0 or die;
            my $left = int($need * $part);
            $left = 16 if $left < 16;
            # What makes room needs none; a link that goes makes none.
            my $frees = $verb eq 'gc' || ($verb eq 'remove' && $type eq 'copy');
            $left = 0 if $frees;
            my $fill = room($m) - $left;
            system("head -c ${fill}k /dev/zero > $m/fill; cat /dev/zero > $m/brim 2>/dev/null") if $left == 0;
            system("head -c ${fill}k /dev/zero > $m/fill") == 0 or die if $left != 0;
            my ($rc, $out) = in_dir($here, @{ $verbs{$verb} });
            my $what = "$verb with ${left}k of ${need}k";
            # The index is not worth a failure, and a checkout gives room back while it works.
            if ($rc == 0) { is(join("\n", differs(state_of("$top/at"), $after{$verb})), '', "$what fits") }
            else { like($out, qr/no space left/i, "$what fails and says why") }
            $failed += $rc != 0;
            is($rc, 0, "$what makes room") if $frees;
            unlike($out, qr/Sanitizer|runtime error/, '... in order');
            my @wrong = grep { !/^status/ } all_wrong($verb);
            is(join("\n", @wrong), '', '... nothing is half there');
            unlink "$m/fill", "$m/brim";
            is(join("\n", status_wrong(), again_wrong($verb)), '', '... and it goes on when there is room');
        }
    }
    cmp_ok($failed, '>=', 3, 'most of them did not fit');
    chdir '/';
    unlink "$top/at";
    system('umount', '-l', $m);
};

# ---- two at once ----

# Two verbs at once in one scene, each of which may be first; what has to be so when both
# are through.
sub at_once {
    my ($scene, $one, $two, $end) = @_;
    my @wrong;
    copy("$top/$scene", "$top/at");
    chdir $here;
    my @pids = map { sleep rand(0.5 * $took{$scene}) if $_; start_dag("$top/out$_", $_ ? @$two : @$one) } 0, 1;
    for (0, 1) {
        my $rc = wait_dag($pids[$_]);
        push @wrong, "the ${_}th: $rc: " . read_file("$top/out$_") if $rc != 0;
    }
    push @wrong, stores_wrong(), status_wrong();
    push @wrong, $end->() if defined $end;
    is(join("\n", @wrong), '', "$scene: @$one || @$two");
}

subtest 'two at once' => sub {
    for (1 .. ($long ? 5 : 1)) {
        for my $scene ('add', 'checkout', 'pull', 'commit', 'push') {
            my $v = $verbs{$scene};
            my $same = sub { return differs(state_of("$top/at"), $after{$scene}) };
            at_once($scene, $v, $v, $same);
            at_once($scene, $v, [qw(status -q --json)], $same) if $scene eq 'push';
            at_once($scene, $v, [qw(status)], $same) if $scene ne 'push';
        }
        at_once('add again', $verbs{'add again'}, $verbs{push},
            sub { my ($rc, $out) = in_dir($here, @{ $verbs{push} });
                return ($rc == 0 ? () : "push: $rc: $out", store_wrong("$top/at/rem", 1),
                    map { -e object("$top/at/rem", $_) ? () : "not pushed: $_" } named($here)) });
        at_once('pull', $verbs{pull}, [qw(checkout -q b sub/c.dvc)], sub { differs(state_of("$top/at"), $after{pull}) });
        at_once('push', $verbs{push}, [qw(fetch -q)], sub { differs(state_of("$top/at"), $after{push}) });
    }
};

chdir '/';
END { local $?; chdir '/'; system("umount -l $top/at.mount 2>/dev/null") if defined $top && -d "$top/at.mount" }
done_testing();
