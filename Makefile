# The commands of this project, each a line or two around CMake. `make help` lists them.

PREFIX ?= /usr/local
DESTDIR ?=
JOBS ?= $(shell nproc 2>/dev/null || echo 2)
FUZZ_SECONDS ?= 60
C_FILES = $(shell find include src cli tests tools examples bench -name '*.[ch]')

.PHONY: all demo test test-kill-1000 bench bench-learn bench-repeatability bench-sampling install clean fuzz format check-format help

all: build/build.ninja ## build the command line, the libraries and the examples into build/
	@cmake --build build -j $(JOBS)

demo: ## install what is missing, build, and make a latency predictor for this machine (about 4 minutes)
	@scripts/setup.sh
	@$(MAKE) --no-print-directory all
	@scripts/demo.sh

test: ## install what is missing, then run every test: with sanitizers, as released, and the threaded ones once more
	@scripts/setup.sh --test
	@$(MAKE) --no-print-directory test-dev test-release-tests test-tsan

test-kill-1000: build-dev/build.ninja ## kill profiling at 1,000 random moments and look at what is left (about 4 minutes)
	@cmake --build build-dev -j $(JOBS) --target nn-meter wild_runtime
	@/usr/bin/python3 tests/integration/robust_kill.py build-dev/nn-meter build-dev/tests/libwild_runtime.so --kills 1000

bench: ## compare with peers
	@scripts/setup.sh --bench
	@$(MAKE) --no-print-directory all
	@bench/run.sh

DATA ?= ../shared/data
bench-learn: ## compare predictors with scikit-learn's and XGBoost's on the tables DATA/*.csv
	@scripts/setup.sh --bench
	@$(MAKE) --no-print-directory all
	@bench/bench_learn.py --program build/nn-meter --csv $(wildcard $(DATA)/*.csv)
	@for table in $(wildcard $(DATA)/conv*.csv); do build/bench/bench_predict conv-bn-relu $$table latency_ms; done

install: all ## install into PREFIX (/usr/local), below DESTDIR
	@grep -qx 'CMAKE_INSTALL_PREFIX:PATH=$(PREFIX)' build/CMakeCache.txt || \
		{ cmake -DCMAKE_INSTALL_PREFIX='$(PREFIX)' build >/dev/null && cmake --build build -j $(JOBS); }
	@DESTDIR='$(DESTDIR)' cmake --install build

bench-sampling: all ## kernels and device time that samplers need for an accuracy, on simulated devices and tables DATA/*.csv (5 minutes; ARGS="--quick")
	@build/bench/bench_sampling --data $(DATA) $(ARGS)

bench-repeatability: all ## how far two passes over the same kernels agree, ours and the usual ways (20 minutes; ARGS="--kernels 40 --minutes 1 --out pairs.csv")
	@build/bench/bench_repeatability $(ARGS)

clean: ## remove everything that was built
	rm -rf build build-dev build-release build-tsan build-fuzz

fuzz: build-fuzz/build.ninja ## run each fuzzer for FUZZ_SECONDS (60) with clang's libFuzzer
	@cmake --build build-fuzz -j $(JOBS)
	@scripts/fuzz.sh build-fuzz $(FUZZ_SECONDS)

format: ## lay out the C files as .clang-format says (version 14)
	@clang-format -i $(C_FILES)

check-format: ## tell which C files `make format` would change
	@clang-format --dry-run --Werror $(C_FILES)

help: ## this list
	@sed -n 's/^\([a-z0-9-]*\):.*## \(.*\)/\1\t\2/p' $(MAKEFILE_LIST) | expand -t 14

# CMake runs again by itself when one of its files changes, so it is only called for a folder that is not there yet.
build/build.ninja:
	@command -v cmake >/dev/null && cmake --preset release -DCMAKE_INSTALL_PREFIX='$(PREFIX)' || \
		{ echo "The build could not be prepared. scripts/setup.sh installs the packages it needs." >&2; exit 1; }

build-dev/build.ninja build-tsan/build.ninja build-fuzz/build.ninja: build-%/build.ninja:
	@cmake --preset $* >/dev/null

build-release/build.ninja:
	@cmake --preset release-tests >/dev/null

# Two tests run at a time (CMakePresets.json), of which at most one measures: measuring takes the lock of the machine.
.PHONY: test-dev test-release-tests test-tsan
test-dev: build-dev/build.ninja
	@echo "== tests with the address and undefined-behaviour sanitizers"
	@cmake --build build-dev -j $(JOBS)
	@ctest --preset dev

test-release-tests: build-release/build.ninja
	@echo "== tests as released"
	@cmake --build build-release -j $(JOBS)
	@ctest --preset release-tests
	@sed -n '/^Worst error, relative/,/^\[ /{/^\[ /!p}' build-release/Testing/Temporary/LastTest.log

# The thread sanitizer of gcc 12 does not know where newer kernels place programs at random; where that may be turned
# off (not in every container), it is.
NO_ASLR = $(shell setarch -R true 2>/dev/null && echo setarch -R)
test-tsan: build-tsan/build.ninja
	@echo "== threaded tests with the thread sanitizer"
	@cmake --build build-tsan -j $(JOBS) --target threaded_tests
	@$(NO_ASLR) ctest --preset tsan
