#!/usr/bin/perl
# scripts/setup, with a package manager that only writes down what it is told.
use strict;
use warnings;
use Cwd qw(abs_path);
use File::Basename qw(dirname);
use File::Temp qw(tempdir);
use Test::More;

my $root = $ENV{DAG_SOURCE} // abs_path(dirname(__FILE__) . '/../..');
my $dir = tempdir(CLEANUP => 1);
my $bin = "$dir/bin";
mkdir $bin or die;

# A PATH with nothing but what a minimal Debian has, and the fakes.
sub fresh {
	unlink glob("$bin/*"), "$dir/log";
	for my $tool (qw(sh awk grep dirname mktemp rm tail env cat nproc)) {
		my ($path) = grep { -x } map { "$_/$tool" } split /:/, $ENV{PATH};
		symlink $path, "$bin/$tool" or die "$tool: $!";
	}
}

sub fake {
	my ($name, $body) = @_;
	open(my $f, '>', "$bin/$name") or die;
	print $f "#!/bin/sh\n$body\n";
	close $f;
	chmod 0755, "$bin/$name";
}

# dpkg-query: every package in @_ is not installed, and one more is only half removed.
sub installed_but {
	my $no = join '|', @_, 'nothing';
	fake('dpkg-query', <<"END");
shift 3
for p; do case \$p in $no) echo "no packages found matching \$p" >&2;; *) echo "\$p installed";; esac; done
END
}

sub setup {
	my @args = @_;
	my $out = `PATH=$bin DAG_NO_SETUP= sh $root/scripts/setup @args 2>&1 </dev/null`;
	my $log = '';
	if (open(my $f, '<', "$dir/log")) {
		local $/;
		$log = <$f>;
	}
	unlink "$dir/log";
	return ($? >> 8, $out, $log);
}

my $apt = "echo \"\$DEBIAN_FRONTEND \$*\" >>$dir/log";
my ($rc, $out, $log);

fresh();
fake('apt-get', $apt);
fake('id', 'echo 0');
installed_but();
is_deeply([setup('build', 'test')], [0, '', ''], 'nothing is missing: nothing is done or said');

installed_but('cmake', 'libcmocka-dev');
($rc, $out, $log) = setup('build', 'test');
is($rc, 0, 'two are missing');
is($log, "noninteractive update -q\nnoninteractive -q -o Dpkg::Use-Pty=0 install -y --no-install-recommends cmake libcmocka-dev\n",
	'lists are updated, and those two are installed');
is($out, "== update the package lists\n== install: cmake libcmocka-dev\n", 'and one sees it');
($rc, $out, $log) = setup();
like($log, qr/recommends cmake\n/, 'without a group: only what building needs');

fake('dpkg-query', "shift 3; for p; do case \$p in cmake) echo cmake config-files;; *) echo \"\$p installed\";; esac; done");
($rc, $out, $log) = setup();
like($log, qr/recommends cmake\n/, 'a package that was removed is missing');

installed_but('cmake');
fake('apt-get', 'echo "E: no network" >&2; exit 100');
($rc, $out, $log) = setup();
is($rc, 3, 'apt-get fails');
like($out, qr/E: no network\nsetup: this failed: .*apt-get update/, 'what it said is shown');

fake('apt-get', $apt);
fake('id', 'echo 1000');
($rc, $out, $log) = setup();
is($rc, 3, 'neither root nor sudo');
is($log, '', 'nothing is tried');
like($out, qr/^  apt-get install -y --no-install-recommends cmake$/m, 'the command is printed');

fake('sudo', 'if [ "$1" = -n ]; then exit 0; fi; exec "$@"');
($rc, $out, $log) = setup();
is($rc, 0, 'sudo without a password');
like($log, qr/recommends cmake\n/, 'is used');
fake('sudo', 'exit 1');
($rc, $out, $log) = setup();
is($rc, 3, 'sudo that would ask, and nobody to ask');

unlink "$bin/dpkg-query";
($rc, $out, $log) = setup();
is($rc, 3, 'no Debian');
like($out, qr/install what corresponds to: .*\blibuv1-dev\b.*\n.*DAG_NO_SETUP=1/, 'the list and the way on');
is(system("PATH=$bin DAG_NO_SETUP=1 sh $root/scripts/setup >/dev/null 2>&1"), 0, 'DAG_NO_SETUP=1');

installed_but();
($rc, $out) = setup('tset');
is($rc, 2, 'an unknown group');
like($out, qr/no group 'tset'/, 'is named');
done_testing();
