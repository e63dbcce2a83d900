# The commands of a developer and of a packager; `make help` lists them. Cargo does the work, this file only names it.

CARGO ?= cargo
PREFIX ?= /usr/local
LIBDIR ?= $(PREFIX)/lib
INCLUDEDIR ?= $(PREFIX)/include
DESTDIR ?=

TARGET := $(or $(CARGO_TARGET_DIR),target)
RELEASE := $(TARGET)/release
VERSION := $(shell sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -n 1)
SONAME := libmpegclient.so.0
INSTALL_MISSING := tests/support/install.sh

.DEFAULT_GOAL := help
.PHONY: help setup build header demo test test-all test-faults lint install uninstall clean

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1|\2/p' $(MAKEFILE_LIST) | \
	    while IFS='|' read -r name text; do printf '  make %-11s %s\n' "$$name" "$$text"; done

setup: ## install what building and testing need (Debian)
	@$(INSTALL_MISSING) test

# One crate type at a time: with several at once rustc leaves link-time optimisation out. The link beside the library is
# the name that programs linked with it ask for, so that they run from the build tree too.
build: ## build the shared and the static library
	$(CARGO) rustc --release --lib --crate-type cdylib
	$(CARGO) rustc --release --lib --crate-type staticlib
	@ln -sf libmpegclient.so $(RELEASE)/$(SONAME)

header: ## write include/mpegclient.h anew from src/capi
	MPEGCLIENT_WRITE_HEADER=1 $(CARGO) test --test header

demo: ## show the client on a real RTSP server, for ten seconds
	@$(INSTALL_MISSING) demo
	@$(MAKE) --no-print-directory build
	@examples/demo.sh $(TARGET)

test: ## run the tests, against real servers; 12 minutes at most
	@$(INSTALL_MISSING) test
	@$(MAKE) --no-print-directory build
	@tests/support/run_tests.sh

test-all: ## run also the tests that take longer
	@$(INSTALL_MISSING) test
	@$(MAKE) --no-print-directory build
	@tests/support/run_tests.sh --all

test-faults: ## run the whole fault matrix and print it, about 4 minutes
	@$(INSTALL_MISSING) test
	@$(MAKE) --no-print-directory build
	@MPEGCLIENT_LIBRARY=$(abspath $(RELEASE)/libmpegclient.so) $(TARGET)/venv/bin/python tests/faults/matrix.py

lint: ## check formatting and look for doubtful code
	$(CARGO) fmt --check
	$(CARGO) clippy --all-targets -- -D warnings
	$(CARGO) clippy --all-targets --no-default-features -- -D warnings

# Takes what `make build` made, so that a root without a Rust toolchain can run it.
install: $(RELEASE)/libmpegclient.so $(RELEASE)/libmpegclient.a ## install to PREFIX (below DESTDIR)
	install -d $(DESTDIR)$(INCLUDEDIR) $(DESTDIR)$(LIBDIR)/pkgconfig
	install -m 644 include/mpegclient.h bindings/cpp/mpegclient.hpp $(DESTDIR)$(INCLUDEDIR)
	install -m 755 $(RELEASE)/libmpegclient.so $(DESTDIR)$(LIBDIR)/libmpegclient.so.$(VERSION)
	ln -sf libmpegclient.so.$(VERSION) $(DESTDIR)$(LIBDIR)/$(SONAME)
	ln -sf $(SONAME) $(DESTDIR)$(LIBDIR)/libmpegclient.so
	install -m 644 $(RELEASE)/libmpegclient.a $(DESTDIR)$(LIBDIR)
	sed -e 's|@PREFIX@|$(PREFIX)|' -e 's|@LIBDIR@|$(LIBDIR)|' -e 's|@INCLUDEDIR@|$(INCLUDEDIR)|' \
	    -e 's|@VERSION@|$(VERSION)|' bindings/mpegclient.pc.in > $(DESTDIR)$(LIBDIR)/pkgconfig/mpegclient.pc

$(RELEASE)/libmpegclient.so $(RELEASE)/libmpegclient.a:
	$(MAKE) build

uninstall: ## take away what install put there
	rm -f $(addprefix $(DESTDIR)$(INCLUDEDIR)/,mpegclient.h mpegclient.hpp)
	rm -f $(addprefix $(DESTDIR)$(LIBDIR)/,libmpegclient.so.$(VERSION) $(SONAME) libmpegclient.so libmpegclient.a)
	rm -f $(DESTDIR)$(LIBDIR)/pkgconfig/mpegclient.pc

clean: ## remove everything built
	$(CARGO) clean
