#!/usr/bin/perl
# Where DAG files and projects lie: names, links, odd paths, other people's files.
use strict;
use warnings;
use File::Basename qw(dirname);
use File::Copy qw(copy);
use File::Path qw(make_path);
use lib dirname(__FILE__);
use Cli;
use Test::More;

my $GOOD = "tasks:\n  a: {run: touch ran, outputs: [made]}\n" =~ s/touch ran/touch ran made/r;

subtest 'what is no file' => sub {
	my $dir = project('dags/x.yaml' => $GOOD, 'sub/y.yaml' => $GOOD);
	usage($dir, "there is no DAG 'z' in project 'DIR' ('dag list' shows what there is)", 'run', 'z');
	usage("$dir/sub", "there is no DAG 'y' in project '$dir', but there is the file 'y.yaml': name it so" =~ s/\Q$dir\E/DIR/r
		=~ s/DIR/$dir/r, 'run', 'y');
	for my $case (['gone.yaml', "cannot open 'gone.yaml': No such file or directory ('dag list' shows the DAGs of this project)"],
		['./dags', "cannot read './dags': it is a directory"], ['/', "cannot read '/': it is a directory"],
		['/dev/null', "cannot read '/dev/null': it is no regular file"],
		['dags/x.yaml/y', "cannot open 'dags/x.yaml/y': Not a directory"]) {
		usage($dir, $case->[1], 'run', $case->[0]);
	}
	mkdir "$dir/dir.yaml";
	usage($dir, "cannot read 'dir.yaml': it is a directory", 'run', 'dir.yaml');
	system('mkfifo', "$dir/fifo.yaml");
	usage($dir, "cannot read 'fifo.yaml': it is no regular file", 'run', 'fifo.yaml');
	symlink('loop.yaml', "$dir/loop.yaml");
	usage($dir, "cannot open 'loop.yaml': Too many levels of symbolic links", 'run', 'loop.yaml')
		if dag_in($dir, 'run', 'loop.yaml')->{rc} == 2;
	usage($dir, "'' is neither a file nor the name of a DAG ('dag list' shows what there is)", 'run', '');
	is(ok_dag(2, 'check of a file that is gone', $dir, 'check', 'gone.yaml')->{out}, '', 'does not say: no mistakes');
	ok(!-e "$dir/.dag/dag.db", 'nothing is made');
};

subtest 'two files of one name' => sub {
	my $dir = project('dags/a.yaml' => $GOOD, 'dags/sub/a.yml' => $GOOD, 'b.yaml' => "dag: a\n$GOOD");
	my $p = ok_dag(2, 'are refused', $dir, 'run', 'a');
	like($p->{err}, qr/two files define a DAG 'a': '[^']+' and '[^']+'; name the file/, '... both are named');
	ok(!-e "$dir/ran" && !-e "$dir/.dag/dag.db", '... nothing is made');
	ok_dag(0, 'a file can be named', $dir, 'run', 'dags/sub/a.yml', '--progress', 'none');
};

subtest 'from below, and by links' => sub {
	my $dir = project('dags/x.yaml' => $GOOD, 'other/real.yaml' => $GOOD);
	mkdir "$dir/deep";
	ok_dag(0, 'by name from a folder below', "$dir/deep", 'run', 'x', '--force', '--progress', 'none');
	ok(-e "$dir/ran" && -e "$dir/made" && !-e "$dir/deep/ran", '... runs in the root');
	unlink "$dir/ran";
	ok_dag(0, 'by file from below', "$dir/deep", 'run', '../dags/x.yaml', '--force', '--progress', 'none');
	ok(-e "$dir/ran" && !-e "$dir/deep/.dag", '... too');
	symlink('../other/real.yaml', "$dir/dags/link.yaml");
	unlink "$dir/ran";
	ok_dag(0, 'a link to a file', $dir, 'run', 'link', '--force', '--progress', 'none');
	ok(-e "$dir/ran", '... runs here');
	my $away = project('l.yaml' => $GOOD);
	symlink("$away/l.yaml", "$dir/far.yaml");
	unlink "$dir/ran";
	ok_dag(0, 'a link to a file elsewhere', $dir, 'run', 'far.yaml', '--force', '--progress', 'none');
	ok(-e "$dir/ran" && !-e "$away/ran", '... runs where the link is');
	symlink($dir, "$away/way");
	unlink "$dir/ran";
	ok_dag(0, 'through a link to a directory', $away, 'run', 'way/dags/x.yaml', '--force', '--progress', 'none');
	ok(-e "$dir/ran" || -e "$away/ran", '... runs');
};

subtest 'odd paths' => sub {
	my %odd = ('blanks and quotes' => "a b 'c' \"d\" \$e `f` ;g &h", 'not UTF-8' => "caf\xe9 \xff", 'unicode' => "\xe6\x97\xa5\xf0\x9f\x98\x80",
		'200 bytes' => 'n' x 200, 'a line break' => "a\nb", 'a leading dash' => '-rf', 'a percent' => '%s%n%%', 'braces' => '{{ ds }}');
	for my $name (sort keys %odd) {
		my $dir = project() . "/$odd{$name}";
		make_path("$dir/.dag");
		spew("$dir/f.yaml", "tasks:\n  a: {run: 'pwd; touch made; echo k=v >> \"\$DAG_OUTPUT\"', outputs: [made]}\n"
			. "  b: {run: 'test {{ outputs.a.k }} = v && test -e made', inputs: [made], needs: [a]}\n");
		my $p = ok_dag(0, "a project in $name", $dir, 'run', 'f.yaml', '--progress', 'plain');
		is((dag($dir, 'logs', 'last', 'a'))[1], "$dir\n", '... its task is in it');
		is((dag(dirname($dir), 'run', "./$odd{$name}/f.yaml", '--progress', 'none'))[0], 0, '... by its path');
		is((dag($dir, 'runs', 'last', '--json'))[0], 0, '... its history');
		spew("$dir/f.yaml", "tasks:\n  a: {rum: x}\n");
		$p = ok_dag(2, '... a mistake in it', dirname($dir), 'check', "./$odd{$name}/f.yaml");
		unlike($p->{err}, qr/[^\n\t -~\x80-\xff]/, '... shows nothing harmful');
	}
	# As long as SQLite takes, and one byte more; elsewhere there is room.
	for my $over (0, 1) {
		my $dir = project();
		my $deep = "$dir/" . join('/', ('d' x 90) x 4) . '/';
		$deep .= 'e' x (504 + $over - length($deep . '/.dag/dag.db'));
		make_path("$deep/.dag");
		spew("$deep/f.yaml", "tasks:\n  a: {run: touch made, outputs: [made]}\n");
		my $p = dag_in($deep, 'run', 'f.yaml', '--progress', 'plain');
		is($p->{rc}, $over ? 2 : 0, 'a database whose path has ' . (504 + $over) . ' bytes') or diag("$p->{out}$p->{err}");
		next if !$over;
		like($p->{err}, qr/of 505 bytes; SQLite takes at most 504: DAG_STATE=DIR/, '... is told the way out');
		local $ENV{DAG_STATE} = project();
		ok_dag(0, '... which is one', $deep, 'run', 'f.yaml', '--progress', 'none');
		ok(-e "$deep/made", '... and runs');
	}
	# A task's name may have 128 bytes, its directory then too.
	my $t = 't' x 128;
	my $dir = project('f.yaml' => "tasks:\n  $t: {run: echo hi}\n");
	ok_dag(0, 'a task of 128 bytes', $dir, 'run', 'f.yaml', '--progress', 'none');
	is((dag($dir, 'logs', 'last', $t))[1], "hi\n", '... has its log');
};

subtest 'roots' => sub {
	my $dir = project();
	rmdir "$dir/.dag";
	make_path("$dir/.git", "$dir/a/b");
	spew("$dir/a/b/f.yaml", $GOOD);
	ok_dag(0, 'below a git work tree', "$dir/a/b", 'run', 'f.yaml', '--progress', 'none');
	ok(-e "$dir/.dag/dag.db" && -e "$dir/ran" && !-e "$dir/a/b/.dag", 'the root is its top');
	is(slurp("$dir/.dag/.gitignore"), "*\n", 'git does not see what dag keeps');
	my $q = project();
	rmdir "$q/.dag";
	spew("$q/.dag", 'a file');
	spew("$q/f.yaml", $GOOD);
	my $p = dag_in($q, 'run', 'f.yaml', '--progress', 'none');
	cmp_ok($p->{rc}, '>=', 2, 'a .dag that is a file');
	like($p->{err}, qr/\.dag.*(?:Not a directory|no directory|not a directory)/, '... is said');
	is(slurp("$q/.dag"), 'a file', '... and left alone');
	my $r = project();
	rmdir "$r/.dag";
	symlink('nowhere', "$r/.dag");
	spew("$r/f.yaml", $GOOD);
	$p = dag_in($r, 'run', 'f.yaml', '--progress', 'none');
	cmp_ok($p->{rc}, '>=', 2, 'a .dag that leads nowhere');
	like($p->{err}, qr/\.dag/, '... is said');
};

# ---- another user ----

# Run dag as nobody; the program must be readable for all.
sub as_nobody {
	my ($dir, @args) = @_;
	my $uid = getpwnam('nobody');
	my $pid = open(my $out, '-|') // die "fork: $!";
	if ($pid == 0) {
		chdir($dir) or POSIX::_exit(120);
		open(STDERR, '>&', \*STDOUT);
		$) = "65534 65534";
		($(, $<, $>) = (65534, $uid, $uid);
		exec(build() . '/bin/dag', @args) or POSIX::_exit(126);
	}
	local $/;
	my $text = <$out> // '';
	close($out);
	return ($? >> 8, $text);
}

SKIP: {
	skip 'only root can be somebody else', 1 if $> != 0 || !defined getpwnam('nobody');
	my $dir = project('f.yaml' => $GOOD);
	chmod 0755, $dir, dirname($dir) =~ /^\/tmp$/ ? () : dirname($dir);
	my ($rc) = as_nobody($dir, 'version');
	skip 'nobody cannot read the program', 1 if $rc != 0;

	subtest 'as another user' => sub {
		my ($rc, $out) = as_nobody($dir, 'run', 'f.yaml', '--progress', 'plain');
		like($rc, qr/^[23]$/, 'a .dag of another user');
		like($out, qr/\.dag.*(?:belongs to|owned by|another user|uid)/, '... is refused, and why');
		ok(!-e "$dir/ran", '... nothing was run');
		chown 65534, 65534, "$dir/.dag";
		my $p = dag_in($dir, 'run', 'f.yaml');
		like($p->{rc}, qr/^[23]$/, 'nor has root any business in that of another user');
		like($p->{err}, qr/\.dag.*(?:belongs to|owned by|another user|uid)/, '... and is told so');
		ok(!-e "$dir/ran" && !-e "$dir/.dag/dag.db", '... nothing was run or made');

		my $fresh = project('f.yaml' => $GOOD);
		rmdir "$fresh/.dag";
		chmod 0755, $fresh;
		($rc, $out) = as_nobody($fresh, 'run', 'f.yaml', '--progress', 'plain');
		is($rc, 3, 'a directory where one may not write');
		like($out, qr/cannot (?:make|create) .*\.dag.*ermission denied/, '... is said');
		unlike($out, qr/began/, '... before anything starts');
		is(join(' ', map { s/.*\///r } glob("$fresh/* $fresh/.[a-z]*")), 'f.yaml', '... nothing is there');
		($rc, $out) = as_nobody($fresh, 'check', 'f.yaml');
		is("$rc $out", "0 1 file, no mistakes\n", 'checking needs no writing');
		($rc, $out) = as_nobody($fresh, 'run', 'f.yaml', '--dry-run');
		is($rc, 0, 'nor does a dry run') or diag($out);
		($rc, $out) = as_nobody($fresh, 'list');
		is($rc, 0, 'nor a list') or diag($out);

		chmod 0600, "$fresh/f.yaml";
		($rc, $out) = as_nobody($fresh, 'run', 'f.yaml');
		is("$rc $out", "3 dag: error: cannot open 'f.yaml': Permission denied\n", 'a file one may not read');
		chmod 0644, "$fresh/f.yaml";
		chmod 0777, $fresh;
		mkdir "$fresh/locked";
		spew("$fresh/f.yaml", "tasks:\n  a: {run: 'touch ran; touch locked/x', outputs: [locked/x]}\n");
		($rc, $out) = as_nobody($fresh, 'run', 'f.yaml', '--progress', 'plain');
		is($rc, 1, 'an output where one may not write') or diag($out);
		like($out, qr/ermission denied/, '... fails with its reason');

		my $state = project('f.yaml' => $GOOD);
		chmod 0755, $state;
		ok_dag(0, "root's project", $state, 'run', 'f.yaml', '--progress', 'none');
		for my $verb (['runs'], ['logs', 'last'], ['explain', 'last'], ['cancel', 'last'], ['retry', 'last'], ['resume']) {
			($rc, $out) = as_nobody($state, @$verb);
			like($rc, qr/^[23]$/, "@$verb in another's project is refused") or diag($out);
			like($out, qr/^dag: error: /m, '... with a reason');
			unlike($out, qr/Sanitizer|runtime error/, '... soberly');
		}
	};
}

# Few descriptors: an error, never an abort, however few.
{
	my $few = project('ok.yaml' => "tasks: {a: {run: 'true'}}\n");
	my $dag = build() . '/bin/dag';
	my (%how, @odd);
	for my $n (8, 10 .. 18, 20, 24, 28, 32, 36, 40) {
		my $out = `cd '$few' && (ulimit -n $n; '$dag' run ok --progress none) 2>&1`;
		my $rc = $? >> 8;
		$how{$rc}++;
		push @odd, "$n: status $rc: $out" unless $rc == 0 || $rc == 3 && $out =~ /^dag: error: .*(?:open|descriptor)/m;
	}
	is(join('', @odd), '', 'few descriptors: it works, or says why not');
	ok($how{0} && $how{3}, '... both were seen');
	like(`cd '$few' && (ulimit -n 20; '$dag' run ok) 2>&1`, qr/too few files may be open: .*ulimit -n 1024/, '... with the way out');
}

# The state directory is deleted during a run: there is nothing to resume then.
{
	my $gone = project('s.yaml' => "tasks: {s: {run: 'touch begun; sleep 20'}}\n");
	my $p = start($gone, 'run', 's', '--progress', 'plain');
	wait_for('the task', sub { -e "$gone/begun" });
	system('rm', '-rf', "$gone/.dag");
	finish($p);
	is($p->{rc}, 3, 'the state directory is deleted: status 3');
	like($p->{err}, qr/^dag: error: the state directory '.*' was deleted or replaced .*tasks are stopped/m, '... it is said');
	unlike($p->{err}, qr/dag resume/, '... and no promise made that cannot be kept');
}
like((dag(project(), '-C', '/nowhere', 'runs'))[2], qr/^dag: error: there is no directory '\/nowhere' \(option -C\)$/m, 'a -C that is not there');
done_testing();
