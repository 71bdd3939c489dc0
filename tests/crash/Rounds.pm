package Rounds;
# What the kill loops share: which phase of an attempt a kill hit, whether the history that is
# left is a possible one, and whether anything lives on.
#
# A task of these loops writes "start N" with the number of its attempt into TASK.log as its
# first act; nothing else of what it does is trusted.
use strict;
use warnings;
use Crash;
use Exporter 'import';
use Fcntl qw(:flock);
use Test::More;

our @EXPORT = qw(@phases %landed snapshot land show_phases wrong_history results_of
    processes_of nothing_left sql);

our @phases = ('before commit', 'commit to spawn', 'spawn to started', 'running', 'exit to commit');
our %landed = map { $_ => 0 } @phases;

# Tasks and owners inherit it, so whatever a suite leaves can be told from what others run.
our $mark = "CRASH_SUITE_$$" . int rand 1e9;
$ENV{CRASH_SUITE} = $mark;

# The files of each attempt at this instant: it is taken right after the kill, since what was
# not killed goes on.
sub snapshot {
    my %seen;
    for my $dir (glob '.dag/runs/*/*.[0-9]*') {
        next if -e "$dir/exit" && !-e "$dir/started"; # it could not be executed
        $seen{$dir} = -e "$dir/exit" ? 'exit to commit'
            : -e "$dir/started" ? 'running'
            : -e "$dir/shim" || is_locked("$dir/alive") ? 'spawn to started'
            : 'commit to spawn';
    }
    return \%seen;
}

sub is_locked {
    open my $f, '<', $_[0] or return 0;
    return flock($f, LOCK_SH | LOCK_NB) ? 0 : 1;
}

# Count where the kill of an owner landed: in one phase for each attempt that its rows say is
# under way, or before a commit if there is none.
sub land {
    my ($seen, $run) = @_;
    my $n = 0;
    for my $a (grep { $_->{state} ne 'done' && $_->{executor} ne 'engine' } @{ ($run || {})->{attempts} || [] }) {
        $landed{ $seen->{".dag/$a->{dir}"} // 'commit to spawn' }++;
        $n++;
    }
    $landed{'before commit'}++ if !$n;
    return $n;
}

sub show_phases {
    my ($name) = @_;
    diag sprintf '%-28s %6s', "kills by phase, $name", '';
    diag sprintf '  %-26s %6d', $_, $landed{$_} for @phases;
}

sub sql {
    my ($q) = @_;
    my $out = `sqlite3 -cmd '.timeout 5000' .dag/dag.db "$q" 2>&1`;
    chomp $out;
    return $out;
}

sub results_of {
    my ($run) = @_;
    return join ' ', "run=" . ($run->{result} // '-'), map { "$_->{task}=" . ($_->{result} // '-') } @{ $run->{tasks} };
}

my %again = map { $_ => 1 } qw(lost failed void);

# All that is wrong with the history of a run that has ended.  ${again}: results, besides lost,
# failed and void, after which another attempt is right (cancelled, where the run was retried).
sub wrong_history {
    my ($run, @more) = @_;
    my %ok = (%again, map { $_ => 1 } @more);
    my (%attempts, @wrong);
    push @{ $attempts{ $_->{task} } }, $_ for @{ $run->{attempts} };
    for my $task (sort keys %attempts) {
        my @a = sort { $a->{attempt} <=> $b->{attempt} } @{ $attempts{$task} };
        my %starts;
        for (slurp_lines("$task.log")) { $starts{$1}++ if /^start (\d+)/ }
        for my $i (0 .. $#a) {
            my ($n, $r) = ($a[$i]{attempt}, $a[$i]{result} // 'none');
            my $what = "$task attempt $n ($r)";
            push @wrong, "$what comes as number " . ($i + 1) if $n != $i + 1;
            push @wrong, "$what is followed by another" if $i < $#a && !$ok{$r};
            push @wrong, "$what was not ended" if $r eq 'none';
            next if $a[$i]{executor} eq 'engine';
            my $s = delete $starts{$n} // 0;
            push @wrong, "$what started $s times" if $s > 1;
            push @wrong, "$what never started" if !$s && $r =~ /^(success)$/;
            push @wrong, "$what started, but is void" if $s && $r eq 'void';
        }
        push @wrong, "$task was started as attempt $_ of which there is no row" for keys %starts;
    }
    push @wrong, "database: $_" for split /\n/, sql("select 'twice', task, number, event from event "
        . 'where number > 0 and event in '
        . "('preparing', 'running', 'success', 'failed', 'lost', 'void', 'cancelled') "
        . 'group by run, task, map, number, event having count(*) > 1; '
        . "select 'locked', path from path_lock; "
        . "select 'integrity', integrity_check from pragma_integrity_check where integrity_check <> 'ok'; "
        . 'pragma foreign_key_check');
    return @wrong;
}

# Who lives with this entry in its environment, or is a shim of the project.
sub processes_of {
    my ($entry, $project) = @_;
    my @found;
    for my $dir (glob '/proc/[0-9]*') {
        my ($pid) = $dir =~ /(\d+)$/;
        next if $pid == $$;
        my $cmd = read_file("$dir/cmdline") // '';
        my $env = read_file("$dir/environ") // '';
        next unless "\0$env" =~ /\0\Q$entry\E\0/
            || (defined $project && $cmd =~ /^dag-shim\0\Q$project\E\//);
        next if (read_file("$dir/stat") // '') =~ /\) [ZX] /;
        next if (read_file("$dir/stat") // '') =~ /\) \S \Q$$\E / && $cmd =~ /^(sh\0-c|sqlite3)/;
        push @found, "$pid " . join(' ', split /\0/, $cmd);
    }
    return @found;
}

# A test: nothing of this suite lives any more.  What is just ending gets a moment.
sub nothing_left {
    my @left;
    wait_until(3, sub { @left = processes_of("CRASH_SUITE=$mark"); !@left });
    is(join("\n", @left), '', 'nothing of all this is left running');
}

1;
