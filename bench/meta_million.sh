#!/bin/sh
# usage: bench/meta_million.sh [RUNS]
# A history of a million runs (or RUNS): each page, name and list must come within 20 ms.
# Takes about a minute and a gigabyte of /tmp.
set -eu
cd "$(dirname "$0")/.."
cmake --preset release -DDAG_BUILD_TESTS=ON >/dev/null
cmake --build --preset release --target test_store_million >/dev/null
exec env DAG_BENCH_RUNS="${1:-1000000}" build/release/tests/test_store_million
