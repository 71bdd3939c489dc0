#!/usr/bin/perl
# The limits of memory on a kernel with cgroup version 2, which this machine may not have: one
# that runs as a program (user-mode Linux), with our files below a tmpfs of its own.
use strict;
use warnings;
use File::Basename qw(dirname);
use lib dirname(__FILE__);
my $release;
BEGIN { $release = $ENV{DAG_RELEASE} // '' } # which Cli clears
use Cli qw(:DEFAULT uml);
use Test::More;

my $dag = "$release/bin/dag";
plan skip_all => 'needs DAG_RELEASE (no address sanitizer fits into that kernel)' unless -x $dag;
plan skip_all => 'needs root and linux.uml' if $> != 0 || system('command -v linux.uml >/dev/null') != 0;

my $dir = project('m.yaml' => <<'END', 'take.pl' => '$x = "x"; $x x= $ARGV[0] << 20; select(undef, undef, undef, $ARGV[1] // 0.3);');
defaults: {resources: {memory: 64MiB}}
tasks:
  below: {run: perl take.pl 40}
  child: {run: 'perl take.pl 100 || true; sleep 30'}
  many: {run: for i in 1 2 3 4; do perl take.pl 20 20 & done; wait}
  killed: {run: 'kill -KILL $$'}
END
spew("$dir/init", <<"END");
#!/bin/sh
export PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/
mount -t proc proc /proc
mount -t sysfs sys /sys
mkdir -p $dir/p
mount -t tmpfs tmpfs $dir/p || poweroff -f
mount -t cgroup2 none /sys/fs/cgroup
cp $dir/m.yaml $dir/take.pl $dir/p
cd $dir/p
mkdir .dag
cg=/sys/fs/cgroup
run() {
	echo "[\$1]"
	$dag doctor | grep ^memory
	$dag run m -j 1 2>&1 | cat
	cat .dag/runs/*/*/exit
	rm -rf .dag/runs/*
	find \$cg -name 'dag-*' | sed 's/^/LEFT /'
}
doctor() {
	echo "[\$1]"
	\$2 $dag doctor | grep ^memory
}
echo +memory >\$cg/cgroup.subtree_control
run root
mkdir -p \$cg/app/us
echo \$\$ >\$cg/app/us/cgroup.procs
doctor 'not handed down'
echo +memory >\$cg/app/cgroup.subtree_control
run sibling
doctor 'not delegated' 'setpriv --reuid=65534 --clear-groups'
chown 65534 \$cg/app \$cg/app/cgroup.procs \$cg/app/us/cgroup.procs
doctor delegated 'setpriv --reuid=65534 --clear-groups'
echo 500M >\$cg/app/us/memory.max
doctor 'own limit'
echo '[end]'
poweroff -f
halt -f -p
END
chmod 0755, "$dir/init", $dir;
my $out = uml("$dir/init", 60, 'mem=512M');
plan skip_all => 'linux.uml does not run here: ' . substr($out, -200) =~ s/\s+/ /gr if $out !~ /^\[root\]/m;
my %part = $out =~ /^\[([\w ]+)\]\n(.*?)(?=^\[[\w ]+\]\n|\z)/gms;

ok(exists $part{end}, 'it came to its end') or diag($out);
for my $where (['root', '/sys/fs/cgroup'], ['sibling', '/sys/fs/cgroup/app']) {
	my ($name, $place) = @$where;
	my $p = $part{$name} // '';
	like($p, qr{^memory +ok .* held by cgroup version 2 in \Q$place\E$}m, "$name: doctor says where") or diag($p);
	like($p, qr/ $_: used more than its memory of 64 MiB and was killed/, "$name: $_ is ended") for qw(child many);
	like($p, qr/ below: success/, "$name: below is left alone");
	like($p, qr/ killed: .* signal 9/, "$name: a plain KILL is none");
	my @records = $p =~ /^(v=1 .*)$/mg;
	is(scalar(grep { / mem=cgroup / } @records), 4, "$name: the kernel held all limits");
	is(scalar(grep { / mem_over=1 / && / oom=yes / && / mem_peak_kib=65[0-9]{3} / } @records), 2, '... and two went to theirs');
	is(scalar(grep { / mem_over=0 / && / oom=no / } @records), 2, '... two did not');
	unlike($p, qr/^LEFT/m, '... no cgroup is left');
}
like($part{delegated}, qr{^memory +ok .* version 2 in /sys/fs/cgroup/app$}m, 'a user to whom it is delegated');
my %why = ('not handed down' => 'not enabled for us', 'not delegated' => 'not delegated to this user',
	'own limit' => 'has limits of its own');
like($part{$_}, qr/^memory +warn .* held by looking .*\Q$why{$_}\E/m, "$_: is said") for sort keys %why;
done_testing();
