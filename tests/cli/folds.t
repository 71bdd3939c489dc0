#!/usr/bin/perl
# Checkout where the file system takes several names for one: vfat, and ext4 with casefold, of
# this kernel where it has them, vfat else of one that runs as a program (user-mode Linux).
use strict;
use warnings;
use File::Basename qw(dirname);
use File::Path qw(make_path remove_tree);
use lib dirname(__FILE__);
my $release;
BEGIN { $release = $ENV{DAG_RELEASE} // '' } # which Cli clears
use Cli qw(:DEFAULT uml);
use Test::More;

plan skip_all => 'needs root to mount' if $> != 0;
my $dir = project();
my $data = "$dir/data";
my ($acute, $apart) = ("caf\xc3\xa9", "cafe\xcc\x81"); # an accent, written in both ways

# A repository with three directories that are not in its work tree.
my %sets = (plain => ['a', 'B', $acute], letters => ['Name', 'name'], forms => [$acute, $apart]);
make_path("$data/m");
for my $set (sort keys %sets) {
	spew("$data/m/$set/$_", "$_ of $set\n") for @{$sets{$set}};
}
ok_dag(0, 'add', $data, 'add', '-q', map { "m/$_" } sort keys %sets);
remove_tree(map { "$data/m/$_" } keys %sets);
make_path("$dir/pointers");
rename $_, "$dir/pointers/" . (m{([^/]+)\z})[0] for glob("$data/m/*.dvc");
unlink "$data/m/.gitignore";

# Called with the place of the mount and the program: what becomes of each directory.
spew("$dir/try", <<"END");
cp $dir/pointers/*.dvc \$1/data/m
cd \$1/data
for set in plain letters forms; do
	echo "[\$2 \$set]"
	\$3 checkout --quiet m/\$set 2>&1
	echo "status \$?"
	[ ! -d m/\$set ] || ls m/\$set | LC_ALL=C sort
	\$3 status --json m/\$set
done
echo "[\$2 left]"
ls -A m
END

sub image {
	my ($kind) = @_;
	my $image = "$dir/$kind.img";
	my $make = $kind eq 'vfat' ? "mkfs.vfat $image" : "mkfs.ext4 -q -O casefold -E encoding=utf8 $image";
	return system("{ truncate -s 32M $image && PATH=\$PATH:/sbin:/usr/sbin $make; } >/dev/null 2>&1") == 0 ? $image : undef;
}

# In this kernel.
sub here {
	my ($kind) = @_;
	return undef if system($kind eq 'vfat' ? 'grep -qw vfat /proc/filesystems' : 'test -e /sys/fs/ext4/features/casefold') != 0;
	my $image = image($kind) or return undef;
	my $at = "$dir/$kind/data/m";
	make_path(dirname(dirname($at)));
	system("cp -r $data $dir/$kind/") == 0 or return undef;
	my $how = $kind eq 'vfat' ? '-t vfat -o loop,utf8' : '-t ext4 -o loop';
	return undef if system("mount $how $image $at 2>/dev/null") != 0;
	system("chattr +F $at/. 2>/dev/null || { mkdir $at/x && chattr +F $at/x; }") if $kind ne 'vfat';
	my $out = `sh $dir/try $dir/$kind $kind @{[build()]}/bin/dag 2>&1`;
	system("umount $at");
	return $out;
}

# In one that is a program; what it is given lies in a tmpfs of its own.
sub there {
	my $image = image('vfat') or return undef;
	return undef if !-x "$release/bin/dag" || system('command -v linux.uml >/dev/null') != 0;
	spew("$dir/init", <<"END");
#!/bin/sh
export PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/
mount -t proc proc /proc
mount -t sysfs sys /sys
mkdir -p $dir/p
mount -t tmpfs tmpfs $dir/p || poweroff -f
mkdir $dir/p/dev
mount -t devtmpfs dev $dir/p/dev
for m in fat/fat fat/vfat nls/nls_cp437 nls/nls_ascii nls/nls_utf8 nls/nls_iso8859-1; do
	for f in /usr/lib/uml/modules/*/kernel/fs/\$m.ko; do
		perl -e 'open(my \$f, "<", \$ARGV[0]) or die; my \$o = ""; syscall(313, fileno(\$f), \$o, 0)' \$f
	done
done
cp -r $data $dir/p/
mount -t vfat -o utf8 $dir/p/dev/ubdb $dir/p/data/m && sh $dir/try $dir/p vfat $release/bin/dag
echo '[end]'
poweroff -f
halt -f -p
END
	chmod 0755, "$dir/init", $dir;
	my $out = uml("$dir/init", 60, 'mem=256M', "ubdb=$image");
	return $out =~ /^\[vfat plain\]$/m ? $out : undef;
}

my %out = (vfat => here('vfat') // there(), casefold => here('casefold'));
for my $kind (sort keys %out) {
	SKIP: {
		skip "no $kind can be mounted" . ($kind eq 'vfat' ? ', nor does linux.uml with DAG_RELEASE run' : ''), 1 if !defined $out{$kind};
		my %part = $out{$kind} =~ /^\[\w+ (\w+)\]\n(.*?)(?=^\[[\w ]+\]\n|\z)/gms;
		is($part{plain}, join("\n", 'status 0', 'B', 'a', $acute, "{}\n"), "$kind: what has no such names is there") or diag($out{$kind});
		like($part{letters}, qr/'Name' and 'name' differ only by capitals and small letters/, "$kind: two that are one are named");
		like($part{letters}, qr/^status 1\n\{\n/m, '... and neither is there');
		if ($kind eq 'vfat') {
			like($part{forms}, qr/^status 0\n(?:$acute\n$apart|$apart\n$acute)\n\{\}$/m, "$kind tells the ways to write an accent apart");
		} else {
			like($part{forms}, qr/differ only by how Unicode writes their accents/, "$kind: the ways to write an accent are one");
			like($part{forms}, qr/^status 1\n\{\n/m, '... and neither is there');
		}
		unlike($part{left}, qr/\.tmp$/m, '... nothing is left behind');
	}
}
done_testing();
