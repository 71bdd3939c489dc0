#!/usr/bin/perl
# The README's DAG files do what it says they do.
use strict;
use warnings;
use File::Basename qw(dirname);
use File::Temp qw(tempdir);
use lib dirname(__FILE__);
use Demo;
use Test::More;

my $dag = ($ENV{DAG_BUILD} // root() . '/build/dev') . '/bin/dag';
plan skip_all => "$dag is not built" unless -x $dag;
my $readme = slurp(root() . '/README.md');
my $dir = tempdir(CLEANUP => 1);
chdir $dir or die;
delete $ENV{$_} for grep { /^DAG_(?!LIBEXEC)/ } keys %ENV;

# Blocks of YAML that start with their file's name.
my %file;
while ($readme =~ /^```yaml\n# (\S+)\n(.*?)^```/gms) {
	$file{$1} = $2;
	spew($1, $2);
}
is_deeply([sort keys %file], [qw(half.yaml price.yaml words.yaml)], 'the files of the tour');

my ($rc, $out) = sh("$dag check " . join ' ', sort keys %file);
is($rc, 0, 'none has a mistake') or diag($out);

($rc, $out) = sh("$dag run words.yaml && $dag logs last report");
ok($rc == 0 && $out =~ /^3 different words$/m, 'words') or diag($out);

# Twice, then with an edit, then back.
($rc, $out) = sh("$dag run words.yaml");
is((() = $out =~ /^\S+ (?:fetch|sort): unchanged after \S+ nothing has changed$/mg), 2, 'the second time nothing is done') or diag($out);
my ($why) = $readme =~ /^`fetch` succeeded\..*(Why it ran: .*)$/m;
($rc, $out) = sh("sed -i s/fig/plum/ words.yaml && $dag run words.yaml && $dag explain last fetch && $dag explain last sort");
ok($rc == 0 && index($out, $why) > 0, 'what changed is told as the README shows') or diag($out);
like($out, qr/'words\.txt' changed: 4 lines, was 2eb12aa0\.\.\., is f4da37ef\.\.\.$/m, '... of files, too');
($rc, $out) = sh("sed -i s/plum/fig/ words.yaml && $dag run words.yaml");
is((() = $out =~ /^\S+ (?:fetch|sort): unchanged .*brought back from the cache$/mg), 2, 'what was made once comes back') or diag($out);

# The two mistakes, as they are shown.
(my $wrong = $file{'words.yaml'}) =~ s/needs: \[sort\]/need: [sort]/;
$wrong =~ s/sort\.count/sorts.count/;
spew('words.yaml', $wrong);
($rc, $out) = sh("$dag check words.yaml");
is($rc, 2, 'two mistakes');
my ($shown) = $readme =~ /^\$ dag check words\.yaml\n(.*?)^```/ms;
is($out, $shown, 'are told as the README shows');

($rc, $out) = sh("$dag run half.yaml & sleep 1; kill -9 \$!; wait \$!; $dag resume && $dag logs last c");
ok($rc == 0 && $out =~ /^whole$/m && $out !~ /^half$/m, 'kill -9, resume') or diag($out);
is((() = $out =~ /^\S+ b: success/mg), 1, 'b ended once');

($rc, $out) = sh("$dag run price.yaml -p fruit=aple");
my ($told) = $readme =~ /^\$ dag run price\.yaml -p fruit=aple\n(.*?)^\$/ms;
is($rc, 2, 'a param that is not among the choices');
is($out, $told, 'is told as the README shows');
($rc, $out) = sh("$dag run price.yaml");
ok($rc == 1 && $out =~ /^      \| cat: prices\/apple\.txt: No such file or directory$/m, 'a failure shows the log')
	or diag($out);
mkdir 'prices';
spew('prices/apple.txt', "1.20\n");
($rc, $out) = sh("$dag retry last && $dag logs last price && $dag logs last price --attempt 1");
is($rc, 0, 'retry');
like($out, qr/^1\.20\ncat: prices/m, 'both attempts keep their logs');

# The data's tour: each command, and what it says.
my ($data) = $readme =~ /^### Data\n.*?^```\n(.*?)^```/ms;
my $away = tempdir(CLEANUP => 1);
mkdir "$away/tour" or die;
chdir "$away/tour" or die;
$data =~ s{/data/store}{$away/store}g;
sh("git init -q -b main . && git config user.name tour && git config user.email tour\@localhost");
my ($script, $want) = ('', '');
for (split /^/, $data) {
	if (s/^\$ //) { $script .= $_ } else { $want .= $_ }
}
($rc, $out) = sh("set -e; git() { command git -c user.name=tour -c user.email=tour\@localhost \"\$@\"; }; dag() { '$dag' \"\$@\"; }\n$script");
is($rc, 0, 'the tour of data') or diag($out);
is($out, $want, 'says what the README shows');
chdir '/' or die;
done_testing();
