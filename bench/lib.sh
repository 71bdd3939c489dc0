# For the scripts beside it: a work directory on the disk of the build tree, and medians.
# They set ${name} before they read it; then there are ${top}, ${dag}, ${work} and ${measure}.
top=$(cd "$(dirname "$0")/.." && pwd)
dag=${DAG:-$top/build/release/bin/dag}
[ -x "$dag" ] || {
	echo "$name: $dag is not there: make build" >&2
	exit 2
}
for v in $(env | sed -n 's/^\(DAG_[A-Z_]*\)=.*/\1/p') MAKEFLAGS MAKELEVEL; do unset "$v"; done
mkdir -p "$top/build/bench"
work=$(mktemp -d "$top/build/bench/work.XXXXXX")
trap 'cd /; rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
measure=$top/build/bench/measure
cc -O2 -o "$measure" "$top/bench/measure.c"

machine() {
	printf '%s, %s CPUs, Linux %s\n' "$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1)" \
		"$(nproc)" "$(uname -r)"
}

# fatal COMMAND...: after a command that failed
fatal() {
	echo "$name: it failed: $*" >&2
	[ ! -e out ] || tail -n 5 out >&2
	exit 1
}

# timed KEY COMMAND...: one more line in the file of KEY
timed() {
	key=$1
	shift
	"$measure" "$work/$key" "$@" || fatal "$*"
}

# row KEY WHAT [GOAL]: a row of a table: median, least and most of the wall-clock time, medians of
# CPU time and peak memory
row() {
	sort -n "$work/$1" | awk -v what="$2" -v goal="${3:-}" '
		function median(a, n,   x, y, t) {
			for (x = 2; x <= n; x++)
				for (y = x; y > 1 && a[y] < a[y - 1]; y--) {
					t = a[y]; a[y] = a[y - 1]; a[y - 1] = t
				}
			return n % 2 ? a[(n + 1) / 2] : (a[n / 2] + a[n / 2 + 1]) / 2
		}
		{ wall[NR] = $1; cpu[NR] = $2; rss[NR] = $3 }
		END {
			printf "| %s | %.1f | %.1f–%.1f | %.1f | %.1f | %s |\n", what, median(wall, NR),
				wall[1], wall[NR], median(cpu, NR), median(rss, NR) / 1024, goal
		}'
}

heading() {
	printf '\n%s\n\n' "$1"
	echo '| what | wall ms | least–most | CPU ms | peak MiB | goal |'
	echo '|---|---:|---:|---:|---:|---:|'
}
