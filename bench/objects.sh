#!/bin/bash
# What the store of objects costs by itself, beside the limit: two threads that only copy files.
# usage: bench/objects.sh [FILES [ROUNDS]]      default 70000 files of 700 bytes, 3 rounds
#
# Per round: the bare copy loop with its syncfs (bench/copyloop.c), the same files added to a
# store and checked out again (bench/objects.c; no walk, no index, no pointer files), in turn, on
# the disk of the build tree.  The ratio is of the medians.  Then one large file: md5sum, cp with
# sync, and add.  Wants a quiet machine and the release build.
#
# Nothing is removed before the end: for five seconds ext4 does not use the inode of a removed
# file again, but looks at each of them whenever a file is made.
set -euo pipefail
files=${1:-70000} rounds=${2:-3}
top=$(cd "$(dirname "$0")/.." && pwd)
store=$top/build/release/store/libdag_store.a
[ -e "$store" ] || { echo "objects.sh: $store is not there: make build" >&2; exit 2; }
mkdir -p "$top/build/bench"
work=$(mktemp -d "$top/build/bench/objects.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
libs=$(pkg-config --libs libcrypto sqlite3 jansson yaml-0.1)
cc -O2 -o "$work/copyloop" "$top/bench/copyloop.c" -lpthread
# shellcheck disable=SC2086
cc -O2 -D_GNU_SOURCE -I"$top" -o "$work/objects" "$top/bench/objects.c" "$store" \
	"$top/build/release/base/libdag_base.a" $libs -lpthread -ldl -lm
cd "$work"
perl -e 'for my $i (0 .. $ARGV[0] - 1) {
	my $d = sprintf "src/%04d", $i / 700;
	mkdir "src"; mkdir $d unless $i % 700;
	open my $f, ">", sprintf "%s/%07d", $d, $i or die;
	my $text = sprintf "%d:", $i;
	print $f $text, "x" x (700 - length $text);
	close $f or die;
}' "$files"
sync -f src
sleep 6

# seconds KEY COMMAND...: what it says of "all", one more line in the file of KEY
seconds() {
	key=$1
	shift
	"$@" >said
	sed -n 's/.*all \([0-9.]*\) s.*/\1/p' said | tail -n 1 >>"$key"
}
median() { sort -n "$1" | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'; }

for i in $(seq "$rounds"); do
	seconds loop ./copyloop src "loop.$i"
	seconds add ./objects add src "$work/add.$i"
	seconds checkout ./objects checkout src "$work/out.$i" "tree.$i"
done
printf '\n%s files of 700 bytes, %s rounds, medians\n\n' "$files" "$rounds"
printf '| what | s | of the loop | goal |\n|---|---:|---:|---:|\n'
for key in loop add checkout; do
	awk -v s="$(median $key)" -v l="$(median loop)" -v k=$key \
		'BEGIN { printf "| %s | %.2f | %.2f | %s |\n", k, s, s / l, k == "loop" ? "" : "1.4" }'
done
printf '\n'
./objects list "$work/add.1"

mkdir large
head -c 2G /dev/urandom >large/file
sync -f large
printf '\none file of 2 GiB, s\n\n'
for i in 1 2; do
	for what in 'md5sum large/file' "sh -c 'cp large/file copy.$i; sync -f copy.$i'"; do
		/usr/bin/env time -f "%e  $what" sh -c "$what" 2>&1 >/dev/null
	done
	./objects add large "$work/large.$i"
	rm -r "copy.$i" "large.$i"
done
