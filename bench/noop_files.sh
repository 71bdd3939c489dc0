#!/bin/bash
# What it costs to find out that nothing has changed in very many inputs of a task, beside `dag status`
# of the same files where they are tracked.
# usage: bench/noop_files.sh [FILES [ROUNDS]]      default 70000 files of 700 bytes, 11 rounds
#
# The files lie in directories of 700 and, once more, all in one; they are tracked, and an input of three
# tasks: as a directory, by `data/**`, and by a glob of just the files.  All in turns, in each round, warm.
# Wants a quiet machine.
set -euo pipefail
name=noop_files.sh
files=${1:-70000} rounds=${2:-11}
. "$(dirname "$0")/lib.sh"
export HOME=$work/home XDG_CONFIG_HOME=$work/home/.config
export GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_SYSTEM=/dev/null
mkdir -p "$HOME"
cd "$work"

# tree PLACE EACH: the files, EACH of them in one directory
tree() {
	perl -e 'my ($top, $n, $each) = @ARGV;
	mkdir $top;
	for my $i (0 .. $n - 1) {
		my $d = sprintf "%s%s", $top, $each < $n ? sprintf "/%04d", $i / $each : "";
		mkdir $d unless $i % $each;
		open my $f, ">", sprintf "%s/%07d", $d, $i or die;
		my $text = "$i:";
		print $f $text, "x" x (700 - length $text);
		close $f or die;
	}' "$1" "$files" "$2"
}

# task NAME INPUT: one that reads it
task() {
	echo "tasks: {t: {inputs: ['$2'], outputs: [made.$1], run: echo done > made.$1}}" >"$1.yaml"
}

# repository PLACE EACH GLOB: the files, tracked, and three tasks that read them
repository() {
	git init -q "$1"
	mkdir "$1/.dvc"
	: >"$1/.dvc/config"
	tree "$1/data" "$2"
	cd "$1"
	task directory data
	task below 'data/**'
	task each "$3"
	"$dag" add -q data
	"$dag" status -q
	for k in directory below each; do
		"$dag" run "$k.yaml" --progress none >/dev/null
	done
	git add .gitignore *.yaml *.lock data.dvc
	git -c user.name=bench -c user.email= commit -qm all
	sleep 1
	"$dag" run directory.yaml --progress none >/dev/null # it remembers the commit
	cd ..
}

repository tree 700 'data/*/*'
repository flat "$files" 'data/*'
sync -f .
for _ in $(seq "$rounds"); do
	for shape in tree flat; do
		cd "$shape"
		timed "$shape.status" "$dag" status -q
		for k in directory below each; do
			timed "$shape.$k" "$dag" run "$k.yaml" --progress none
		done
		cd ..
	done
done
for shape in tree flat; do
	for k in directory below each; do
		"$dag" -C "$shape" explain last t | grep -q 'nothing has changed' || fatal "$shape: $k"
	done
done

median() { cut -d' ' -f1 "$1" | sort -n | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'; }

# against KEY SHAPE: its ratio
against() {
	awk -v a="$(median "$2.$1")" -v b="$(median "$2.status")" 'BEGIN { printf "%.2f × status (≤ 1.2)", a / b }'
}

machine
for shape in tree flat; do
	[ $shape = tree ] && where='in directories of 700' || where='in one directory'
	heading "$files files $where, nothing changed, $rounds rounds"
	row $shape.status 'dag status'
	row $shape.directory 'dag run, the directory is an input' "$(against directory $shape)"
	row $shape.below 'dag run, data/** is' "$(against below $shape)"
	row $shape.each 'dag run, a glob of the files is' "$(against each $shape)"
done
