#!/bin/bash
# What `dag run` costs per task, beside make, ninja and the bare loop that only starts and waits.
# usage: bench/run_tasks.sh [ROUNDS]      default 7, at least 5
#
# Three graphs: a chain of 500 and 1,000 independent tasks that do nothing (/bin/true), two at a
# time, and 60 independent ones of 100 ms.  Every runner once per round (snakemake where it is
# installed), each time in a fresh directory on the disk of the build tree; the order turns from
# round to round.  Shown are medians: wall-clock milliseconds per task (with the least and the
# most of the rounds) and CPU milliseconds per task, user and system, of the runner and all it
# started and waited for.  Durable state is part of dag's figure and of nobody else's.  Wants a
# quiet machine and the release build; perl reads what dag recorded of the hand-offs.
#
# Nothing is removed before the end: for five seconds ext4 does not use the inode of a removed
# file again, but looks at each of them whenever a file is made, which costs every runner that
# writes, several times what it does itself.
set -euo pipefail
rounds=${1:-7}
[ "$rounds" -ge 5 ] || { echo "run_tasks.sh: at least 5 rounds" >&2; exit 2; }
top=$(cd "$(dirname "$0")/.." && pwd)
dag=${DAG:-$top/build/release/bin/dag}
[ -x "$dag" ] || { echo "run_tasks.sh: $dag is not there: make build" >&2; exit 2; }
mkdir -p "$top/build/bench"
work=$(mktemp -d "$top/build/bench/tasks.XXXXXX")
trap 'cd /; rm -rf "$work"' EXIT
loop=$top/build/bench/spawn_loop
cc -O2 -o "$loop" "$top/bench/spawn_loop.c"
sleep 6 # what others have removed
for v in $(env | sed -n 's/^\(DAG_[A-Z_]*\)=.*/\1/p') MAKEFLAGS MAKELEVEL; do unset "$v"; done

# runners: name | command, in a directory with the graph's files; N and CMD are filled in
runners=(
	"spawn loop, no shell|$loop @N @J @CMD"
	"spawn loop, \`sh -c\`|$loop @N @J /bin/sh -c @WORDS"
	"make (no shell)|make -s -j@J"
	"ninja (\`sh -c\`)|ninja --quiet -j@J"
	"snakemake (\`bash -c\`)|snakemake -s Snakefile --cores @J --quiet all"
	"dag, no shell|$dag run list.yaml -j@J --progress none"
	"dag, \`sh -e -c\`|$dag run shell.yaml -j@J --progress none"
)

# once FILE COMMAND...: append "wall user sys" of one run to FILE
once() {
	local file=$1 rc=0
	shift
	local TIMEFORMAT='%3R %3U %3S'
	{ time "$@" </dev/null >out 2>&1; } 2>time || rc=$?
	if [ "$rc" -ne 0 ]; then
		echo "run_tasks.sh: exit status $rc of: $*" >&2
		tail -n 5 out >&2
		exit 1
	fi
	tail -n 1 time >>"$file"
}

# measure KEY SHAPE N J COMMAND...: all rounds of one graph
measure() {
	local key=$1 shape=$2 n=$3 j=$4 round k i line words dir
	shift 4
	local -a cmd
	for ((round = 0; round < rounds; round++)); do
		for ((k = 0; k < ${#runners[@]}; k++)); do
			i=$(((k + round) % ${#runners[@]}))
			line=${runners[i]#*|}
			command -v "${line%% *}" >/dev/null || continue
			dir=$work/$key.$round.$i.d
			mkdir "$dir" && cd "$dir"
			mkdir .dag # the root of a project, whatever lies around it
			sh "$top/bench/make_graph.sh" "$shape" "$n" "$@"
			words="$*" cmd=()
			for word in $line; do
				case $word in
				@N) cmd+=("$n") ;;
				@CMD) cmd+=("$@") ;;
				@WORDS) cmd+=("$words") ;;
				*) cmd+=("${word//@J/$j}") ;;
				esac
			done
			sync
			once "$work/$key.$i" "${cmd[@]}"
		done
	done
}

# report KEY N TITLE
report() {
	local key=$1 n=$2 i base=
	printf '\n%s\n\n' "$3"
	echo '| runner | wall ms/task | least–most | CPU ms/task | wall over the loop, ms/task |'
	echo '|---|---:|---:|---:|---:|'
	for ((i = 0; i < ${#runners[@]}; i++)); do
		[ -e "$work/$key.$i" ] || continue
		base=$key.1
		case ${runners[i]} in *'no shell'*) base=$key.0 ;; esac
		awk -v n="$n" -v name="${runners[i]%%|*}" '
			function median(a, count,   x, y, t) {
				for (x = 2; x <= count; x++)
					for (y = x; y > 1 && a[y] < a[y - 1]; y--) {
						t = a[y]; a[y] = a[y - 1]; a[y - 1] = t
					}
				return count % 2 ? a[(count + 1) / 2] : (a[count / 2] + a[count / 2 + 1]) / 2
			}
			NR == FNR { loop[++l] = $1; next }
			{ wall[++w] = $1; cpu[w] = $2 + $3 }
			END {
				over = median(wall, w) - median(loop, l)
				printf "| %s | %.2f | %.2f–%.2f | %.2f | %+.2f |\n", name,
					median(wall, w) * 1000 / n, wall[1] * 1000 / n,
					wall[w] * 1000 / n, median(cpu, w) * 1000 / n, over * 1000 / n
			}' "$work/$base" "$work/$key.$i"
	done
}

# handoff: from the end of a task of the chain to the start of the next one, by dag's own record
# of both, over all rounds without a shell
handoff() {
	local dir
	for dir in "$work"/chain.*.5.d; do
		"$dag" -C "$dir" runs last --json
		echo
	done | perl -MJSON::PP -MTime::Local -e '
		sub us {
			$_[0] =~ /^(\d+)-(\d+)-(\d+)T(\d+):(\d+):(\d+)(?:\.(\d+))?Z$/ or die $_[0];
			return timegm($6, $5, $4, $3, $2 - 1, $1) * 1e6 + substr(($7 // 0) . "000000", 0, 6);
		}
		my ($json, @gaps) = JSON::PP->new;
		local $/;
		$json->incr_parse(<STDIN>);
		while (my $run = $json->incr_parse) {
			my @a = sort { $a->[0] <=> $b->[0] }
				map { [us($_->{started_at}), us($_->{ended_at})] } @{ $run->{attempts} };
			push @gaps, map { $a[$_][0] - $a[$_ - 1][1] } 1 .. $#a;
		}
		@gaps = sort { $a <=> $b } @gaps;
		my $at = sub { $gaps[int($#gaps * $_[0])] / 1000 };
		printf "\nFrom the end of a task to the start of the next, %d times: p50 %.2f ms, p99 %.2f ms, longest %.2f ms\n",
			scalar @gaps, $at->(0.5), $at->(0.99), $at->(1);'
}

measure chain chain 500 1 /bin/true
measure wide wide 1000 2 /bin/true
measure sleep wide 60 2 /bin/sleep 0.1

printf '%s, %s CPUs, %s, %s rounds\n' "$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1)" \
	"$(nproc)" "$(uname -r)" "$rounds"
report chain 500 'A chain of 500 tasks:'
handoff
report wide 1000 '1,000 independent tasks, two at a time:'
report sleep 60 '60 independent tasks of 100 ms, two at a time:'
