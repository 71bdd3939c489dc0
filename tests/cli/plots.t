#!/usr/bin/perl
# dag plots: the page, and what cannot be drawn.
use strict;
use warnings;
use File::Basename qw(dirname);
use lib dirname(__FILE__);
use Cli;
use JSON::PP;
use Test::More;

my $dir = project(
    'dvc.yaml' => "plots:\n- loss.csv: {x: epoch, y: loss, title: '<b>&\"'}\n- c.json: {template: confusion, x: a, y: p}\n- img.png\n",
    'loss.csv' => "epoch,loss\n0,1.5\n1,\"1\"\n2,x\n", 'c.json' => '{"d": [{"a": "u", "p": "v"}, {"a": "</text><script>", "p": "u"}]}',
    'img.png' => "\x89PNG");

is(ok_dag(0, 'the page', $dir, 'plots', 'show')->{out}, "$dir/dvc_plots/index.html\n", '... is named');
my $page = slurp("$dir/dvc_plots/index.html");
like($page, qr/<figcaption>&lt;b&gt;&amp;&quot;</, '... a title is text');
unlike($page, qr/<script|https?:|url\(/, '... without scripts, or anything from elsewhere');
like($page, qr/1 point without a number/, '... says what it leaves out');
like($page, qr/data:image\/png;base64,iVBORw==/, '... with the picture in it');
is(ok_dag(0, 'a file of its own', $dir, 'plots', 'show', 'loss.csv', '-o', 'r.html')->{out}, "$dir/r.html\n", '... is named');
my $seen = decode_json(ok_dag(0, 'points', $dir, 'plots', 'show', '--json', 'loss.csv')->{out});
is_deeply($seen->{data}{'loss.csv'}[0]{anchor_definitions}{'<DVC_METRIC_DATA>'}[1], {epoch => '1', loss => '1', rev => 'workspace'}, '... as they are');
like(ok_dag(2, 'nothing of that name', $dir, 'plots', 'show', 'nope')->{err}, qr/no plot and no file 'nope'/, '... is named');
like(ok_dag(2, 'a template', $dir, 'plots', 'show', '-t', 'nope')->{err}, qr/no template 'nope'/, '... that there is not');
like(ok_dag(2, 'without git', $dir, 'plots', 'diff')->{err}, qr/no git repository here/, '... there are no revisions');
like(ok_dag(1, 'a field', $dir, 'plots', 'show', 'loss.csv', '-y', 'q')->{err}, qr/no field 'q' in 'loss.csv': it has epoch, loss/, '... that there is not');
spew("$dir/loss.csv", "a,b\n1,\"2\n");
like(ok_dag(1, 'a quote', $dir, 'plots', 'show', 'loss.csv')->{err}, qr/loss\.csv:2:1: error: a quote does not end/, '... is shown');
# Limits: at it, and one past it.
my $most = 16 << 20;
spew("$dir/loss.csv", "epoch,loss\n1,1\n" . "\n" x ($most - 15));
ok_dag(0, 'a file of 16 MiB', $dir, 'plots', 'show', 'loss.csv', '--json');
spew("$dir/loss.csv", "epoch,loss\n1,1\n" . "\n" x ($most - 14));
like(ok_dag(1, '... and a byte', $dir, 'plots', 'show', 'loss.csv', '--json')->{err}, qr/loss\.csv.*16777216|loss\.csv.*16 MiB/, '... is named');
my $deep = '[' x 62 . '{"a": 1}' . ']' x 62;
spew("$dir/deep.json", qq({"x": [{"n": 1}], "d": $deep}));
ok_dag(0, '64 levels', $dir, 'plots', 'show', 'deep.json', '-y', 'n', '--json');
spew("$dir/deep.json", qq({"x": [{"n": 1}], "d": [$deep]}));
like(ok_dag(1, '... and one', $dir, 'plots', 'show', 'deep.json', '-y', 'n', '--json')->{err}, qr/deep\.json:1:\d+: error: .*64 levels/, '... are shown');
my $some = project('dvc.yaml' => "plots:\n" . join('', map { "- p$_.csv\n" } 1 .. 1000));
ok_dag(0, '1,000 plots', $some, 'plots', 'show', '--json');
spew("$some/dvc.yaml", "plots:\n" . join("", map { "- p$_.csv\n" } 1 .. 1001));
like(ok_dag(2, '... and one', $some, 'plots', 'show', '--json')->{err}, qr/more than 1000 plots: name those that are meant/, '... are refused');
ok_dag(0, '... but one of them', $some, 'plots', 'show', '--json', 'p7.csv');
unlink "$dir/loss.csv";
like(ok_dag(0, 'no file', $dir, 'plots', 'show')->{err}, qr/loss\.csv of workspace is left out/, '... is left out');
done_testing();
