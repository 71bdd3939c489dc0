#!/usr/bin/perl
# Somebody holds the database's gate and does not let go (a stopped process, say): who waits
# for it can be told to leave, and nothing is lost.
use strict;
use warnings;
use Fcntl qw(:flock);
use FindBin;
use lib $FindBin::Bin;
use Crash;
use Test::More;
use Time::HiRes qw(sleep time);

my @plain = ('--progress', 'plain');
my $gate;

sub shut { open $gate, '+<', '.dag/write.lock' or die; flock($gate, LOCK_EX) or die; syswrite $gate, sprintf('%-11d', $$) . "\n" }
sub open_again { close $gate }

# A run whose task waits for the file `go`; its pid.
sub waiting {
    my ($keys) = @_;
    project();
    write_file('p.yaml', "tasks:\n  a:\n    run: |\n      $keys\n      echo \$\$ > up\n      until test -e go; do sleep 0.05; done\n"
        . "    grace: 1h\n  b: {needs: [a], run: echo b >> b.out}\n");
    my $pid = start_dag('o', 'run', 'p.yaml', @plain);
    ok(wait_until(10, sub { (read_file('up') // '') =~ /\n/ }), 'a runs');
    sleep 0.4; # the rows of its start ride along a little later
    return $pid;
}

subtest 'HUP' => sub {
    my $pid = waiting('');
    shut();
    write_file('go', '');
    sleep 0.5;
    kill 'HUP', $pid;
    my $t0 = time;
    is(wait_dag($pid), 129, 'exit 129') or diag(read_file('o'));
    cmp_ok(time - $t0, '<', 6, 'in bounded time');
    unlike(read_file('o'), qr/Sanitizer/, 'and clean');
    open_again();
    my ($rc, $out) = dag('resume', @plain);
    is($rc, 0, 'resumed') or diag($out);
    is(join('', slurp_lines('b.out')), 'b', 'b ran once');
    is(task_of(runs_json('last'), 'a')->{attempt}, 1, 'a too');
};

subtest 'INT' => sub {
    my $pid = waiting("trap '' TERM");
    shut();
    kill 'INT', $pid;
    sleep 3;
    ok(alive($pid), 'the first leaves the task its grace');
    like(read_file('o'), qr/waiting for the database: process $$ holds it/, 'it says what it waits for');
    kill 'INT', $pid;
    my $t0 = time;
    is(wait_dag($pid), 3, 'the second: exit 3') or diag(read_file('o'));
    cmp_ok(time - $t0, '<', 5, 'soon');
    like(read_file('o'), qr/process $$ keeps the database from being written/, 'it says why');
    ok(wait_until(3, sub { !alive(0 + read_file('up')) }), 'the task was killed');
    open_again();
    my ($rc, $out) = dag('cancel', 'last');
    is($rc, 0, 'it can be cancelled later') or diag($out);
    ok(!-e 'b.out', 'nothing was started');
};

subtest 'while the run of a dead owner is looked at' => sub {
    project();
    write_file('a.yaml', "tasks:\n  a: {run: 'echo up > up; until test -e go; do sleep 0.05; done; echo a >> x', outputs: [x]}\n");
    write_file('b.yaml', "tasks:\n  b: {run: 'echo b >> x', outputs: [x]}\n");
    my $one = start_dag('o1', 'run', 'a.yaml', @plain);
    ok(wait_until(10, sub { -e 'up' }), 'a runs');
    kill 'KILL', $one;
    wait_dag($one);
    my $two = start_dag('o2', 'run', 'b.yaml', @plain);
    ok(wait_until(10, sub { (read_file('o2') // '') =~ /in use by/ }), 'b waits for its path') or diag(read_file('o2'));
    sleep 0.3;
    shut();
    write_file('go', '');
    sleep 2.5; # by now the loop has found that a has ended
    kill 'HUP', $two;
    my $t0 = time;
    is(wait_dag($two), 129, 'HUP is heard') or diag(read_file('o2'));
    cmp_ok(time - $t0, '<', 4, 'soon');
    open_again();
    my ($rc, $out) = dag('resume', @plain);
    is($rc, 0, 'both are resumed') or diag($out);
    is(join(' ', slurp_lines('x')), 'b', 'one after the other');
};

done_testing();
