# Penstock. `make demo` shows it at work, `make test` proves it. Both install what they lack (Debian packages,
# as root or with sudo), build, run, and say what they do.

PREFIX ?= /usr/local
ROWS ?= 100000
SECONDS ?= 60
SWIFT ?= swift
PACKAGES = libcurl4-openssl-dev default-libmysqlclient-dev libpq-dev libsqlite3-dev libssl-dev pkg-config
# The tests build the C example, hold the header against two compilers, and start servers: of TLS, PostgreSQL and
# MariaDB, each with a folder of its own on loopback; whatever else is installed is left alone. strace stops the program
# at its system calls.
TEST_PACKAGES = gcc g++ libc6-dev openssl util-linux postgresql postgresql-client mariadb-server mariadb-client strace
SUDO = $(shell [ "$$(id -u)" = 0 ] || echo sudo)
BUILD_FLAGS = --explicit-target-dependency-import-check error

# Under a sanitizer a program is some times slower and larger. Left out: the suites that hold the text and the format of
# the sources, and those that start hundreds of programs one after the other, which without a sanitizer are tests enough.
SANITIZED = --skip 'TidyTests|CrashTests|PowerLossTests|FlippedBitTests|ConnectorCheck|CombinationTests|TruthTableTests|JSONLExampleTests|AllocationTests'
# Without the last one, connectors do not find the sanitizer's functions in the program that loads them.
SANITIZER_FLAGS = -Xlinker --export-dynamic

.PHONY: demo test crash build check bench bench-limits install deps help fuzz test-asan test-tsan

help:
	@echo "make demo      build, then sync a CSV file into a sandbox CRM on this machine (no account needed)"
	@echo "make test      build, then run every test"
	@echo "make crash     kill the program at every system call, lose power at every write; takes an hour and more"
	@echo "make build     build everything (debug)"
	@echo "make check     format lint, then make test"
	@echo "make bench     measure (ROWS=$(ROWS)); prints ratios to floors measured in the same run"
	@echo "make bench-limits  measure the rate under a limit, with one process and two (12 minutes)"
	@echo "make fuzz      search everything that reads foreign bytes, SECONDS=$(SECONDS) for each target"
	@echo "make test-asan build and run the tests under AddressSanitizer; make test-tsan: under ThreadSanitizer"
	@echo "make install   build optimised and install below PREFIX=$(PREFIX)"

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
	$(SWIFT) test --skip-build

crash: deps
	@echo "== building the tests"
	$(SWIFT) build --build-tests $(BUILD_FLAGS)
	@echo "== every crash (PENSTOCK_SEED=N repeats one)"
	PENSTOCK_CRASH=all $(SWIFT) test --skip-build --filter 'CrashTests|PowerLossTests|FlippedBitTests'

check: deps
	@echo "== checking the format"
	$(SWIFT) format lint --strict -r Package.swift Sources Plugins Tests
	@$(MAKE) --no-print-directory test

bench: deps
	@cd Tests/Benchmarks && ROWS=$(ROWS) ./run

bench-limits: deps
	@cd Tests/Benchmarks && ONLY=limits ./run

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

install: deps
	@echo "== building optimised"
	$(SWIFT) build -c release $(BUILD_FLAGS)
	@echo "== installing below $(DESTDIR)$(PREFIX)"
	@bin="$$($(SWIFT) build -c release --show-bin-path)"; \
	install -d "$(DESTDIR)$(PREFIX)/bin" "$(DESTDIR)$(PREFIX)/lib/penstock/connectors"; \
	install -m 755 "$$bin/penstock" "$(DESTDIR)$(PREFIX)/bin/penstock"; \
	for f in "$$bin"/libpenstock-*.so; do install -m 755 "$$f" "$(DESTDIR)$(PREFIX)/lib/penstock/connectors/"; done; \
	for f in "$$bin"/penstock-sandbox-*; do case "$$f" in *.*) ;; *) install -m 755 "$$f" "$(DESTDIR)$(PREFIX)/lib/penstock/connectors/";; esac; done
	@echo "== installed: $(DESTDIR)$(PREFIX)/bin/penstock"
