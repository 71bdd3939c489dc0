# Short names; what they do is in scripts/ and CMakePresets.json.
PREFIX ?= /usr/local
sources = git ls-files '*.c' '*.h'

.PHONY: demo test build install bench format clean

demo:
	scripts/demo

test:
	scripts/test

build:
	. scripts/lib.sh; top=$(CURDIR); build release

install: build
	DESTDIR=$(DESTDIR) cmake --install build/release --prefix $(PREFIX)

bench: build
	bench/run_tasks.sh
	bench/start.sh
	bench/meta_million.sh
	bench/artifacts.sh

format:
	$(sources) | xargs clang-format -i

clean:
	rm -rf build
