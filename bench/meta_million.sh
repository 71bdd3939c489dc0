#!/bin/sh
# A history of a million runs: what a page of it costs, in the store and by the program.
# usage: bench/meta_million.sh [RUNS]      default 1000000; takes a minute and 1.5 GB of disk
set -eu
name=meta_million.sh
. "$(dirname "$0")/lib.sh"
cd "$top"
cmake --preset release -DDAG_BUILD_TESTS=ON >/dev/null
cmake --build --preset release --target test_store_million >/dev/null
mkdir "$work/tmp"
TMPDIR=$work/tmp DAG_BENCH_KEEP=$work/project DAG_BENCH_RUNS=${1:-1000000} \
	build/release/tests/test_store_million 2>&1 | grep ' us$'
cmake --preset release -DDAG_BUILD_TESTS=OFF >/dev/null
cd "$work/project"
mkdir dags
echo 'tasks: {only: {run: [/bin/true]}}' >dags/dag1.yaml
i=0
while [ $i -lt 7 ]; do
	timed runs "$dag" runs
	timed runs_of "$dag" runs --dag dag7
	timed since "$dag" runs --since 2023-12-30T11:35:00Z --until 2023-12-30T11:45:00Z --result failed
	timed list "$dag" list
	i=$((i + 1))
done
machine
heading "In a history of ${1:-1000000} runs:"
row runs '`dag runs`' '≤ 20 ms'
row runs_of '`dag runs --dag dag7`' '≤ 20 ms'
row since '`dag runs --since … --until … --result failed`' '≤ 20 ms'
row list '`dag list`' '≤ 20 ms'
