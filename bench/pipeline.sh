#!/bin/bash
# What stages of dvc.yaml cost: usage: bench/pipeline.sh [DVC]
#
# A chain of 500 stages from nothing and again with nothing to do; 8 independent stages of one second
# at -j2; dvc.yaml whose matrix stands for 2,000 stages, checked.  Beside the chain stands what its
# commands take by themselves.  With DVC, the program, the same by repro.  Wants a quiet machine and the
# release build; each figure is one run in seconds, so run it again before you believe it.
set -euo pipefail
dvc=${1:-}
top=$(cd "$(dirname "$0")/.." && pwd)
dag=${DAG:-$top/build/release/bin/dag}
[ -x "$dag" ] || { echo "pipeline.sh: $dag is not there: make build" >&2; exit 2; }
mkdir -p "$top/build/bench"
work=$(mktemp -d "$top/build/bench/pipeline.XXXXXX")
trap 'cd /; rm -rf "$work"' EXIT
export SHELL=/bin/sh
for v in $(env | sed -n 's/^\(DAG_[A-Z_]*\)=.*/\1/p'); do unset "$v"; done

# NAME: an empty repository.
repo() {
	mkdir -p "$work/$1/.dvc"
	git init -q "$work/$1"
	: > "$work/$1/.dvc/config"
	cd "$work/$1"
}

# WHAT COMMAND...: how long it takes.
measure() {
	local what=$1 begin end
	shift
	begin=$(date +%s%N)
	"$@" > "$work/out" 2>&1 || { echo "$what: failed"; tail -3 "$work/out"; return; }
	end=$(date +%s%N)
	printf '%-46s %8.3f\n' "$what" "$(((end - begin) / 1000000))e-3"
}

chain() {
	awk 'BEGIN { print "stages:"; for (i = 0; i < 500; i++)
		printf "  s%d:\n    cmd: echo %d > o%d\n    deps: [%s]\n    outs: [o%d]\n", i, i, i, i ? "o" i - 1 : "in", i }' > dvc.yaml
	echo > in
}

commands() {
	for i in $(seq 0 499); do sh -c "echo $i > c$i"; done
}

repo chain
chain
measure 'the commands of 500 stages, by themselves' commands
rm -f c*
measure 'dag run: chain of 500 stages' "$dag" run --progress none
measure 'dag run: again, nothing to do' "$dag" run --progress none
repo eight
awk 'BEGIN { print "stages:"; for (i = 0; i < 8; i++) printf "  s%d: {cmd: sleep 1; echo %d > o%d, outs: [o%d]}\n", i, i, i, i }' > dvc.yaml
measure 'dag run -j2: 8 stages of one second' "$dag" run -j2 --progress none
repo matrix
awk 'BEGIN { printf "stages:\n  m:\n    matrix:\n      a: [0"; for (i = 1; i < 20; i++) printf ", %d", i
	printf "]\n      b: [0"; for (i = 1; i < 100; i++) printf ", %d", i
	print "]\n    cmd: echo ${item.a} ${item.b}\n    outs: [\"o/${item.a}-${item.b}\"]" }' > dvc.yaml
measure 'dag check: a matrix of 2,000 stages' "$dag" check dvc.yaml
[ -n "$dvc" ] || exit 0
repo chain-dvc
chain
measure 'dvc repro: chain of 500 stages' "$dvc" repro -q
measure 'dvc repro: again, nothing to do' "$dvc" repro -q
