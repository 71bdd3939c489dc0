#!/usr/bin/perl
# A disk that is full, and other days on which nothing can be started: told once, tried ever
# less often, ended by whoever wants it to end.
use strict;
use warnings;
use File::Copy qw(copy);
use FindBin;
use lib $FindBin::Bin;
use Crash;
use Test::More;
use Time::HiRes qw(sleep time);

my @plain = ('--progress', 'plain');

# A project on a small file system of its own; undef where there can be none.
my $mounted;
sub small {
    my ($size) = @_;
    my $dir = project();
    mkdir 'small';
    return undef if $> != 0 || system("mount -t tmpfs -o size=$size tmpfs small 2>/dev/null") != 0;
    $mounted = "$dir/small";
    chdir 'small';
    mkdir '.dag';
    return $dir;
}

sub unmount {
    chdir '/';
    system('umount', '-l', $mounted) if defined $mounted;
    $mounted = undef;
}
END { unmount() }

subtest 'room for the database, none for a start' => sub {
    my $dir = small('2m') // plan skip_all => 'needs root and a tmpfs';
    write_file('p.yaml', "tasks:\n"
        . "  a:\n    run: dd if=/dev/zero of=fill bs=64k 2>/dev/null || true\n"
        . join '', map { "  b$_:\n    needs: [a]\n    run: echo $_ >> $dir/out\n" } 1 .. 6);
    my $pid = start_dag("$dir/o", 'run', 'p.yaml', '-j', '2', @plain);
    ok(wait_until(20, sub { (read_file("$dir/o") // '') =~ /could not be started/ }), 'it says so')
        or diag(read_file("$dir/o"));
    like(read_file("$dir/o"), qr/could not be started: .*No space left/, 'and why');
    sleep 4;
    my @dirs = glob('.dag/runs/*/b*');
    cmp_ok(scalar @dirs, '<=', 6, 'no heap of directories') or diag("@dirs");
    my $n = 0;
    $n += task_of(runs_json('last'), "b$_")->{attempt} for 1 .. 6;
    cmp_ok($n, '<=', 6, 'nor of attempts');
    unlink 'fill';
    is(wait_dag($pid), 0, 'it goes on when there is room') or diag(read_file("$dir/o"));
    is(scalar(slurp_lines("$dir/out")), 6, 'every task ran once');
    my $out = read_file("$dir/o");
    is(scalar(() = $out =~ /could not be started/g), 1, 'told once') or diag($out);
    unmount();
};

subtest 'cancelled while nothing can be started' => sub {
    my $dir = small('2m') // plan skip_all => 'needs root and a tmpfs';
    write_file('p.yaml', "tasks:\n  a:\n    run: dd if=/dev/zero of=fill bs=64k 2>/dev/null || true\n"
        . join '', map { "  b$_:\n    needs: [a]\n    run: echo $_ >> $dir/out\n" } 1 .. 4);
    my $pid = start_dag("$dir/o", 'run', 'p.yaml', '-j', '4', @plain);
    ok(wait_until(20, sub { (read_file("$dir/o") // '') =~ /could not be started/ }), 'nothing starts')
        or diag(read_file("$dir/o"));
    sleep 1.5;
    kill 'INT', $pid;
    my $t0 = time;
    is(wait_dag($pid), 130, 'it ends') or diag(read_file("$dir/o"));
    cmp_ok(time - $t0, '<', 3, 'at once');
    is(task_of(runs_json('last'), "b$_")->{result}, 'cancelled', "b$_ is cancelled") for 1 .. 4;
    ok(!-e "$dir/out", 'and was not started');
    unmount();
};

# A run whose first task has filled the disk; its pid.  To cancel it takes more room than the
# database has ahead: a row for each of so many tasks.
sub stuck {
    my ($dir, $keys, $run) = @_;
    write_file('p.yaml', "tasks:\n  a:\n    $keys\n    run: |\n      dd if=/dev/zero of=fill bs=4k 2>/dev/null || true\n"
        . "      echo \$\$ > $dir/up\n      $run\n" . join '', map { "  b$_: {needs: [a], run: 'true'}\n" } 1 .. 4000);
    my $pid = start_dag("$dir/o", 'run', 'p.yaml', @plain);
    ok(wait_until(20, sub { (read_file("$dir/up") // '') =~ /\n/ }), 'it runs') or diag(read_file("$dir/o"));
    sleep 0.3;
    return $pid;
}

subtest 'a full disk and TERM' => sub {
    my $dir = small('12m') // plan skip_all => 'needs root and a tmpfs';
    my $pid = stuck($dir, 'grace: 1s', 'exec sleep 30.5');
    kill 'TERM', $pid;
    my $t0 = time;
    is(wait_dag($pid), 3, 'dag could not do it: exit 3') or diag(read_file("$dir/o"));
    cmp_ok(time - $t0, '<', 12, 'in bounded time');
    like(read_file("$dir/o"), qr/no space left.*'dag resume' goes on/s, 'it says why and what to do');
    ok(!alive(0 + read_file("$dir/up")), 'the task was stopped');
    unlink 'fill';
    my ($rc, $out) = dag('resume', @plain);
    is($rc, 1, 'it can be resumed') or diag($out);
    is(task_of(runs_json('last'), 'a')->{attempt}, 1, 'a is not tried again');
    is(task_of(runs_json('last'), 'a')->{result}, 'failed', 'its end is known');
    unmount();
};

subtest 'a full disk and TERM twice' => sub {
    my $dir = small('12m') // plan skip_all => 'needs root and a tmpfs';
    my $pid = stuck($dir, 'grace: 1h', "trap '' TERM; while :; do sleep 0.2; done");
    kill 'TERM', $pid;
    sleep 1.5;
    ok(alive($pid), 'the first lets the task have its grace');
    kill 'TERM', $pid;
    my $t0 = time;
    is(wait_dag($pid), 3, 'the second: exit 3') or diag(read_file("$dir/o"));
    cmp_ok(time - $t0, '<', 5, 'soon');
    ok(wait_until(3, sub { !alive(0 + read_file("$dir/up")) }), 'the task was killed');
    unlink 'fill';
    my ($rc, $out) = dag('cancel', 'last');
    is($rc, 0, 'it can be cancelled later') or diag($out);
    is(runs_json('last')->{result}, 'cancelled', 'then the run has ended');
    unmount();
};

subtest 'a dag-shim that cannot be executed' => sub {
    for my $how (['permission', sub { chmod 0600, $_[0] }, qr/Permission denied/],
                 ['format', sub { write_file($_[0], "no program\n") }, qr/Exec format error/]) {
        my ($name, $break, $why) = @$how;
        my $dir = project();
        mkdir "$dir/lib";
        my $real = "$ENV{DAG_BUILD}/libexec/dag";
        copy("$real/dag-shim", "$dir/lib/dag-shim");
        chmod 0755, "$dir/lib/dag-shim";
        local $ENV{DAG_LIBEXEC} = "$dir/lib";
        write_file('p.yaml', "tasks:\n  a: {run: echo up > up; until test -e go; do sleep 0.05; done}\n  b: {needs: [a], run: echo b >> b.out}\n");
        my $pid = start_dag('o', 'run', 'p.yaml', @plain);
        ok(wait_until(10, sub { -e 'up' }), "$name: a runs");
        unlink "$dir/lib/dag-shim";
        copy("$real/dag-shim", "$dir/lib/dag-shim");
        chmod 0755, "$dir/lib/dag-shim";
        $break->("$dir/lib/dag-shim");
        write_file('go', '');
        my $t0 = time;
        is(wait_dag($pid), 3, "$name: it gives up with exit 3") or diag(read_file('o'));
        cmp_ok(time - $t0, '>', 3, "$name: not at the first try");
        my $out = read_file('o');
        like($out, $why, "$name: says why");
        like($out, qr/dag-shim/, "$name: of what");
        is(scalar(() = $out =~ /could not be started/g), 1, "$name: told once") or diag($out);
        unlink "$dir/lib/dag-shim";
        copy("$real/dag-shim", "$dir/lib/dag-shim");
        chmod 0755, "$dir/lib/dag-shim";
        my ($rc, $o) = dag('resume', @plain);
        is($rc, 0, "$name: and goes on when it was mended") or diag($o);
        is(scalar(slurp_lines('b.out')), 1, "$name: b ran once");
        cmp_ok(task_of(runs_json('last'), 'b')->{attempt}, '<=', 2, "$name: no heap of attempts");
    }
};

done_testing();
