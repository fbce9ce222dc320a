# Penstock. `make demo` shows it at work, `make test` proves it. Both install what they lack (Debian packages,
# as root or with sudo), build, run, and say what they do.

PREFIX ?= /usr/local
ROWS ?= 100000
SECONDS ?= 60
SWIFT ?= swift
PACKAGES = libcurl4-openssl-dev default-libmysqlclient-dev libpq-dev libsqlite3-dev libssl-dev libxxhash-dev pkg-config
# The tests build the C example, hold the header against two compilers, and start servers: of TLS and HTTP/2, PostgreSQL
# and MariaDB, each with a folder of its own on loopback; whatever else is installed is left alone. strace stops the
# program at its system calls.
TEST_PACKAGES = gcc g++ libc6-dev openssl nghttp2-proxy util-linux postgresql postgresql-client mariadb-server \
    mariadb-client strace
SUDO = $(shell [ "$$(id -u)" = 0 ] || echo sudo)
BUILD_FLAGS = --explicit-target-dependency-import-check error

# Under a sanitizer a program is some times slower and larger. Left out: the suites that hold the text and the format of
# the sources, and those that start hundreds of programs one after the other, which without a sanitizer are tests enough.
SANITIZED = --skip 'TidyTests|CrashTests|PowerLossTests|FlippedBitTests|ConnectorCheck|CombinationTests|TruthTableTests|JSONLExampleTests|AllocationTests'
# Without the last one, connectors do not find the sanitizer's functions in the program that loads them.
SANITIZER_FLAGS = -Xlinker --export-dynamic

.PHONY: demo test crash build check bench bench-compare bench-test install deps help fuzz test-asan test-tsan release \
    tarball deb package-test

help:
	@echo "make demo      build, then sync a CSV file into a sandbox CRM on this machine (no account needed)"
	@echo "make test      build, then run every test"
	@echo "make crash     kill the program at every system call, lose power at every write; takes an hour and more"
	@echo "make build     build everything (debug)"
	@echo "make check     format lint, then make test"
	@echo "make bench     measure (ROWS=$(ROWS)) beside floors and peers, in about 10 minutes; ONLY=P1,P2 chooses"
	@echo "make bench-compare BASE=REVISION  measure this tree beside another revision"
	@echo "make fuzz      search everything that reads foreign bytes, SECONDS=$(SECONDS) for each target"
	@echo "make test-asan build and run the tests under AddressSanitizer; make test-tsan: under ThreadSanitizer"
	@echo "make install   build optimised and install below PREFIX=$(PREFIX)"
	@echo "make tarball   an archive that runs wherever it is unpacked; make deb: a Debian package; OUT=$(OUT)"
	@echo "make package-test  try both in a Debian 12 without compiler and network (as root)"

test crash: PACKAGES += $(TEST_PACKAGES)

deps:
	@missing=""; for p in $(PACKAGES); do dpkg-query -W -f='$${Status}' $$p 2>/dev/null | grep -q 'ok installed' || missing="$$missing $$p"; done; \
	if [ -n "$$missing" ]; then \
	  echo "== installing$$missing"; \
	  $(SUDO) apt-get update -qq && $(SUDO) env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $$missing >/dev/null; \
	fi

build: deps
	@echo "== building (the first build takes some minutes, most of it for the HTTP library of the sandbox)"
	$(SWIFT) build $(BUILD_FLAGS)

demo: build
	@echo "== running the demo"
	@rm -rf penstock-demo
	@"$$($(SWIFT) build --show-bin-path)/penstock" demo --dir penstock-demo

test: deps
	@echo "== building the tests"
	$(SWIFT) build --build-tests $(BUILD_FLAGS)
	@echo "== running the tests"
	@SWIFT="$(SWIFT)" Tests/run
	@$(MAKE) --no-print-directory bench-test

crash: deps
	@echo "== building the tests"
	$(SWIFT) build --build-tests $(BUILD_FLAGS)
	@echo "== every crash (PENSTOCK_SEED=N repeats one)"
	PENSTOCK_CRASH=all $(SWIFT) test --skip-build --filter 'CrashTests|PowerLossTests|FlippedBitTests'

check: deps
	@echo "== checking the format"
	$(SWIFT) format lint --strict -r Package.swift Sources Plugins Tests
	@$(MAKE) --no-print-directory test

# Python 3 drives it. The servers are measured where they are installed, and named where they are not.
bench: deps
	@ROWS=$(ROWS) Tests/Benchmarks/run

bench-compare: deps
	@ROWS=$(ROWS) BASE="$(BASE)" Tests/Benchmarks/compare

# The benchmarks' own tests take seconds and measure nothing.
bench-test: deps
	@Tests/Benchmarks/check

fuzz: deps
	@SECONDS_EACH=$(SECONDS) Tests/Fuzz/run

# Leaks are not looked for: what Swift's runtime keeps for ever counts as leaked. The planted faults come first.
test-asan: PACKAGES += $(TEST_PACKAGES)
test-asan: deps
	@Tests/Sanitizers/proof address
	$(SWIFT) build --build-tests --sanitize=address --scratch-path .build/asan $(SANITIZER_FLAGS)
	ASAN_OPTIONS=detect_leaks=0 SWIFT_BACKTRACE=enable=no \
	$(SWIFT) test --skip-build --sanitize=address --scratch-path .build/asan $(SANITIZER_FLAGS) $(SANITIZED)

# The library tells TSan of the locks that it cannot see; see Tests/Sanitizers/mutex.c.
test-tsan: PACKAGES += $(TEST_PACKAGES)
test-tsan: deps
	@Tests/Sanitizers/proof thread
	$(SWIFT) build --build-tests --sanitize=thread --scratch-path .build/tsan $(SANITIZER_FLAGS)
	clang -O2 -Wall -Wextra -Werror -shared -fPIC -o .build/tsan/mutex.so Tests/Sanitizers/mutex.c -ldl
	SWIFT_BACKTRACE=enable=no LD_PRELOAD="$(CURDIR)/.build/tsan/mutex.so" \
	$(SWIFT) test --skip-build --sanitize=thread --scratch-path .build/tsan $(SANITIZER_FLAGS) $(SANITIZED)

# What is installed and packed: built optimised, or, with BIN=FOLDER, what is in that folder already.
OUT ?= .build/packages
PACKAGING = Sources/Packaging
RELEASE_FLAGS = -c release -Xswiftc -no-toolchain-stdlib-rpath $(BUILD_FLAGS)
BUILT = $(or $(BIN),$$($(SWIFT) build $(RELEASE_FLAGS) --show-bin-path))

release: deps
ifndef BIN
	@echo "== building optimised"
	$(SWIFT) build $(RELEASE_FLAGS) --product penstock
	$(SWIFT) build $(RELEASE_FLAGS)
endif

install: release
	@echo "== installing below $(DESTDIR)$(PREFIX)"
	@$(PACKAGING)/stage "$(BUILT)" "$(DESTDIR)" "$(PREFIX)"
	@echo "== installed: $(DESTDIR)$(PREFIX)/bin/penstock"

tarball: release
	@echo "== packed: $$($(PACKAGING)/tarball "$(BUILT)" "$(OUT)")"

deb: PACKAGES += dpkg-dev lintian
deb: release
	@file="$$($(PACKAGING)/deb "$(BUILT)" "$(OUT)")" && echo "== packed: $$file" && \
	lintian --fail-on error,warning --tag-display-limit 0 "$$file"

# In a Debian 12 without a compiler and without a network; as root, because it makes that system in a folder.
package-test: PACKAGES += dpkg-dev lintian debootstrap
package-test: deb tarball
	@Tests/Packaging/clean-root "$(OUT)"
