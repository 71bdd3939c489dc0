#!/bin/sh
# What dag costs before and beside the tasks: its start, a list of 100 DAG files, checking and
# running a file of 10,000 tasks, resuming a run with 100 live ones.
# usage: bench/start.sh [ROUNDS]      default 7
set -eu
name=start.sh
rounds=${1:-7}
. "$(dirname "$0")/lib.sh"

mkdir -p "$work/hundred/dags" "$work/big" "$work/live"
for d in hundred big live; do mkdir "$work/$d/.dag"; done
i=0
while [ $i -lt 100 ]; do
	i=$((i + 1))
	cat >"$work/hundred/dags/dag$i.yaml" <<EOF
description: number $i
params: {day: {type: string, default: "2026-01-01"}}
tasks:
  fetch: {run: "echo {{ params.day }} > raw.csv", outputs: [raw$i.csv], retries: 2}
  clean: {run: "sort raw$i.csv > clean$i.csv", inputs: [raw$i.csv], outputs: [clean$i.csv]}
  report: {run: [wc, -l, clean$i.csv], inputs: [clean$i.csv]}
EOF
done
(cd "$work/big" && sh "$top/bench/make_graph.sh" wide 10000 /bin/true)
awk 'BEGIN { print "tasks:"; for (i = 1; i <= 100; i++) print "  t" i ": {run: [sleep, \"600\"]}" }' \
	>"$work/live/live.yaml"

# One round of a run with 100 live tasks whose owner is killed: how long until a new one has them.
live() {
	cd "$work/live"
	"$dag" run live.yaml -j 100 --progress none >out 2>&1 &
	pid=$!
	n=0
	while [ "$(find .dag/runs -name started 2>/dev/null | wc -l)" -lt $((100 * ($1 + 1))) ]; do
		sleep 0.1
		n=$((n + 1))
		[ $n -lt 600 ] || fatal "100 tasks do not start"
	done
	kill -9 $pid
	wait $pid 2>/dev/null || true
	perl -MTime::HiRes=time -e '
		my ($dag, $file) = @ARGV;
		my ($from, $n) = (time, 0);
		my $pid = open my $out, "-|", "exec $dag resume --progress plain 2>&1" or die;
		while ($n < 100) {
			my $line = <$out> // die "the run was not resumed\n";
			$n++ if $line =~ /: running$/;
		}
		my $took = (time - $from) * 1000;
		kill "TERM", $pid;
		1 while <$out>;
		open my $f, ">>", $file or die;
		printf $f "%.3f 0 0\n", $took;
	' "$dag" "$work/resume" || fatal resume
	cd "$work"
}

heading_of() {
	machine
	echo "$rounds rounds"
	heading "$1"
}

round=0
while [ $round -lt "$rounds" ]; do
	cd "$work/hundred"
	timed version "$dag" version
	timed list "$dag" list
	cd "$work/big"
	timed check "$dag" check list.yaml
	# In a new directory: ext4 is slow where many files were removed (run_tasks.sh).
	mkdir -p "$work/big$round/.dag"
	cp list.yaml "$work/big$round"
	cd "$work/big$round"
	[ $round -gt 2 ] || timed run "$dag" run list.yaml --progress none
	live $round
	round=$((round + 1))
done
heading_of 'Start, lists, size:'
row version '`dag version`' '≤ 5 ms'
row list '`dag list`, 100 DAG files' '≤ 20 ms'
row check '`dag check`, 10,000 tasks' '≤ 100 ms'
row run '`dag run` of 10,000 tasks that do nothing' '≤ 64 MiB'
row resume '`dag resume` until it has 100 live tasks' '≤ 1000 ms'
