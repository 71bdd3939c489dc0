package Failing;
# What the tests of failing calls share: in which ways each call of the C library may fail, the
# library that makes one of them (failing.c), and what is to be seen of any program that met it.
use strict;
use warnings;
use Exporter 'import';
use POSIX qw(:sys_wait_h);
use Time::HiRes qw(sleep time);

our @EXPORT = qw(hows preload counts ended met amiss);

my %hows = (
    read      => [qw(EIO EINTR short)],
    pread     => [qw(EIO EINTR short)],
    write     => [qw(ENOSPC EIO EINTR short)],
    pwrite    => [qw(ENOSPC EIO EINTR short EDQUOT)],
    fsync     => [qw(EIO ENOSPC)],
    fdatasync => [qw(EIO ENOSPC)],
    rename    => [qw(EIO ENOSPC)],
    open      => [qw(EMFILE ENFILE EIO EACCES)],
    mkdir     => [qw(ENOSPC EIO EROFS)],
    unlink    => [qw(EIO EROFS)],
    ftruncate => [qw(EIO ENOSPC)],
    flock     => [qw(EINTR ENOLCK)],
    mmap      => [qw(ENOMEM)],
    thread    => [qw(EAGAIN)],
    stat      => [qw(EIO EACCES ENOMEM)],
    readdir   => [qw(EIO)],
    fcntl     => [qw(EAGAIN)],
    link      => [qw(EIO ENOSPC EMLINK)],
    spawn     => [qw(EAGAIN ENOMEM EMFILE)],
    pipe      => [qw(EMFILE ENFILE)],
    memfd     => [qw(EMFILE ENOMEM)],
);

# call => [errno or "short", ...] of all calls but those named.
sub hows {
    my %some = %hows;
    delete @some{@_};
    return %some;
}

# LD_PRELOAD for a program; of an instrumented one the run-time library must come first.
sub preload {
    my ($bin) = @_;
    my ($asan) = `ldd $bin` =~ /libasan\S* => (\S+)/;
    return join ' ', grep { defined } $asan, "$ENV{DAG_BUILD}/tests/libfailing.so";
}

# A log of the library: how often each call was made; whether the one that was to fail has.
sub counts { my ($log) = @_; return ($log // '') =~ /^(\w+) (\d+)$/mg }
sub met { my ($log) = @_; return ($log // '') =~ /^failed/ }

# How a process ends: its exit status, "signal N", or "hangs" with its stack after ${secs}.
sub ended {
    my ($pid, $secs) = @_;
    my $end = time + $secs;
    while (waitpid($pid, WNOHANG) == 0) {
        if (time > $end) {
            my $stack = `gdb -p $pid -batch -ex 'thread apply all bt 12' 2>/dev/null`;
            kill 'KILL', $pid;
            waitpid $pid, 0;
            return "hangs: $stack";
        }
        sleep 0.005;
    }
    return $? & 127 ? 'signal ' . ($? & 127) : $? >> 8;
}

# What is wrong with such an end, whatever it was that failed.
sub amiss {
    my ($rc, $said) = @_;
    return ((grep { $rc !~ /^[0123]$/ } "it ended with $rc"),
        (grep { $rc ne '0' && $said !~ /error|fail|cannot|not /i } "it said nothing, and ended with $rc"),
        (grep { $said =~ /Sanitizer|runtime error/ } 'a sanitizer speaks'));
}

1;
