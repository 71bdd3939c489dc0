# Shared by the scripts beside it, which have set ${top} to the root of the source tree.
# Plain POSIX sh.

say() {
	printf '== %s\n' "$*"
}

# fail STATUS MESSAGE...
fail() {
	status=$1
	shift
	printf '%s: %s\n' "${0##*/}" "$*" >&2
	exit "$status"
}

jobs() {
	nproc 2>/dev/null || getconf _NPROCESSORS_ONLN 2>/dev/null || echo 1
}

# build PRESET: configure and build.  Ninja's progress is for terminals; elsewhere only what
# goes wrong is printed.
build() {
	say "build $1 ($(jobs) jobs)"
	(cd "$top" && cmake --preset "$1" --log-level=NOTICE >/dev/null) || return
	quiet=--quiet
	[ -t 1 ] && quiet=
	# shellcheck disable=SC2086
	(cd "$top" && cmake --build --preset "$1" -j "$(jobs)" -- $quiet)
}
