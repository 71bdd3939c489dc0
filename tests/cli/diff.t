#!/usr/bin/perl
# dag diff and dag status --data: what differs between commits, pointers, files and the cache.
use strict;
use warnings;
use File::Basename qw(dirname);
use File::Path qw(remove_tree);
use lib dirname(__FILE__);
use Cli;
use Digest::MD5 qw(md5_hex);
use JSON::PP;
use Test::More;

my $dir = project('a' => "hello\n", 'b' => "b\n", 'c' => "c\n", 'd/x' => "1\n", 'd/sub/y' => "2\n", 'd/z' => "3\n");

sub git { system('git', '-C', $dir, '-c', 'user.name=t', '-c', 'user.email=t', @_) == 0 or die "git @_" }
sub commit { git('add', '-A'); git('commit', '-qm', $_[0]) }
sub object { my ($text) = @_; my $h = md5_hex($text); return "$dir/.dag/cache/files/md5/" . substr($h, 0, 2) . '/' . substr($h, 2) }
sub diff { return decode_json(ok_dag(0, "diff @_", $dir, 'diff', '--json', @_)->{out}) }
sub data { return decode_json(ok_dag(0, "status @_", $dir, 'status', '--json', @_)->{out}) }
sub paths { my ($d) = @_; return {map { my $k = $_; $k => [map { $_->{path} } @{$d->{$k}}] } grep { @{$d->{$_}} } keys %$d} }

# Without git, and before the first commit.
ok_dag(0, 'add', $dir, 'add', '-q', 'a', 'b', 'c', 'd');
like(ok_dag(2, 'without git', $dir, 'diff')->{err}, qr/no git repository here/, '... there are no revisions');
is_deeply(data('--data'), {}, '... but a status');
git('init', '-q', '-b', 'main');
ok_dag(0, 'ignored now', $dir, 'add', '-q', 'a', 'b', 'c', 'd');
is_deeply(diff(), {}, 'before the first commit');
is_deeply(data('--data'), {committed => {added => ['a', 'b', 'c', 'd/']}}, '... all is new');
is_deeply(data('--granular'), {committed => {added => ['a', 'b', 'c', 'd/', 'd/sub/y', 'd/x', 'd/z']}}, '... file by file');
commit('one');
is(ok_dag(0, 'nothing differs', $dir, 'diff')->{out}, '', '... and nothing is said');
is_deeply(diff(), {}, '... {} in JSON');
is(ok_dag(0, 'no changes', $dir, 'status', '--data')->{out}, "no changes\n", 'the same by status');
is_deeply(data('--granular', '--unchanged'), {unchanged => ['a', 'b', 'c', 'd/', 'd/sub/y', 'd/x', 'd/z']}, 'what is unchanged');

# The list of a directory is not in the cache: the files tell which it is.
my ($lists) = slurp("$dir/d.dvc") =~ /md5: (\w+\.dir)/;
$lists = "$dir/.dag/cache/files/md5/" . substr($lists, 0, 2) . q(/) . substr($lists, 2);
rename($lists, "$dir/list") or die $!;
is_deeply(data('--granular', '--unchanged'), {not_in_cache => ['d/'], unchanged => ['a', 'b', 'c', 'd/', 'd/sub/y', 'd/x', 'd/z']}, 'what is unchanged without its list');
rename("$dir/list", $lists) or die $!;

# The work tree.
spew("$dir/a", "hello\nmore\n");
unlink "$dir/b", "$dir/d/z";
spew("$dir/d/x", "9\n");
spew("$dir/d/new", "n\n");
spew("$dir/d/x-y", "3\n");
spew("$dir/forgotten/file", "f\n");
is(ok_dag(0, 'diff', $dir, 'diff')->{out}, <<'TEXT', 'for people');
Added:
    d/new

Deleted:
    b

Renamed:
    d/z -> d/x-y

Modified:
    a
    d/
    d/x

files summary: 1 added, 1 deleted, 1 renamed, 2 modified
TEXT
my $list = diff('--show-hash');
is_deeply($list->{added}, [{path => 'd/new', hash => md5_hex("n\n")}], 'added, with its hash');
is_deeply($list->{deleted}, [{path => 'b', hash => md5_hex("b\n")}], 'deleted');
is_deeply($list->{renamed}, [{path => {old => 'd/z', new => 'd/x-y'}, hash => md5_hex("3\n")}], 'renamed');
is_deeply($list->{modified}[0], {path => 'a', hash => {old => md5_hex("hello\n"), new => md5_hex("hello\nmore\n")}}, 'modified');
like($list->{modified}[1]{hash}{old}, qr/\A\w{32}\.dir\z/, 'a directory');
is_deeply($list->{'not in cache'}, [], 'the cache has all');
like(ok_dag(0, 'with hashes', $dir, 'diff', '--show-hash')->{out}, qr/^    @{[substr(md5_hex("hello\n"), 0, 8)]}\.\.@{[substr(md5_hex("hello\nmore\n"), 0, 8)]}  a$/m, 'short ones for people');
is(ok_dag(0, 'as Markdown', $dir, 'diff', '--md', '--targets', 'd')->{out}, <<'TEXT', '... a table');
| Status   | Path         |
|----------|--------------|
| added    | d/new        |
| renamed  | d/z -> d/x-y |
| modified | d/           |
| modified | d/x          |

TEXT
is_deeply(paths(diff('--targets', 'd/x', '--targets', 'b')), {deleted => ['b'], modified => ['d/x']}, 'only some paths');
like(ok_dag(2, 'an unknown one', $dir, 'diff', '--targets', 'nope')->{err}, qr/^dag: error: 'nope' is tracked on neither side$/m, '... is told');
like(ok_dag(2, 'an unknown revision', $dir, 'diff', 'nope')->{err}, qr/no revision 'nope'/, '... is told');
usage($dir, '--json and --md exclude each other', 'diff', '--json', '--md');
is_deeply(data('--data'), {uncommitted => {modified => ['a', 'd/'], deleted => ['b']}}, 'not committed');
is_deeply(data('--granular', '--untracked-files', '--unchanged'), {uncommitted => {modified => ['a', 'd/', 'd/x'], added => ['d/new'],
	deleted => ['b'], renamed => [{old => 'd/z', new => 'd/x-y'}]}, untracked => ['forgotten/file'], unchanged => ['c', 'd/sub/y']}, '... in full');
is_deeply(data('--granular', 'd/x', 'a'), {uncommitted => {modified => ['a', 'd/x']}}, '... of some paths');
ok_dag(1, 'status -q', $dir, 'status', '--data', '-q');
usage($dir, '--unchanged, --untracked-files and --not-in-remote go with --data or --granular', 'status', '--unchanged');

# The pointers.
ok_dag(1, 'record', $dir, 'commit', '-fq');
unlink "$dir/b.dvc";
is_deeply(data('--data'), {committed => {modified => ['a', 'd/'], deleted => ['b']}}, 'recorded, not committed');
is(ok_dag(0, 'for people', $dir, 'status', '--data')->{out}, <<'TEXT', '... with the way on');
Changes of pointers since the last commit:
  ('git commit' of the pointer files records them)
        modified: a
        modified: d/
        deleted: b
TEXT
commit('two');
is_deeply(paths(diff('HEAD^', 'HEAD')), {added => ['d/new'], deleted => ['b'], renamed => [{old => 'd/z', new => 'd/x-y'}],
	modified => ['a', 'd/', 'd/x']}, 'two commits');
ok(!exists diff('HEAD^', 'HEAD')->{'not in cache'}, '... say nothing of the cache');
is_deeply(diff('HEAD', 'HEAD'), {}, 'a commit and itself');
is_deeply(paths(diff('HEAD', 'HEAD^'))->{added}, ['b'], 'the other way round');
is_deeply(paths(diff('HEAD^')), paths(diff('HEAD^', 'HEAD')), 'a commit and the work tree');

# The cache.
unlink object("2\n"), object("c\n");
is_deeply(paths(diff()), {'not in cache' => ['c', 'd/sub/y']}, 'what the cache does not have');
is(ok_dag(0, 'hidden', $dir, 'diff', '--hide-missing')->{out}, '', '... can be left out');
is_deeply(data('--data'), {not_in_cache => ['c']}, 'by status');
is_deeply(data('--granular'), {not_in_cache => ['c', 'd/sub/y']}, '... file by file');
my ($old) = slurp("$dir/d.dvc") =~ /md5: (\w+)\.dir/;
unlink "$dir/.dag/cache/files/md5/" . substr($old, 0, 2) . '/' . substr($old, 2) . '.dir';
is_deeply(data('--granular'), {not_in_cache => ['c', 'd/', 'd/sub/y']}, 'a list that is missing, of files that are there');
spew("$dir/d/x", "10\n");
is_deeply(data('--granular')->{uncommitted}, {modified => ['d/'], unknown => ['d/new', 'd/sub/y', 'd/x', 'd/x-y']}, '... and of others');
remove_tree("$dir/d");
is_deeply(data('--granular')->{uncommitted}, {deleted => ['d/']}, '... and of none');

# A file that became a directory: a diff names what it was, a status what it is.
unlink "$dir/a";
spew("$dir/a/in", "in\n");
is_deeply([map { $_->{path} } @{diff('--targets', 'a')->{modified}}], ['a'], 'a file before');
is_deeply(data('--data', 'a')->{uncommitted}, {modified => ['a/']}, '... a directory now');
done_testing();
