package Disk;
# What may be on the disk if the power goes: from what tests/fault/witness.c has written down.
#
# What was synced is there.  Of the rest any part may be: of a file's writes, sector by sector,
# with zeros where its size ran ahead; of the names in a directory, each change by itself.  A
# rename is one change.  A name is durable when its directory was synced, and lost with a directory
# that is lost.
use strict;
use warnings;
use File::Path qw(make_path);

my $sector = 512;

# What a power loss leaves nothing of that matters: the index is thrown away when it is damaged,
# a lock is no file to it.
sub left_out { return $_[0] =~ m{/(?:index[^/]*\.db(?:-\w+)?|artifacts\.lock)$} }

sub slurp { my ($f) = @_; open my $h, '<:raw', $f or die "$f: $!"; local $/; return scalar(<$h>) // '' }

# The disk before: all that lies below ${top}, durable.
sub new {
    my ($class, $top) = @_;
    my $d = bless { top => $top, dirs => {}, files => [], ino => {}, pending => [] }, $class;
    $d->_take($top);
    return $d;
}

sub _take {
    my ($d, $dir) = @_;
    my $names = $d->{dirs}{$dir} = {};
    opendir my $h, $dir or die "$dir: $!";
    for my $name (grep { !/^\.\.?$/ } readdir $h) {
        my $path = "$dir/$name";
        next if left_out($path);
        my @st = lstat $path;
        if (-l _) { $names->{$name} = ['l', readlink $path] }
        elsif (-d _) { $names->{$name} = ['d']; $d->_take($path) }
        else { $names->{$name} = ['f', $d->_file($st[1], $st[2] & 07777, slurp($path))] }
    }
}

# A file: what is durable of it, what is not.
sub _file {
    my ($d, $ino, $mode, $bytes) = @_;
    push @{ $d->{files} }, { mode => $mode, safe => $bytes, now => $bytes, ops => [] };
    $d->{ino}{$ino} = $#{ $d->{files} };
    return $d->{ino}{$ino};
}

# The same once more, on its own.
sub fork {
    my ($d) = @_;
    return bless { %$d, dirs => { map { $_ => { %{ $d->{dirs}{$_} } } } keys %{ $d->{dirs} } },
        files => [map { { %$_, ops => [@{ $_->{ops} }] } } @{ $d->{files} }], ino => { %{ $d->{ino} } },
        pending => [@{ $d->{pending} }] }, ref $d;
}

# ---- the log ----

sub read_log {
    my ($file) = @_;
    my $text = slurp($file);
    my @log;
    for (my $at = 0; $at < length $text;) {
        my ($kind, $ino, $off, $n1, $n2) = unpack 'a1 x7 Q Q L L', substr $text, $at, 32;
        my ($p, $q) = unpack "a$n1 a$n2", substr $text, $at + 32, $n1 + $n2;
        $at += 32 + $n1 + $n2;
        if ($kind ne 'W') { s{/(?:\./)+}{/}g, s{/+}{/}g, s{/\.?$}{} for $p, $q }
        push @log, [$kind, $ino, $off, $p, $q];
    }
    return \@log;
}

sub _change {
    my ($d, @sets) = @_; # [path, entry]
    push @{ $d->{pending} }, [map { my ($dir, $name) = $_->[0] =~ m{^(.*)/([^/]*)$}; [$dir, $name, $_->[1]] }
        grep { !left_out($_->[0]) } @sets];
}

sub _find { my ($d, $path) = @_; my ($dir, $name) = $path =~ m{^(.*)/([^/]*)$};
    for my $op (reverse @{ $d->{pending} }) { for (reverse @$op) { return $_->[2] if $_->[0] eq $dir && $_->[1] eq $name } }
    return ($d->{dirs}{$dir} // {})->{$name} }

# One record happens.  ${lies}: syncs of files, or of names, do nothing.
sub step {
    my ($d, $op, $lies) = @_;
    my ($kind, $ino, $at, $p, $q) = @$op;
    my $file = $kind =~ /[WTS]/ && defined $d->{ino}{$ino} ? $d->{files}[ $d->{ino}{$ino} ] : undef;
    if ($kind eq 'C') { my $i = $d->_file($ino, $at, ''); $d->_change([$p, ['f', $i]]) }
    elsif ($kind eq 'M') { $d->_change([$p, ['d']]) }
    elsif ($kind eq 'U') { $d->_change([$p, undef]) }
    elsif ($kind eq 'Y') { $d->_change([$p, ['l', $q]]) }
    elsif ($kind eq 'L') { $d->_change([$p, ['f', $d->{ino}{$ino}]]) }
    elsif ($kind eq 'N') { $d->_change([$p, undef], [$q, $d->_find($p)]) }
    elsif ($kind eq 'W' && $file) { push @{ $file->{ops} }, [$at, $p]; _write(\$file->{now}, $at, $p) }
    elsif ($kind eq 'T' && $file) { push @{ $file->{ops} }, [$at]; _cut(\$file->{now}, $at) }
    elsif ($kind eq 'S' && $file && $lies ne 'files') { _sync($file) }
    elsif ($kind eq 'D' && $lies ne 'names') { $d->_sync_names($p) }
    elsif ($kind eq 'F') {
        if ($lies ne 'files') { _sync($_) for @{ $d->{files} } }
        $d->_sync_names(undef) if $lies ne 'names';
    }
}

sub _write { my ($s, $at, $p) = @_; $$s .= "\0" x ($at - length $$s) if length $$s < $at; substr($$s, $at, length $p) = $p }
sub _cut { my ($s, $n) = @_; $$s = length $$s > $n ? substr($$s, 0, $n) : $$s . "\0" x ($n - length $$s) }
sub _sync { my ($f) = @_; $f->{safe} = $f->{now}; $f->{ops} = [] }

# A rename from one directory to another is durable with either.
sub _sync_names {
    my ($d, $dir) = @_;
    my @rest;
    for my $op (@{ $d->{pending} }) {
        if (defined $dir && !grep { $_->[0] eq $dir } @$op) { push @rest, $op }
        else { $d->{dirs}{ $_->[0] }{ $_->[1] } = $_->[2] for @$op }
    }
    $d->{pending} = \@rest;
}

# ---- what may be found ----

# The bytes of a file.
sub _bytes {
    my ($f, $fate) = @_;
    return $f->{now} if $fate eq 'kept' || !@{ $f->{ops} };
    return $f->{safe} if $fate eq 'lost';
    return "\0" x length $f->{now} if $fate eq 'zeros' && length $f->{safe} == 0;
    my $s = $f->{safe};
    for (@{ $f->{ops} }) {
        my ($at, $p) = @$_;
        if (!defined $p) { _cut(\$s, $at) if rand() < 0.5; next }
        for (my $i = 0; $i < length $p; $i += $sector) {
            _write(\$s, $at + $i, substr $p, $i, $sector) if rand() < 0.6;
        }
    }
    return $s;
}

# The disk: path -> ['f', bytes, mode] or ['l', target] or ['d'].
sub image {
    my ($d, $data, $names) = @_;
    my %dirs = map { my $k = $_; $k => { %{ $d->{dirs}{$k} } } } keys %{ $d->{dirs} };
    my $upto = $names eq 'first' ? rand @{ $d->{pending} } : @{ $d->{pending} };
    for (0 .. $#{ $d->{pending} }) {
        next if $names eq 'lost' || $_ >= $upto || ($names eq 'some' && rand() < 0.5);
        $dirs{ $_->[0] }{ $_->[1] } = $_->[2] for @{ $d->{pending}[$_] };
    }
    my %out;
    my @todo = $d->{top};
    while (defined(my $dir = shift @todo)) {
        for my $name (keys %{ $dirs{$dir} // {} }) {
            my $e = $dirs{$dir}{$name} // next;
            my $path = "$dir/$name";
            push @todo, $path if $e->[0] eq 'd';
            my $f = $e->[0] eq 'f' ? $d->{files}[ $e->[1] ] : undef;
            $out{ substr $path, 1 + length $d->{top} } = $f ? ['f', _bytes($f, $data), $f->{mode}] : $e;
        }
    }
    return \%out;
}

# Make a directory hold an image.
sub put {
    my ($image, $to) = @_;
    make_path($to);
    for my $path (sort keys %$image) {
        my ($kind, $bytes, $mode) = @{ $image->{$path} };
        if ($kind eq 'd') { mkdir "$to/$path" or die "$path: $!" }
        elsif ($kind eq 'l') { symlink $bytes, "$to/$path" or die "$path: $!" }
        else {
            open my $h, '>:raw', "$to/$path" or die "$path: $!";
            print $h $bytes;
            close $h or die;
            chmod $mode, "$to/$path";
        }
    }
}

# Does the log add up to what there was in the end?  What went by unseen.
sub unseen_in {
    my ($d, $have) = @_;
    my $want = $d->image('kept', 'kept');
    my %all = (%$have, %$want);
    return grep { my ($h, $w) = map { $_ ? join ' ', grep { defined } @$_[0, 1] : '' } $have->{$_}, $want->{$_}; $h ne $w } sort keys %all;
}

1;
