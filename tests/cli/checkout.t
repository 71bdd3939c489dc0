#!/usr/bin/perl
# dag status and dag checkout: what differs is told, and made right, and nobody's work is lost.
use strict;
use warnings;
use File::Basename qw(dirname);
use File::Path qw(remove_tree);
use lib dirname(__FILE__);
use Cli;
use Digest::MD5 qw(md5_hex);
use JSON::PP;
use Test::More;

my $dir = project('a' => "a1\n", 'd/x' => "x1\n", 'd/sub/y' => "y1\n", 'w/q' => "q1\n");

sub git { system('git', '-C', $dir, '-c', 'user.name=t', '-c', 'user.email=t', @_) == 0 or die "git @_" }
sub object { my ($text) = @_; my $h = md5_hex($text); return "$dir/.dag/cache/files/md5/" . substr($h, 0, 2) . '/' . substr($h, 2) }
sub status { return decode_json(ok_dag(0, 'status --json', $dir, 'status', '--json', @_)->{out}) }
sub right { is_deeply(status(), {}, $_[0] // 'all is right') }

git('init', '-q', '-b', 'main');
is(ok_dag(0, 'nothing yet', $dir, 'status')->{out}, "nothing is tracked in this project yet: dag add PATH\n", '... says so');
is_deeply(status(), {}, '... in JSON');
is(ok_dag(0, 'nothing to check out', $dir, 'checkout')->{out}, '', '... nothing');
ok_dag(0, 'add', $dir, 'add', '-q', 'a', 'd', 'w/q');
is(ok_dag(0, 'status', $dir, 'status')->{out}, "all tracked data is up to date\n", 'all is right');
ok_dag(0, 'status -q', $dir, 'status', '-q');

# What differs.
spew("$dir/a", "a2\n");
unlink "$dir/w/q";
spew("$dir/d/new", "n\n");
is(ok_dag(0, 'differences', $dir, 'status')->{out},
	"a.dvc:\n\tchanged outs:\n\t\tmodified:           a\nd.dvc:\n\tchanged outs:\n\t\tmodified:           d\n"
	. "w/q.dvc:\n\tchanged outs:\n\t\tdeleted:            w/q\n", '... by pointer');
is_deeply(status(), {'a.dvc' => [{'changed outs' => {a => 'modified'}}], 'd.dvc' => [{'changed outs' => {d => 'modified'}}],
	'w/q.dvc' => [{'changed outs' => {'w/q' => 'deleted'}}]}, '... in DVC\'s JSON');
is(ok_dag(1, 'status -q', $dir, 'status', '-q')->{out}, '', 'says it by its status');
is(ok_dag(0, 'from below', "$dir/w", 'status', 'q', '../d/sub')->{out},
	"../d.dvc:\n\tchanged outs:\n\t\tmodified:           ../d\nq.dvc:\n\tchanged outs:\n\t\tdeleted:            q\n", '... as seen from there');
is_deeply([sort keys %{status('a.dvc', 'w/q')}], ['a.dvc', 'w/q.dvc'], 'by pointer file and by path');
is_deeply([keys %{status('-R', 'w')}], ['w/q.dvc'], 'all below a directory');
is_deeply([keys %{status('--glob', 'w/*')}], ['w/q.dvc'], 'by a pattern');
like(ok_dag(2, 'not without -R', $dir, 'status', 'w')->{err}, qr/^dag: error: 'w' is not tracked/, '... is no target');
is((split /\n/, ok_dag(2, 'a typo', $dir, 'status', 'w/qq')->{err})[0], "dag: error: 'w/qq' names nothing that is tracked; did you mean 'w/q'?", '... is told');

# Outputs of stages, under their names.
spew("$dir/s/dvc.yaml", "stages:\n  make:\n    cmd: make\n    outs: [m]\n");
spew("$dir/s/dvc.lock", "schema: '2.0'\nstages:\n  make:\n    cmd: make\n    outs:\n    - path: m\n      hash: md5\n      md5: @{[md5_hex(qq(m\n))]}\n      size: 2\n");
is_deeply(status('s/m'), {'s/dvc.yaml:make' => [{'changed outs' => {'s/m' => 'not in cache'}}]}, 'of a stage');
is_deeply(decode_json(ok_dag(0, 'in its directory', "$dir/s", 'status', '--json', 'm')->{out}),
	{make => [{'changed outs' => {m => 'not in cache'}}]}, '... from its directory');
remove_tree("$dir/s");

# What would be lost is all named, and nothing is touched.
my $p = ok_dag(1, 'checkout', $dir, 'checkout');
like($p->{err}, qr/^dag: error: nothing was changed, as these files would be lost: .*\n  a\n  d\/new\n\z/, 'what would be lost');
is($p->{out}, '', '... nothing was done');
is(slurp("$dir/a") . slurp("$dir/d/new"), "a2\nn\n", '... they are there');
ok(!-e "$dir/w/q", '... not even another one');
is(ok_dag(0, 'one that loses nothing', $dir, 'checkout', 'w/q')->{out}, "A\tw/q\n", '... works');
like(ok_dag(1, 'a part', $dir, 'checkout', 'd/new')->{err}, qr/\n  d\/new\n\z/, '... is kept, too');
is(ok_dag(0, 'by force', $dir, 'checkout', '-f')->{out}, "M\td/\nM\ta\n", 'directories first');
is(slurp("$dir/a"), "a1\n", '... it is as it was');
ok(!-e "$dir/d/new", '... and what was new is gone');
right();
is(ok_dag(0, 'again', $dir, 'checkout')->{out}, '', 'nothing to do');
is(ok_dag(0, 'again', $dir, 'checkout', '--summary')->{out}, "no changes\n", '... says the summary');

# Parts.
spew("$dir/d/x", "x2\n");
spew("$dir/d/sub/y", "y2\n");
ok_dag(0, 'recorded', $dir, 'add', '-q', 'd');
spew("$dir/d.dvc", slurp("$dir/d.dvc") =~ s/md5: \w+\.dir/md5: @{[first_list()]}.dir/r);
sub first_list { return md5_hex('[{"md5": "' . md5_hex("y1\n") . '", "relpath": "sub/y"}, {"md5": "' . md5_hex("x1\n") . '", "relpath": "x"}]') }
is(ok_dag(0, 'a part', $dir, 'checkout', 'd/x')->{out}, "M\td/\n", 'of a directory');
is(slurp("$dir/d/x") . slurp("$dir/d/sub/y"), "x1\ny2\n", '... only that');
is(ok_dag(0, 'the rest', $dir, 'checkout', '--summary', 'd/sub', 'd/x')->{out}, "1 file modified\n", '... one file');
right();
remove_tree("$dir/d");
spew("$dir/d", "x1\n");
is(ok_dag(0, 'two parts', $dir, 'checkout', 'd/sub', 'd/x')->{out}, "M\td/\n", '... of what is a file now');
right();

# Branches: what the other one does not track goes, if it is in the cache and as it was.
git('add', '-A');
git('commit', '-qm', 'one');
git('switch', '-qc', 'other');
spew("$dir/new", "new\n");
spew("$dir/e/f", "f\n");
spew("$dir/kept", "kept\n");
spew("$dir/a", "a of other\n");
ok_dag(0, 'on another branch', $dir, 'add', '-q', 'new', 'e', 'a', 'kept');
git('add', '-A');
git('commit', '-qm', 'two');
git('switch', '-q', 'main');
spew("$dir/a", "edited\n");
my $links = slurp("$dir/.dag/links");
like(ok_dag(1, 'back, but for an edited one', $dir, 'checkout')->{err}, qr/nothing was changed.*\n  a\n\z/, '... which is named');
ok(-e "$dir/e/f" && -e "$dir/new", '... and what is tracked no longer is there still');
is(slurp("$dir/.dag/links"), $links, '... and known as what it was');
spew("$dir/a", "a of other\n");
spew("$dir/kept", "edited\n");
is(ok_dag(0, 'back', $dir, 'checkout')->{out}, "M\ta\nD\te/\nD\tnew\n", 'what is tracked no longer goes');
is(slurp("$dir/a"), "a1\n", '... and a is what it was');
ok(!-e "$dir/e" && !-e "$dir/new", '... they are gone');
is(slurp("$dir/kept"), "edited\n", '... but not what was edited');
right();
git('switch', '-q', 'other');
is(ok_dag(1, 'there is an edited one', $dir, 'checkout')->{out}, '', '... which is in the way');
is(slurp("$dir/kept"), "edited\n", '... and stays');
ok_dag(0, 'unless told', $dir, 'checkout', '-f');
is(slurp("$dir/e/f") . slurp("$dir/kept"), "f\nkept\n", 'and forth');
right();

# What is ignored is left alone, also where its pointer is ignored with it.
spew("$dir/.dvcignore", "/new*\n");
is(ok_dag(0, 'an ignored one', $dir, 'checkout')->{out}, '', '... is nothing to do');
is(slurp("$dir/new"), "new\n", '... it is there');
spew("$dir/.dvcignore", "/e.dvc\n");
is(ok_dag(0, 'an ignored pointer', $dir, 'checkout')->{out}, "D\te/\n", '... is none: what it named goes');
unlink "$dir/.dvcignore";
is(ok_dag(0, 'without', $dir, 'checkout')->{out}, "A\te/\n", '... and comes again');
right();

# Objects that are missing: the out stays as it is, others go on.
unlink(object("f\n")) or die;
remove_tree("$dir/e");
unlink "$dir/a";
is_deeply(status(), {'a.dvc' => [{'changed outs' => {a => 'deleted'}}], 'e.dvc' => [{'changed outs' => {e => 'not in cache'}}]}, 'is told');
$p = ok_dag(1, 'without an object', $dir, 'checkout');
is($p->{out}, "A\ta\n", '... another one is made');
like($p->{err}, qr/\A.*does not have what these need \('dag pull' gets it\).*\n  e\/f\n\z/, '... and it is named');
ok_dag(0, 'and that is fine', $dir, 'checkout', '--allow-missing');

# An object that is wrong never gets into the work tree.
chmod 0644, object("a of other\n");
spew(object("a of other\n"), "a of OTHER\n");
unlink "$dir/a";
$p = ok_dag(1, 'a wrong object', $dir, 'checkout', 'a');
like($p->{err}, qr/files\/md5\/.*dag pull/s, '... is named with the way out');
ok(!-e "$dir/a", '... and not linked');

# Link types.
git('switch', '-q', 'main');
ok_dag(0, 'main', $dir, 'checkout', '-f');
spew("$dir/.dag/config", "[cache]\n    type = hardlink\n");
is(ok_dag(0, 'relink', $dir, 'checkout', '--relink')->{out}, '', 'no content changes');
is((stat "$dir/d/x")[1], (stat object("x1\n"))[1], '... it is the object now');
right();
my $object = (stat object("x1\n"))[1];
ok_dag(0, 'unprotect', $dir, 'unprotect', 'd/x');
isnt((stat "$dir/d/x")[1], $object, '... a file of its own');
is(sprintf('%04o', (stat _)[2] & 07777), '0644', '... to be written');
is(sprintf('%04o', (stat object("x1\n"))[2] & 07777), '0444', '... the object is as it was');
is((stat "$dir/d/sub/y")[1], (stat object("y1\n"))[1], '... and the other file a link');
ok_dag(2, 'nothing there', $dir, 'unprotect', 'nope');
ok_dag(2, 'outside', $dir, 'unprotect', '/etc/passwd');
right();
ok_dag(0, 'back', $dir, 'checkout', '--relink', 'd');
is((stat "$dir/d/x")[1], $object, '... it is the object again');
spew("$dir/.dag/config", "[cache]\n    type = symlink\n");
ok_dag(0, 'relink', $dir, 'checkout', '--relink');
is(readlink("$dir/d/x"), object("x1\n"), '... a link to it');
right();
spew("$dir/.dag/config", "[cache]\n    type = copy\n");
ok_dag(0, 'relink', $dir, 'checkout', '--relink');
ok(-f "$dir/d/x" && !-l "$dir/d/x" && (stat _)[3] == 1, '... a file of its own');
right();

# A cache that has gone leaves links that lead nowhere: they are told as what is gone, and made anew.
spew("$dir/.dag/config", "[cache]\n    type = symlink\n");
ok_dag(0, 'links', $dir, 'checkout', '--relink');
rename("$dir/.dag/cache", "$dir/.dag/away") or die $!;
spew("$dir/.dag/config", "[cache]\n    type = symlink\n    dir = $dir/.dag/away\n");
is_deeply(status('a', 'd'), {'a.dvc' => [{'changed outs' => {a => 'deleted'}}], 'd.dvc' => [{'changed outs' => {d => 'modified'}}]}, 'links that lead nowhere');
is(ok_dag(0, 'are made anew', $dir, 'checkout', 'a', 'd')->{out}, "M\td/\nA\ta\n", '... as what is gone');
is(slurp("$dir/a") . slurp("$dir/d/x"), "a1\nx1\n", '... with their content');
remove_tree("$dir/.dag/cache");
rename("$dir/.dag/away", "$dir/.dag/cache") or die $!;
spew("$dir/.dag/config", "[cache]\n    type = copy\n");
unlink "$dir/a";
symlink('nowhere', "$dir/a") or die $!;
like(ok_dag(1, 'a link of somebody', $dir, 'checkout', 'a')->{err}, qr/'a' has appeared/, '... is theirs');
is(readlink("$dir/a"), 'nowhere', '... and stays');
like(ok_dag(2, 'what is added', $dir, 'add', 'a')->{err}, qr/'a' is a symbolic link that leads nowhere/, '... must be there');
ok_dag(0, 'all', $dir, 'checkout', '-f', '--relink');
ok(!-l "$dir/a" && -f _, '... files again');
right();

# Programs get the names as they are, also of the pointer.
spew("$dir/t\tb", "1\n");
ok_dag(0, 'a tab', $dir, 'add', '-q', "t\tb");
unlink "$dir/t\tb";
is_deeply(status(), {"t\tb.dvc" => [{'changed outs' => {"t\tb" => 'deleted'}}]}, '... in a name');
unlink "$dir/t\tb.dvc";

# That the cache has all of many files is remembered, until one goes.
spew("$dir/.dag/config", '');
spew("$dir/many/$_", "many $_\n") for 1 .. 300;
ok_dag(0, 'add many', $dir, 'add', '-q', 'many');
select undef, undef, undef, 0.05; # what changed within this tick is not remembered
right() for 1 .. 2;
unlink object("many 17\n") or die $!;
is_deeply(status(), {'many.dvc' => [{'changed outs' => {many => 'not in cache'}}]}, 'one object of many has gone');
ok_dag(0, 'put back', $dir, 'commit', '-q', '-f', 'many.dvc');
right('all is there again');

# A file of a tracked directory that .dvcignore hides by now: it stays where it is what the list has.
spew("$dir/.dag/config", '');
spew("$dir/hid/$_->[0]", $_->[1]) for ['x', "hid x\n"], ['s/y', "hid y\n"];
ok_dag(0, 'add', $dir, 'add', '-q', 'hid');
spew("$dir/.dvcignore", "s/\n");
is(ok_dag(0, 'with a hidden file', $dir, 'checkout', 'hid')->{out}, "M\thid/\n", '... it goes');
is(slurp("$dir/hid/s/y"), "hid y\n", '... and the file stays');
spew("$dir/hid/s/y", "of mine\n");
like(ok_dag(1, 'with another one', $dir, 'checkout', 'hid')->{err}, qr/'hid\/s\/y' is hidden by \.dvcignore, and something else than what is tracked/, '... it is named');
is(slurp("$dir/hid/s/y"), "of mine\n", '... and stays');
unlink "$dir/.dvcignore";

spew("$dir/.dag/config", "[cache]\n    type = bogus\n");
like(ok_dag(2, 'an unknown type', $dir, 'status')->{err}, qr/bogus/, 'is refused');
done_testing();
