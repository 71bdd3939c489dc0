package Crash;
# What the crash tests share: a project in a temporary directory, dag started in the
# background, its records read back as JSON.
use strict;
use warnings;
use Cwd qw(abs_path);
use Exporter 'import';
use File::Temp qw(tempdir);
use JSON::PP;
use POSIX qw(:sys_wait_h);
use Time::HiRes qw(sleep time);

our @EXPORT = qw(project write_file read_file dag start_dag wait_dag wait_until runs_json
    task_of shim_pid attempt_dir slurp_lines alive);

my $bin = "$ENV{DAG_BUILD}/bin/dag";

# Who is ended by a signal cleans up, too, once nobody works there any more.
my %started;
$SIG{$_} = sub { stop_all(); exit 1 } for qw(INT TERM HUP);

sub stop_all {
    for my $pid (keys %started) {
        next if waitpid($pid, WNOHANG) != 0; # ended, or waited for by somebody else
        kill 'KILL', $pid;
        waitpid $pid, 0;
    }
    chdir '/';
}

sub project {
    my $dir = abs_path(tempdir(CLEANUP => 1));
    chdir $dir or die "cannot enter $dir: $!";
    return $dir;
}

sub write_file {
    my ($name, $text) = @_;
    open my $f, '>', $name or die "cannot write $name: $!";
    print $f $text;
    close $f or die;
}

sub read_file {
    my ($name) = @_;
    open my $f, '<', $name or return undef;
    local $/;
    return <$f>;
}

sub slurp_lines { my $t = read_file($_[0]); return defined $t ? split(/\n/, $t) : (); }

# Run dag to its end: (exit code, stdout and stderr together).
sub dag {
    my @args = @_;
    my $pid = start_dag('dag.out', @args);
    my $rc = wait_dag($pid);
    return ($rc, read_file('dag.out') // '');
}

# Start dag in the background, its output in $out; a session of its own, so that signals
# hit it alone.
sub start_dag {
    my ($out, @args) = @_;
    my $pid = fork // die;
    if ($pid == 0) {
        POSIX::setsid();
        open STDIN, '<', '/dev/null';
        open STDOUT, '>', $out;
        open STDERR, '>&', \*STDOUT;
        exec $bin, @args or POSIX::_exit(127);
    }
    $started{$pid} = 1;
    return $pid;
}

sub wait_dag {
    my ($pid) = @_;
    waitpid($pid, 0);
    delete $started{$pid};
    return $? & 127 ? 128 + ($? & 127) : $? >> 8;
}

# Wait until the code is true; its value, or undef after $secs.
sub wait_until {
    my ($secs, $code) = @_;
    my $end = time + $secs;
    while (1) {
        my $v = $code->();
        return $v if $v;
        return undef if time > $end;
        sleep 0.02;
    }
}

sub runs_json {
    my ($run) = @_;
    my $text = `$bin runs --json $run 2>/dev/null`;
    return eval { decode_json($text) };
}

sub task_of {
    my ($run, $name) = @_;
    my ($t) = grep { $_->{task} eq $name } @{$run->{tasks} || []};
    return $t;
}

sub attempt_dir {
    my ($task, $n) = @_;
    my @d = glob(".dag/runs/*/$task.-1.$n");
    return $d[-1];
}

# The pid of the shim of a task's attempt.
sub shim_pid {
    my ($dir) = @_;
    my $t = read_file("$dir/shim") // return undef;
    return $t =~ /\bpid=(\d+)/ ? $1 : undef;
}

sub alive { return -d "/proc/$_[0]" && (read_file("/proc/$_[0]/stat") // '') !~ /\) Z/; }

1;
