#!/bin/bash
# What the verbs on data cost, beside the limit (two threads that only copy the files, and one
# syncfs: bench/copyloop.c; for status: find with stat) and beside DVC.
# usage: bench/artifacts.sh [FILES [BYTES [ROUNDS]]]      default 70000 files of 700 bytes, 3 rounds
#
# A loop runs just before each verb, in the same directory; the ratio is of the medians.  DVC runs
# once, when the tests have installed it (build/dvc-venv), its verbs in the same order.  The
# large file is LARGE bytes (default 4 GiB; 0: none).  Wants a quiet machine.
#
# Nothing is removed before the end: for five seconds ext4 does not use the inode of a removed
# file again, but looks at each of them whenever a file is made.
set -euo pipefail
name=artifacts.sh
files=${1:-70000} size=${2:-700} rounds=${3:-3} large=${LARGE:-4294967296}
. "$(dirname "$0")/lib.sh"
dvc=${DVC:-$top/build/dvc-venv/bin/dvc}
cc -O2 -o "$work/copyloop" "$top/bench/copyloop.c" -lpthread
export HOME=$work/home XDG_CONFIG_HOME=$work/home/.config DVC_NO_ANALYTICS=1
export GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_SYSTEM=/dev/null
mkdir -p "$HOME"
cd "$work"
perl -e 'my ($n, $size) = @ARGV;
for my $i (0 .. $n - 1) {
	my $d = sprintf "src/%04d", $i / 700;
	mkdir "src"; mkdir $d unless $i % 700;
	open my $f, ">", sprintf "%s/%07d", $d, $i or die;
	my $text = sprintf "%d:", $i;
	print $f $text, "x" x ($size - length $text);
	close $f or die;
}' "$files" "$size"

# settle: what was written before is not paid by who comes next
settle() { sync -f src; }

# repository PROGRAM PLACE: an empty one
repository() {
	git init -q "$2"
	[ "$1" = "$dag" ] || (cd "$2" && "$1" init -q)
}

# clone PROGRAM FROM TO: the pointers of FROM and its remote, without data
clone() {
	repository "$1" "$3"
	cp "$2/data.dvc" "$3/"
	[ ! -e "$2/.gitignore" ] || cp "$2/.gitignore" "$3/"
	(cd "$3" && "$1" remote add -q -d r "$2.remote")
}

# beside KEY DIRECTORY COMMAND...: a copy loop, then the command in DIRECTORY
beside() {
	local verb=$1 dir=$2
	shift 2
	settle
	timed "loop.$verb" ./copyloop src "loop.$verb.$i"
	settle
	(cd "$dir" && timed "$verb" "$@")
	tail -qn 1 "loop.$verb" "$verb" >&2
}

# verbs PROGRAM KEY: each of them once
verbs() {
	local p=$1 k=$2 r=$work/$2.$i
	repository "$p" "$r"
	cp -a src "$r/data"
	(cd "$r" && "$p" remote add -q -d r "$r.remote")
	beside "$k.add" "$r" "$p" add -q data
	(cd "$r" && "$p" status -q)
	settle
	for _ in 1 2 3; do
		timed find sh -c "find '$r/data' -printf '%s %T@ %i\n' >/dev/null"
		(cd "$r" && timed "$k.status" "$p" status -q)
	done
	beside "$k.push" "$r" "$p" push -q
	clone "$p" "$r" "$r.clone"
	beside "$k.fetch" "$r.clone" "$p" fetch -q
	beside "$k.checkout" "$r.clone" "$p" checkout -q
	cmp <(cd "$r/data" && find . -type f -exec md5sum {} + | sort) \
		<(cd "$r.clone/data" && find . -type f -exec md5sum {} + | sort) || fatal "$p: not the same files"
}

median() { cut -d' ' -f1 "$1" | sort -n | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'; }

echo "$(machine)"
for i in $(seq "$rounds"); do
	verbs "$dag" dag
done
i=1
[ ! -x "$dvc" ] || verbs "$dvc" dvc
heading "$files files of $size bytes, $rounds rounds"
for v in add push fetch checkout; do
	row loop.dag.$v "copy loop before $v"
	row dag.$v "dag $v" "$(awk -v a="$(median dag.$v)" -v b="$(median loop.dag.$v)" 'BEGIN { printf "%.2f × loop (≤ 1.4)", a / b }')"
	[ ! -e dvc.$v ] || row dvc.$v "dvc $v" "$(awk -v a="$(median dvc.$v)" -v b="$(median loop.dvc.$v)" 'BEGIN { printf "%.2f × loop", a / b }')"
done
row find "find with stat"
row dag.status "dag status, nothing changed" "$(awk -v a="$(median dag.status)" -v b="$(median find)" 'BEGIN { printf "%.2f × find (≤ 1.5)", a / b }')"
[ ! -e dvc.status ] || row dvc.status "dvc status"

# status_of_few PROGRAM ROUNDS: what a status of three small files costs
status_of_few() {
	local k=${1##*/} n=$2
	repository "$1" "few.$k"
	for f in a b c; do echo $f >"few.$k/$f"; done
	(cd "few.$k" && "$1" add -q a b c && "$1" status -q &&
		for _ in $(seq "$n"); do timed "$k.few" "$1" status -q; done)
}
status_of_few "$dag" 21
[ ! -x "$dvc" ] || status_of_few "$dvc" 3
heading 'three small files, nothing changed'
row dag.few 'dag status' '≤ 10'
[ ! -e dvc.few ] || row dvc.few 'dvc status'

[ "$large" != 0 ] || exit 0
mkdir large.src
head -c "$large" /dev/urandom >large.src/file
settle
for i in $(seq "$rounds"); do
	timed md5sum md5sum large.src/file
	timed cp sh -c "cp large.src/file copy.$i && sync copy.$i"
	repository "$dag" "large.$i"
	cp large.src/file "large.$i/file"
	settle
	(cd "large.$i" && timed add.large "$dag" add -q file)
	rm -r "copy.$i" "large.$i"
done
heading "one file of $large bytes"
row md5sum md5sum
row cp 'cp and sync'
row add.large 'dag add' "$(awk -v a="$(median add.large)" -v m="$(median md5sum)" -v c="$(median cp)" 'BEGIN { printf "%.2f × the slower (≤ 1.1)", a / (m > c ? m : c) }')"
