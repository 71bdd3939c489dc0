#!/usr/bin/perl
# Data where things are not as usual: the cache on another file system, reflinks, a repository of
# somebody else, a umask that shuts others out, stores and an index that are damaged.
use strict;
use warnings;
use Cwd qw(abs_path);
use Digest::MD5 qw(md5_hex);
use File::Basename qw(dirname);
use File::Path qw(make_path remove_tree);
use File::Temp qw(tempdir);
use lib dirname(__FILE__);
use Cli;
use Test::More;

my $memory = -w '/dev/shm' ? '/dev/shm' : undef;
my $top = abs_path(tempdir('dag-around-XXXXXX', defined $memory ? (DIR => $memory) : (TMPDIR => 1), CLEANUP => 1));
delete $ENV{GIT_CONFIG_GLOBAL};
$ENV{HOME} = "$top/home";
$ENV{XDG_CONFIG_HOME} = "$top/home/.config";
$ENV{XDG_CONFIG_DIRS} = "$top/etc";
$ENV{GIT_CONFIG_NOSYSTEM} = 1;
make_path("$top/home");

sub git { my ($dir, @args) = @_; system('git', '-C', $dir, @args) == 0 or die "git @args" }
sub object { my ($store, $bytes) = @_; my $hex = md5_hex($bytes); return "$store/files/md5/" . substr($hex, 0, 2) . '/' . substr($hex, 2) }
sub mode { return sprintf '%04o', (lstat $_[0])[2] & 07777 }
sub inode { my @st = stat $_[0]; return "$st[0]:$st[1]" }

# A repository with a file and a directory that are tracked.
my $count = 0;
sub repository {
	my ($where, @config) = @_;
	my $r = "$where/r" . ++$count;
	make_path("$r/d/s");
	git($r, qw(init -q -b main --template=));
	ok_dag(0, "config @$_", $r, 'config', @$_) for @config;
	spew("$r/$_->[0]", $_->[1]) for ['a', "one\n"], ['d/b', "two\n"], ['d/s/c', "three\n"], ['d/empty', ''];
	ok_dag(0, 'add', $r, qw(add -q a d));
	return $r;
}

# The data is gone and comes back.
sub comes_back {
	my ($r, $what) = @_;
	is(ok_dag(0, "$what: status", $r, 'status', '--json')->{out}, "{}\n", '... all is well');
	remove_tree("$r/d");
	unlink "$r/a";
	ok_dag(0, "$what: checkout", $r, qw(checkout -q));
	is(join('', map { slurp("$r/$_") } 'a', 'd/b', 'd/s/c', 'd/empty'), "one\ntwo\nthree\n", '... all is there');
	is(ok_dag(0, "$what: status", $r, 'status', '--json')->{out}, "{}\n", '... all is well');
	spew("$r/d/b", "changed\n") if unlink "$r/d/b";
	ok_dag(0, "$what: commit", $r, qw(commit -q -f));
	is(ok_dag(0, "$what: status", $r, 'status', '--json')->{out}, "{}\n", '... all is well');
}

subtest 'a cache on another file system' => sub {
	my $far = abs_path(tempdir('dag-around-XXXXXX', TMPDIR => 1, CLEANUP => 1));
	plan skip_all => 'no other file system' if (stat $far)[0] == (stat $top)[0];
	for my $type ('', 'copy', 'hardlink,symlink', 'hardlink,copy', 'reflink,hardlink,copy') {
		my $cache = "$far/cache" . $count;
		my $r = repository($top, ['cache.dir', $cache], $type eq '' ? () : ['cache.type', $type]);
		is(slurp(object($cache, "one\n")), "one\n", 'it has the data');
		is(-l "$r/a" ? 'link' : 'file', $type =~ /symlink/ ? 'link' : 'file', "cache.type '$type'");
		comes_back($r, "'$type'");
		is((stat object($cache, "one\n"))[3], 1, '... and no other name');
	}
	my $r = "$top/only";
	make_path("$r/.dag");
	git($r, qw(init -q --template=));
	ok_dag(0, '', $r, 'config', 'cache.dir', "$far/cache-only");
	ok_dag(0, '', $r, 'config', 'cache.type', 'hardlink');
	spew("$r/x", "x\n");
	like(ok_dag(2, 'nothing but hard links, which cannot be had', $r, qw(add x))->{err}, qr/hardlink/, '... is refused by name');
	is(slurp("$r/x"), "x\n", '... and the data is where it was');
	ok(!-e "$r/x.dvc", '... not tracked');
};

# Kilobytes that are taken on the file system.
sub taken { system('sync', '-f', $_[0]); return (split ' ', (split /\n/, `df -k --output=used $_[0]`)[1])[0] }

subtest 'reflinks' => sub {
	my $m = "$top/xfs";
	mkdir $m;
	my $made = $> == 0 && system("{ truncate -s 400M $m.image && mkfs.xfs -q -m reflink=1 $m.image && mount -o loop $m.image $m; } >/dev/null 2>&1") == 0;
	plan skip_all => 'needs root, mkfs.xfs and a loop device' if !$made;
	my $r = repository($m);
	comes_back($r, 'xfs');
	my $big = join '', map { pack 'N*', map { int rand 2**32 } 1 .. 4096 } 1 .. 64;
	my $was = taken($m);
	spew("$r/big", $big x 20);
	my $once = taken($m) - $was;
	cmp_ok($once, '>=', 19 * 1024, 'a file of 20 MiB');
	ok_dag(0, 'add', $r, qw(add -q big));
	cmp_ok(taken($m) - $was, '<', $once + 4096, '... and its object take room once');
	unlink "$r/big";
	ok_dag(0, 'checkout', $r, qw(checkout -q big));
	cmp_ok(taken($m) - $was, '<', $once + 4096, '... also checked out');
	is(slurp("$r/big"), $big x 20, '... whole');
	isnt(inode("$r/big"), inode(object("$r/.dag/cache", $big x 20)), '... a file of its own');
	open my $f, '+<', "$r/big" or die;
	print $f 'mine';
	close $f;
	is(substr(slurp(object("$r/.dag/cache", $big x 20)), 0, 4), substr($big, 0, 4), '... that can be changed');
	system('umount', '-l', $m);
	unlink "$m.image";
};

subtest 'umask 077 and cache.shared = group' => sub {
	my $was = umask 077;
	my $r = repository($top, ['cache.shared', 'group'], ['cache.dir', "$top/group"]);
	my %modes;
	my @todo = "$top/group";
	while (defined(my $at = shift @todo)) {
		push @{ $modes{ (-d $at ? 'd' : 'f') . mode($at) } }, $at;
		push @todo, glob "$at/*" if -d $at;
	}
	is(join(' ', sort keys %modes), 'd2775 f0444', 'directories and objects are the group\'s');
	is(mode("$r/a.dvc"), '0600', '... what lies in the work tree is as the umask says');
	comes_back($r, 'shared');
	is(mode("$r/a"), '0600', '... a file that is checked out, too');
	ok_dag(0, 'a remote', $r, qw(remote add -q -d r), "$top/group-remote");
	ok_dag(0, 'that is shared', $r, qw(remote modify r shared group));
	ok_dag(0, 'push', $r, qw(push -q));
	is(mode(dirname(object("$top/group-remote", "one\n"))), '2775', '... has directories of the group');
	is(mode(object("$top/group-remote", "one\n")), '0444', '... and objects');
	umask $was;
	my $plain = repository($top);
	is(mode(object("$plain/.dag/cache", "one\n")), '0444', 'not shared, objects are the same');
	is(mode(dirname(object("$plain/.dag/cache", "one\n"))), sprintf('%04o', 0777 & ~$was), '... directories as the umask says');
};

subtest 'a repository of somebody else' => sub {
	plan skip_all => 'needs root' if $> != 0;
	my $r = repository($top);
	chown 1234, 1234, glob "$r/.git $r/.git/*";
	chown 1234, 1234, $r;
	spew("$r/a", "new\n");
	for my $verb (['add', 'a'], ['gc', '-w', '-f'], ['diff', 'HEAD'], ['status', '--data']) {
		my $p = ok_dag(2, "@$verb asks git", $r, @$verb);
		like($p->{err}, qr/'\Q$r\E' belongs to another user.*git config --global --add safe\.directory \Q$r\E/, '... says so, and the way out');
	}
	is(slurp("$r/a"), "new\n", '... nothing was touched');
	like(slurp("$r/a.dvc"), qr/@{[md5_hex("one\n")]}/, '... nothing recorded');
	git($r, qw(config --global --add safe.directory), $r);
	ok_dag(0, 'as it is trusted', $r, qw(add -q a));
	like(slurp("$r/a.dvc"), qr/@{[md5_hex("new\n")]}/, '... it is recorded');
	spew("$r/a", "newer\n");
	chown 1234, 1234, "$r/.dag";
	for my $verb (['add', 'a'], ['status'], ['checkout', '-f'], ['push'], ['pull', '-f'], ['gc', '-w', '-f'], ['remove', 'a']) {
		like(ok_dag(2, "@$verb", $r, @$verb)->{err}, qr/\.dag' belongs to another user \(uid 1234, we are 0\)/, '... and with its state directory, no verb');
	}
	is(slurp("$r/a"), "newer\n", '... nothing was touched');
};

subtest 'a damaged object in the cache' => sub {
	my $r = repository($top);
	ok_dag(0, 'a remote', $r, qw(remote add -q -d r ../damaged-remote));
	ok_dag(0, 'push', $r, qw(push -q));
	my $o = object("$r/.dag/cache", "two\n");
	my $damage = sub { chmod 0644, $o; spew($o, $_[0]); chmod 0444, $o };
	for my $bytes ("twp\n", "tw", '') {
		for my $type ('copy', 'hardlink', 'symlink') {
			ok_dag(0, '', $r, 'config', 'cache.type', $type);
			$damage->($bytes);
			remove_tree("$r/d");
			my $p = ok_dag(1, "checkout by $type of '" . $bytes =~ s/\n//r . "'", $r, qw(checkout -q));
			like($p->{err}, qr/'\Q$o\E' is damaged.*dag pull --verify/s, '... names it, and the way out');
			ok(!-e "$r/d/b" && !-l "$r/d/b", '... it is not in the work tree');
			is(slurp("$r/d/s/c"), "three\n", '... the others are');
			ok_dag(0, 'pull --verify', $r, qw(pull -q --verify));
			is(slurp($o), "two\n", '... replaces it');
			is(slurp("$r/d/b"), "two\n", '... and checks it out');
		}
	}
	ok_dag(0, '', $r, 'config', 'cache.type', 'copy');
	# It saves nothing: what is only in the work tree stays there.
	remove_tree("$r/d");
	ok_dag(0, '', $r, qw(checkout -q));
	git($r, qw(add -A));
	git($r, qw(-c user.name=t -c user.email=t@t commit -qm 1));
	spew("$r/d/b", "four\n");
	ok_dag(0, 'other data', $r, qw(add -q d));
	my $four = object("$r/.dag/cache", "four\n");
	chmod 0644, $four;
	spew($four, "for\n");
	git($r, qw(checkout -q HEAD -- d.dvc));
	unlink "$r/.dag/index.db";
	like(ok_dag(1, 'checkout over data whose object is damaged', $r, qw(checkout))->{err}, qr{d/b}, '... names the file');
	is(slurp("$r/d/b"), "four\n", '... and leaves it');
	# Cut short, as a file system may leave it: whoever has the bytes mends it.
	unlink "$r/.dag/index.db";
	ok_dag(0, 'add', $r, qw(add -q d));
	is(slurp($four), "four\n", '... mends what has another size');
	# A list.
	my ($id) = slurp("$r/d.dvc") =~ /md5: (\w+)\.dir/;
	my $list = "$r/.dag/cache/files/md5/" . substr($id, 0, 2) . '/' . substr($id, 2) . '.dir';
	my $was = slurp($list);
	for my $bytes ('', '[]', '{', substr($was, 0, 40), $was =~ s/[0-9a-f]{32}/'0' x 32/er) {
		chmod 0644, $list;
		spew($list, $bytes);
		remove_tree("$r/d");
		my $p = ok_dag(1, 'a list that is damaged', $r, qw(checkout));
		like($p->{err}, qr/\Q$list\E/, '... is named');
		isnt(dag_in($r, qw(push))->{rc}, 0, '... and not pushed');
		my $n = () = glob "$r/.dag/cache/files/md5/*/*";
		like(ok_dag(3, '... gc ends', $r, qw(gc -w -f --grace 0s))->{err}, qr/\Q$list\E/, '... and says why');
		is(scalar(() = glob "$r/.dag/cache/files/md5/*/*"), $n, '... before it removes anything');
	}
	spew($list, $was);
	ok_dag(0, 'whole again', $r, qw(checkout -q));
	is(slurp("$r/d/b"), "four\n", '... it is there');
};

subtest 'a damaged index' => sub {
	my $r = repository($top);
	make_path("$r/many/" . $_ % 5) for 0 .. 4;
	spew("$r/many/" . $_ % 5 . "/$_", "$_\n") for 1 .. 300;
	ok_dag(0, 'add', $r, qw(add -q many));
	ok_dag(0, 'status', $r, qw(status -q));
	my $db = "$r/.dag/index.db";
	unlink "$db-wal", "$db-shm";
	unlink $db;
	ok_dag(0, 'without one', $r, qw(status -q));
	my $was = slurp($db);
	my $wal = -e "$db-wal" ? slurp("$db-wal") : '';
	my $try = sub {
		my ($what) = @_;
		my $p = ok_dag(0, "status: $what", $r, 'status', '--json');
		is("$p->{out}$p->{err}", "{}\n", '... says that all is well');
		spew("$r/many/1/1", "changed\n");
		is(ok_dag(0, '', $r, 'status', '--json')->{out}, <<'END', '... and what has changed');
{
  "many.dvc": [
    {
      "changed outs": {
        "many": "modified"
      }
    }
  ]
}
END
		spew("$r/many/1/1", "1\n");
	};
	my $put = sub { unlink "$db-wal", "$db-shm"; remove_tree($db) if -d $db; spew($db, $_[0]); spew("$db-wal", $_[1]) if length $_[1] };
	$put->('', ''), $try->('empty');
	$put->('not a database at all', ''), $try->('something else');
	$put->(substr($was, 0, length($was) / 2), ''), $try->('cut in the middle');
	$put->($was, substr($wal, 0, length($wal) / 2)), $try->('its log cut') if length $wal;
	srand(7);
	for my $n (1 .. 6) {
		my ($d, $w) = ($was, $wal);
		substr($d, rand length $d, 1) = chr rand 256 for 1 .. 40;
		if (length $w) { substr($w, 32 + rand(length($w) - 32), 1) = chr rand 256 for 1 .. 10 }
		$put->($d, $w);
		$try->("bytes changed by chance, $n");
	}
	$put->($was, $wal), unlink "$db-wal", "$db-shm", $db;
	mkdir $db;
	my $p = dag_in($r, 'status', '--json');
	is("$p->{out}", "{}\n", 'a directory in its place') or diag($p->{err});
};

END { local $?; chdir '/'; system("umount -l $top/xfs 2>/dev/null") if defined $top && -d "$top/xfs" }
done_testing();
