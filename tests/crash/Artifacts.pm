package Artifacts;
# What tests of artifacts share: data to track, and what is right, computed here and not by dag.
use strict;
use warnings;
use Crash;
use Digest::MD5 qw(md5_hex);
use Exporter 'import';

our @EXPORT = qw(contents edits pointers object objects named state_of store_wrong temporaries replacements grow_old append between differs status_json);

my $temp = qr/^\.[A-Za-z0-9_-]{22}\.tmp$/;    # of a file to be
my $whole = qr/^\.dag-[0-9a-f]{16}\.tmp$/;     # of a file to be replaced

# ---- data ----

sub noise { my ($n) = @_; my $s = ''; $s .= pack 'N', rand 2**32 while length $s < $n; return substr $s, 0, $n }

sub append { my ($file, $text) = @_; open my $f, '>>', $file or die "$file: $!"; print $f $text; close $f or die }

# Some of it is empty, some the same twice, some large.
sub contents {
    my ($dir, $files) = @_;
    write_file("$dir/a", noise(1000));
    write_file("$dir/b", noise(1_500_000));
    write_file("$dir/sub/c", "c\n");
    chmod 0755, "$dir/a";
    for my $i (1 .. $files) {
        my $in = "$dir/d/" . ('', 's/', 's/t/')[$i % 3];
        mkdir $in;
        write_file("$in$i", $i % 40 == 0 ? '' : $i % 41 == 0 ? "same\n" : noise($i % 50 == 1 ? 150_000 : 20 + rand 3000));
    }
}

sub edits {
    my ($dir) = @_;
    # What is a link into the cache is not written to.
    unlink "$dir/a";
    write_file("$dir/a", noise(1200));
    write_file("$dir/new", noise(700));
    my @d = glob "$dir/d/* $dir/d/s/* $dir/d/s/t/*";
    for my $f (grep { -f } @d) {
        my $x = rand;
        if ($x < 0.15) { unlink $f }
        elsif ($x < 0.4) { unlink $f; write_file($f, noise(rand 4000)) }
        elsif ($x < 0.5) { write_file("$f.more", noise(rand 2000)) }
    }
    write_file("$dir/d/u", noise(30)); # never empty-handed
    mkdir "$dir/d/v";
    write_file("$dir/d/v/w", noise(40));
}

# ---- what is there ----

# All files below a directory: path -> bytes.
sub files {
    my ($dir, $at, $out) = (@_, '', {});
    opendir(my $d, "$dir/$at") or return $out;
    for my $name (grep { !/^\.\.?$/ } readdir $d) {
        next if $at eq '' && ($name eq '.git' || $name eq '.dag');
        my $path = $at eq '' ? $name : "$at/$name";
        -d "$dir/$path" && !-l "$dir/$path" ? files($dir, $path, $out) : ($out->{$path} = read_file("$dir/$path"));
    }
    return $out;
}

sub is_temp { return $_[0] =~ m{([^/]*)$} && ($1 =~ $temp || $1 =~ $whole) }

sub pointers { my ($dir) = @_; return grep { -f } glob "$dir/*.dvc $dir/sub/*.dvc" }

sub object { my ($store, $hex) = @_; return "$store/files/md5/" . substr($hex, 0, 2) . '/' . substr($hex, 2) }

sub objects { my ($store) = @_; return grep { -f } glob "$store/files/md5/??/*" }

# Path -> hash of all that counts: the work tree, pointer files, the names in both stores.
# Directories that stay empty and what a killed process left count for nothing.
sub state_of {
    my ($at) = @_;
    my $files = files("$at/r");
    my %s = map { $_ => md5_hex($files->{$_}) } grep { !is_temp($_) } keys %$files;
    for my $store ('r/.dag/cache', 'rem') {
        $s{"$store: $_"} = '' for map { m{/files/md5/(.*)$}; $1 } objects("$at/$store");
    }
    # Lines are added to it one by one.
    delete $s{'.gitignore'};
    delete $s{'sub/.gitignore'};
    $s{"ignored $_"} = '' for grep { defined } split /\n/, ($files->{'.gitignore'} // '') . ($files->{'sub/.gitignore'} // '');
    $s{'.gitignore is cut'} = 1 if ($files->{'.gitignore'} // "\n") !~ /\n\z/;
    return \%s;
}

# Each path is as it was or as it will be.
sub between {
    my ($old, $now, $new) = @_;
    my %all = (%$old, %$now, %$new);
    my @wrong;
    for my $p (sort keys %all) {
        my ($o, $w, $n) = map { $_->{$p} // 'absent' } $old, $now, $new;
        push @wrong, "$p is neither what it was nor what it will be: $w, not $o or $n" if $w ne $o && $w ne $n;
    }
    return @wrong;
}

# Of files to be, in the work tree: in a directory that is tracked they are part of it, to DVC.
sub temporaries { my ($dir) = @_; return map { "$dir/$_" } grep { m{([^/]*)$} && $1 =~ $temp } keys %{ files($dir) } }

# Of files to be replaced, anywhere but in stores: not at once, but in a minute.
sub replacements { my ($dir) = @_; return grep { m{([^/]*)$} && $1 =~ $whole } glob "$dir/.dag/.*.tmp $dir/.*.tmp $dir/sub/.*.tmp" }

sub grow_old { utime time - 3600, time - 3600, $_ for @_ }

sub differs { my ($now, $want) = @_; return between($want, $now, $want) }

# All that is wrong with a store: what its names do not say, and, where ${lists}, a list whose
# files are not all there.
sub store_wrong {
    my ($store, $lists) = @_;
    my $all = files("$store/files/md5");
    my @wrong;
    for my $name (sort grep { !is_temp($_) } keys %$all) {
        my ($hex) = $name =~ m{^(../[0-9a-f]{30})(?:\.dir)?$} or do { push @wrong, "$store: a stray '$name'"; next };
        $hex =~ s{/}{};
        push @wrong, "$store: '$name' is not what it says" if md5_hex($all->{$name}) ne $hex;
        my $mode = (stat "$store/files/md5/$name")[2] & 07777;
        push @wrong, sprintf "%s: '%s' has mode %o", $store, $name, $mode if $mode != 0444;
        next unless $lists && $name =~ /\.dir$/;
        for ($all->{$name} =~ /"md5": "([0-9a-f]{32})"/g) {
            push @wrong, "$store: the list '$name' lacks $_" unless defined $all->{ substr($_, 0, 2) . '/' . substr $_, 2 };
        }
    }
    return @wrong;
}

# ---- what is right ----

# The hash that data of the work tree has, as DVC has it; undef where there is none.
sub hash_of {
    my ($path) = @_;
    return md5_hex(read_file($path)) if -f $path;
    return undef unless -d $path;
    my $files = files($path);
    return md5_hex('[' . join(', ', map { sprintf '{"md5": "%s", "relpath": "%s"}', md5_hex($files->{$_}), $_ }
        sort keys %$files) . ']') . '.dir';
}

sub whole {
    my ($cache, $id) = @_;
    my $list = read_file(object($cache, $id)) // return 0;
    return 1 unless $id =~ /\.dir$/;
    return !grep { !-e object($cache, $_) } $list =~ /"md5": "([0-9a-f]{32})"/g;
}

sub pointer {
    my ($file) = @_;
    my $text = read_file($file);
    $text =~ s/\A.*^outs:$//ms; # where it came from
    my ($id) = $text =~ /^- md5: (\S+)$/m;
    my ($name) = $text =~ /^  path: (\S+)$/m;
    return ($id, $name);
}

# Every object that the pointer files lead to.
sub named {
    my ($dir) = @_;
    return map { my ($id) = pointer($_);
        $id =~ /\.dir$/ ? ($id, read_file(object("$dir/.dag/cache", $id)) =~ /"md5": "([0-9a-f]{32})"/g) : $id } pointers($dir);
}

# What `dag status --json` has to say.
sub status_json {
    my ($dir) = @_;
    my %out;
    for my $file (pointers($dir)) {
        my ($id, $name) = pointer($file);
        my ($rel) = $file =~ m{^\Q$dir\E/(.*)$};
        my $path = ($rel =~ m{^(.*/)} ? $1 : '') . $name;
        my $have = hash_of("$dir/$path");
        my $state = !whole("$dir/.dag/cache", $id) ? 'not in cache'
            : !defined $have ? 'deleted' : $have ne $id ? 'modified' : next;
        $out{$rel} = "  \"$rel\": [\n    {\n      \"changed outs\": {\n        \"$path\": \"$state\"\n      }\n    }\n  ]";
    }
    return "{}\n" if !%out;
    return "{\n" . join(",\n", map { $out{$_} } sort keys %out) . "\n}\n";
}

1;
