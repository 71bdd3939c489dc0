#!/bin/sh
# Write one graph of N tasks for four runners, into the current directory: build.ninja,
# Makefile, Snakefile (each task marks its end with a file), shell.yaml (commands run by a shell) and list.yaml (run without one).
# usage: make_graph.sh chain|wide N PROGRAM [ARGUMENT...]    the words must need no quoting
set -eu
[ $# -ge 3 ] || {
	echo "usage: make_graph.sh chain|wide N PROGRAM [ARGUMENT...]" >&2
	exit 2
}
shape=$1 n=$2
shift 2
awk -v shape="$shape" -v n="$n" -v words="$*" 'BEGIN {
	list = words
	gsub(/ /, "\", \"", list)
	print "rule r\n  command = " words "\n" > "build.ninja"
	# A file called all must not matter, nor the names of the tasks.
	printf ".PHONY: all" > "Makefile"
	for (i = 1; i <= n; i++)
		printf " t%d", i > "Makefile"
	printf "\nall:" > "Makefile"
	for (i = (shape == "chain" ? n : 1); i <= n; i++)
		printf " t%d", i > "Makefile"
	print "" > "Makefile"
	print "rule all:\n  input:" > "Snakefile"
	for (i = (shape == "chain" ? n : 1); i <= n; i++)
		print "    \"done/t" i "\"," > "Snakefile"
	print "tasks:" > "shell.yaml"
	print "tasks:" > "list.yaml"
	for (i = 1; i <= n; i++) {
		up = shape == "chain" && i > 1 ? " t" (i - 1) : ""
		needs = up == "" ? "" : ", needs: [" substr(up, 2) "]"
		print "build t" i ": r" up > "build.ninja"
		print "t" i ":" up "\n\t@" words > "Makefile"
		print "rule t" i ":" (up == "" ? "" : "\n  input: \"done/" substr(up, 2) "\"") \
			"\n  output: touch(\"done/t" i "\")\n  shell: \"" words "\"" > "Snakefile"
		print "  t" i ": {run: \"" words "\"" needs "}" > "shell.yaml"
		print "  t" i ": {run: [\"" list "\"]" needs "}" > "list.yaml"
	}
}'
