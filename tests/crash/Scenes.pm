package Scenes;
# Small repositories, each with its remote, in which a verb on data has something to do: `r` and
# `rem` in a directory of the verb's name.
use strict;
use warnings;
use Artifacts;
use Crash;
use Exporter 'import';
use File::Path qw(make_path remove_tree);

our @EXPORT = qw(%verbs @order make_scenes in_dir must copy);
my $out; # where the output of dag goes

# Run dag there, with its output out of the way: (exit code, output).
sub in_dir {
    my ($dir, @args) = @_;
    chdir $dir or die "cannot enter $dir: $!";
    my $rc = wait_dag(start_dag($out, @args));
    return ($rc, read_file($out) // '');
}

sub must { my ($rc, $out) = in_dir(@_); die "dag @_ : $rc: $out" if $rc != 0; return $out }

sub copy { my ($from, $to) = @_; chdir '/'; remove_tree($to); system('cp', '-a', $from, $to) == 0 or die 'cp' }

# Few objects are synced one by one, more than that all at once.
our %verbs = (
    'add' => [qw(add -q a b d sub/c)], 'add many' => [qw(add -q a b d sub/c)],
    'commit' => [qw(commit -q -f)],
    'push' => [qw(push -q)], 'push many' => [qw(push -q)],
    'fetch' => [qw(fetch -q)],
    'checkout' => [qw(checkout -q)],
    'pull' => [qw(pull -q)],
    'move' => [qw(move -q a sub/e)],
    'remove' => [qw(remove -q --outs d)],
    'gc' => [qw(gc -q -w -c -f --grace 0s)],
);
our @order = ('add', 'add many', 'commit', 'push', 'push many', 'fetch', 'checkout', 'pull', 'move', 'remove', 'gc');

# Make them below ${top}; with ${many} those of many objects, and no others.
sub make_scenes {
    my ($top, $many) = @_;
    $out = "$top/out";
    my $w = "$top/work";
    remove_tree($w);
    make_path("$w/r/d", "$w/r/sub");
    mkdir "$w/rem";
    system('git', '-C', "$w/r", qw(init -q -b main --template=)) == 0 or die 'git';
    contents("$w/r", $many ? 24 : 6);
    write_file("$w/r/b", 'b' x 3000);
    copy($w, $many ? "$top/add many" : "$top/add");
    must("$w/r", qw(remote add -q -d r ../rem));
    must("$w/r", @{ $verbs{add} });
    return copy($w, "$top/push many") if $many;
    must("$w/r", qw(push -q));
    my %a = map { $_ => read_file($_) } pointers("$w/r");
    edits("$w/r");
    copy($w, "$top/commit");
    must("$w/r", @{ $verbs{commit} });
    copy($w, "$top/push");
    copy($w, "$top/move");
    copy($w, "$top/remove");
    my %b = map { $_ => read_file($_) } pointers("$w/r");
    write_file($_, $a{$_}) for keys %a;
    copy($w, "$top/checkout");
    write_file($_, $b{$_}) for keys %b;
    must("$w/r", qw(push -q));
    copy($w, "$top/gc");
    remove_tree("$w/r/.dag/cache");
    copy($w, "$top/fetch");
    remove_tree("$w/r/d");
    copy($w, "$top/pull");
}

1;
