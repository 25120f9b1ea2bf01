# Two verbs do everything, set-up included, on a bare Debian 12: `make demo` and `make test`.

SCENARIO ?= scenarios/black-friday-v5.yaml
JOBS ?= $(shell nproc)

.PHONY: demo test test-long docs bench build tests-build deps deps-test deps-bench clean

# Builds the program and plays the flagship from start to end.
demo: build
	build/doorbuster simulate $(SCENARIO)

# Every suite, in the release build and under the sanitizers; the long forms are left to test-long.
test: tests-build
	ctest --test-dir build --output-on-failure --timeout 300 -j $(JOBS) --label-exclude long

test-long: tests-build
	@.ci/install image long
	cmake --preset fuzz
	cmake --build --preset fuzz
	DOORBUSTER_LONG=1 ctest --test-dir build --output-on-failure --timeout 4500 -j $(JOBS)

# The 30 minutes against the clock, beside SimGrid in the same run.
bench: deps deps-bench
	cmake --preset release -DDOORBUSTER_BENCH=ON
	cmake --build --preset release --target doorbuster simgrid_shop
	bench/simulate.py

# What documents show of runs: the picture and the scenarios' reports.
docs: build
	build/doorbuster simulate black-friday-v5 --seed 7 --quiet --report - 2>/dev/null | docs/picture.py - > docs/black-friday-v5.svg
	docs/scenarios.py build/doorbuster > build/scenarios.md
	mv build/scenarios.md docs/scenarios.md

build: deps
	cmake --preset release
	cmake --build --preset release --target doorbuster

tests-build: deps deps-test
	cmake --preset release -DDOORBUSTER_TESTS=ON
	cmake --build --preset release
	cmake --preset debug
	cmake --build --preset debug

deps:
	@.ci/install build

deps-test:
	@.ci/install build test live
	@if [ -f tests/judges/package.json ]; then .ci/install judges && .ci/install-judges; fi

deps-bench:
	@.ci/install build bench

clean:
	rm -rf build
