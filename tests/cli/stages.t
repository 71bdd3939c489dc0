#!/usr/bin/perl
# What the stages of a dvc.yaml are made of: --with-deps of push, fetch, pull, checkout, status;
# and what DVC remembers of their runs: --run-cache.
use strict;
use warnings;
use Cwd qw(abs_path);
use Digest::MD5 qw(md5_hex);
use File::Basename qw(dirname);
use File::Path qw(make_path remove_tree);
use File::Temp qw(tempdir);
use lib dirname(__FILE__);
use Cli qw(:DEFAULT home git);
use Test::More;

my $top = abs_path(tempdir('dag-stages-XXXXXX', TMPDIR => 1, CLEANUP => 1));
my ($r, $c, $rem) = ("$top/r", "$top/c", "$top/rem");
home($top);
make_path($r);


# An entry of dvc.lock.
sub entry { my ($path, $text) = @_; return "    - path: $path\n      hash: md5\n      md5: " . md5_hex($text) . "\n      size: " . length($text) . "\n" }

# raw.dvc -> prep -> train -> report; other.dvc -> other, in a directory of its own; next has not run.
git($r, qw(init -q -b main));
spew("$r/$_->[0]", $_->[1]) for ['raw/a', 'ra'], ['raw/b', 'rb'], ['mid/x', 'mx'], ['side', 's'], ['model', 'm'], ['report', 'r'], ['o/in', 'oi'], ['o/out', 'oo'];
ok_dag(0, 'remote', $r, qw(remote add -q -d r ../rem));
ok_dag(0, 'add', $r, qw(add -q raw o/in mid side model report o/out));
my ($mid) = slurp("$r/mid.dvc") =~ /md5: (\w+\.dir)/;
unlink map { "$r/$_" } qw(mid.dvc side.dvc model.dvc report.dvc o/out.dvc);
spew("$r/dvc.yaml", <<'END');
vars: [{x: elsewhere}]
stages:
  prep:
    cmd: make
    deps: [raw/a]
    outs: [mid, side]
  train:
    cmd: make
    deps: [mid/x]
    outs: [model]
  report:
    cmd: make
    deps: [model]
    outs: [report]
  next:
    cmd: make
    deps: [side, "${x}", s3://b/k, /tmp/z]
    outs: [next]
END
spew("$r/dvc.lock", "schema: '2.0'\nstages:\n" .
	"  prep:\n    cmd: make\n    deps:\n" . entry('raw/a', 'ra') . "    outs:\n    - path: mid\n      hash: md5\n      md5: $mid\n      size: 2\n      nfiles: 1\n" . entry('side', 's') .
	"  train:\n    cmd: make\n    deps:\n" . entry('mid/x', 'mx') . "    outs:\n" . entry('model', 'm') .
	"  report:\n    cmd: make\n    deps:\n" . entry('model', 'm') . "    outs:\n" . entry('report', 'r'));
spew("$r/o/dvc.yaml", "stages:\n  other:\n    cmd: make\n    deps: [in]\n    outs: [out]\n");
spew("$r/o/dvc.lock", "schema: '2.0'\nstages:\n  other:\n    cmd: make\n    deps:\n" . entry('in', 'oi') . "    outs:\n" . entry('out', 'oo'));
spew("$r/.gitignore", "raw\nmid\nside\nmodel\nreport\nnext\n");
spew("$r/o/.gitignore", "in\nout\n");
git($r, qw(add -A));
git($r, qw(commit -qm 1));

# What is new on the remote after a push.
sub pushed {
	my @args = @_;
	remove_tree($rem);
	my $dir = ref $args[0] ? shift(@args)->[0] : $r;
	ok_dag(0, "push @args", $dir, 'push', '-q', @args);
	my %name = ((map { md5_hex($_) => $_ } qw(ra rb mx s m r oi oo)), $mid => 'mid', slurp("$r/raw.dvc") =~ /md5: (\w+\.dir)/, 'raw');
	return join(' ', sort map { m{/(..)/([^/]+)$} ? $name{"$1$2"} // $_ : $_ } glob("$rem/files/md5/*/*"));
}

is(pushed('train'), 'm', 'a stage alone');
is(pushed('-d', 'train'), 'm mid mx ra raw rb s', 'with what it is made of: whole stages and pointers');
is(pushed('--with-deps', 'model'), 'm mid mx ra raw rb s', 'an output of it: the same');
is(pushed('-d', 'mid/x'), 'mid mx ra raw rb', 'a file in one: without the other output');
is(pushed('-d', 'raw'), 'ra raw rb', 'what is made of nothing');
is(pushed('-d', 'report', 'o/dvc.yaml:other'), 'm mid mx oi oo r ra raw rb s', 'two, of two files');
is(pushed(["$r/o"], '-d', 'other'), 'oi oo', 'a stage here');
is(pushed('-d', 'next'), 'mid mx ra raw rb s', 'one that has not run, by what dvc.yaml says');
is(pushed('-d'), 'm mid mx oi oo r ra raw rb s', 'of all: all');
is(pushed('-d', '-a', 'train'), 'm mid mx ra raw rb s', 'in branches');
is(pushed('-a', 'o/dvc.yaml:other'), 'oo', '... a stage is one there too');
is(pushed('-d', '-A', 'o/dvc.yaml:other'), 'oi oo', '... with what it is made of');
like(ok_dag(2, 'an unknown one', $r, qw(push -d trian))->{err}, qr/'trian' names nothing.*'train'/, '... is named');

is(pushed(), 'm mid mx oi oo r ra raw rb s', 'all');
git($top, 'clone', '-q', $r, $c);
ok_dag(0, 'pull -d', $c, qw(pull -q -d train));
is(join(' ', map { -e "$c/$_" ? $_ : () } qw(raw/a raw/b mid/x side model report o/in o/out)), 'raw/a raw/b mid/x side model', '... brings them into the work tree');
ok_dag(0, 'fetch -d', $c, qw(fetch -q -d -T report));
ok_dag(0, 'checkout -d', $c, qw(checkout -q -d report));
ok(-e "$c/report" && !-e "$c/o/in", 'checkout -d');
unlink "$c/raw/a";
is(ok_dag(0, 'status', $c, qw(status report))->{out}, "all tracked data is up to date\n", 'status of a stage');
like(ok_dag(0, 'status -d', $c, qw(status -d report))->{out}, qr/^raw\.dvc:/m, '... with what it is made of');
is(ok_dag(0, 'status -c -d', $c, qw(status -c -d report))->{out}, "Cache and remote 'r' are in sync.\n", '... and of the remote');
spew("$c/raw/a", 'changed');
ok_dag(0, 'commit -d', $c, qw(commit -q -f -d report));
like(slurp("$c/raw.dvc"), qr/size: 9/, '... records what changed before it');

remove_tree("$c/.dag/cache/runs"); # which also noted that as a run

# The run cache: this file and its names are DVC 3.67.1's.
my $run = 'runs/11/118da17535fa3f8025e9718790c7927c9a7109b39202fdf162dd69d4916ebeea/10bd11580daa1aef78ca9d8daa731e7c27a11eeddc6eaae94b94ef9ca231b9a0';
my $text = <<'END';
cmd: mkdir -p mid && cp raw mid/a && cp raw mid/b
deps:
- path: raw
  hash: md5
  md5: 2306b4377429730ee03a806cff76e92b
  size: 4
outs:
- path: mid
  hash: md5
  md5: 87c93bc2aa2ec75803d5f6357557605f.dir
  size: 8
  nfiles: 2
END
my $cache = "$r/.dag/cache";
remove_tree($rem);
is(ok_dag(0, 'push --run-cache without one', $r, qw(push --run-cache raw))->{out}, "3 files pushed\n", '... is a push');
ok(!-e "$rem/runs", '... and makes none');
spew("$cache/$run", $text);
spew("$cache/runs/11/x", 'x');
is(ok_dag(0, 'push', $r, qw(push raw))->{out}, "Everything is up to date.\n", 'a push leaves it');
is(ok_dag(0, 'push --run-cache', $r, qw(push --run-cache raw))->{out}, "1 file pushed\n", 'unless it is asked for');
is(slurp("$rem/$run"), $text, '... as it is');
ok(!-e "$rem/runs/11/x", '... without what is none of it');
is(ok_dag(0, 'again', $r, qw(push --run-cache raw))->{out}, "Everything is up to date.\n", '... once');
spew("$rem/$run", $text =~ s/raw mid/war mid/r);
is(ok_dag(0, 'what is there', $r, qw(push --run-cache raw))->{out}, "Everything is up to date.\n", '... is believed');
my $p = ok_dag(0, '--verify', $r, qw(push --run-cache --verify raw));
like($p->{err}, qr{^dag: '\Q$rem/$run\E' was damaged, and was replaced: what it says has another hash$}m, '... is not');
is(slurp("$rem/$run"), $text, '... is put right');
spew("$rem/$run", $text =~ s/raw mid/war mid/r);
$p = ok_dag(1, 'fetch of a damaged one', $c, qw(fetch --run-cache raw));
like($p->{err}, qr{^dag: error: '\Q$rem/$run\E' is damaged, and stays where it is: what it says has another hash$}m, '... names it');
ok(!-e "$c/.dag/cache/runs", '... and stores nothing');
spew("$rem/$run", $text);
is(ok_dag(0, 'fetch', $c, qw(fetch --run-cache raw))->{out}, "1 file fetched\n", 'a whole one comes');
is(slurp("$c/.dag/cache/$run"), $text, '... as it is');
spew("$c/.dag/cache/$run", '');
spew("$c/.dag/cache/" . $run =~ s/10bd/20bd/r, $text);
remove_tree($rem);
$p = ok_dag(1, 'push of damaged ones', $c, qw(push --run-cache raw));
is(scalar(() = $p->{err} =~ /is damaged, and stays where it is/g), 2, '... names both');
ok(!-e "$rem/runs" && -e "$rem/files", '... and sends the data alone');
unlink "$c/.dag/cache/$run", "$c/.dag/cache/" . $run =~ s/10bd/20bd/r;
spew("$rem/$run", $text);
ok_dag(0, 'pull --run-cache', $c, qw(pull -q --run-cache raw));
is(slurp("$c/.dag/cache/$run"), $text, '... brings it');
chmod 0644, glob("$c/.dag/cache/files/md5/*/*");
my ($one) = map { "$c/.dag/cache/files/md5/" . substr(md5_hex($_), 0, 2) . '/' . substr(md5_hex($_), 2) } 'rb';
spew($one, 'xx');
is(ok_dag(0, 'fetch --verify', $c, qw(fetch --verify raw))->{out} =~ s/^.*verified\n//mr, "1 file fetched\n", 'a damaged object is got anew');
is(slurp($one), 'rb', '... and is right');
done_testing();
