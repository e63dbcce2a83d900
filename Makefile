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
.PHONY: help setup build static wheel header abi demo test test-all test-faults test-ffmpeg proof fuzz soak coverage bench lint install uninstall clean

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

static: ## build one self-contained library, with a small FFmpeg linked in
	@$(INSTALL_MISSING) static
	@bindings/static/build.sh $(TARGET)/static

# Wheels want an environment with pip; that of the demo has one.
wheel: static ## build a Python wheel around the self-contained library
	@$(INSTALL_MISSING) demo
	rm -rf $(TARGET)/wheel && mkdir -p $(TARGET)/wheel && cp -r bindings/python $(TARGET)/wheel/source
	MPEGCLIENT_LIBRARY=$(abspath $(TARGET)/static/libmpegclient.so) \
	    MPEGCLIENT_PLATFORM=$$(bindings/static/platform.sh $(TARGET)/static/libmpegclient.so) \
	    $(TARGET)/venv/bin/python -m pip wheel --quiet --no-deps --wheel-dir $(TARGET)/wheel $(TARGET)/wheel/source
	@ls $(TARGET)/wheel/*.whl

header: ## write include/mpegclient.h anew from src/capi
	MPEGCLIENT_WRITE_HEADER=1 $(CARGO) test --test header

abi: ## describe the present binary interface in tests/abi
	MPEGCLIENT_WRITE_ABI=1 $(CARGO) test --test abi_kept -- the_binary_interface numbers

demo: ## show the client on a real RTSP server, for ten seconds
	@$(INSTALL_MISSING) demo
	@$(MAKE) --no-print-directory build
	@examples/demo.sh $(TARGET)

test: ## run the tests, against real servers; 12 minutes at most
	@$(INSTALL_MISSING) test
	@$(MAKE) --no-print-directory build
	@tests/support/run_tests.sh

test-all: ## run also the tests that take longer, and those with JAX (500 MB)
	@$(INSTALL_MISSING) test-all
	@$(MAKE) --no-print-directory build
	@tests/support/run_tests.sh --all

test-faults: ## run the whole fault matrix and print it, about 4 minutes
	@$(INSTALL_MISSING) test
	@$(MAKE) --no-print-directory build
	@MPEGCLIENT_LIBRARY=$(abspath $(RELEASE)/libmpegclient.so) $(TARGET)/venv/bin/python tests/faults/matrix.py

# Needs root. SUITE=trixie has FFmpeg 7.1, sid the newest that Debian has.
test-ffmpeg: ## build and test with the FFmpeg of another Debian, SUITE=trixie
	@$(INSTALL_MISSING) other-ffmpeg
	@tests/support/other_ffmpeg.sh $(or $(SUITE),trixie)

# PARTS="miri fuzz" for some of them, QUICK=1 for what fits into a few minutes; tests/proof/ holds one script a part.
proof: ## sanitizers, models, fuzzers, endurance: run all and print one table
	@PARTS="$(PARTS)" $(INSTALL_MISSING) proof
	@$(MAKE) --no-print-directory build
	@tests/proof/run.sh $(if $(QUICK),--quick) $(PARTS)

fuzz: ## fuzz each target for SECONDS=60
	@PARTS=fuzz $(INSTALL_MISSING) proof
	@SECONDS_EACH=$(or $(SECONDS),60) tests/proof/fuzz.sh

soak: ## run 16 streams with faults for MINUTES=10 and judge memory and times
	@PARTS=soak $(INSTALL_MISSING) proof
	@$(MAKE) --no-print-directory build
	@MINUTES=$(or $(MINUTES),10) tests/proof/soak.sh

coverage: ## measure which lines and branches the tests run
	@PARTS=coverage $(INSTALL_MISSING) proof
	@tests/proof/coverage.sh

# QUICK=1 for three minutes of it, MEDIA=FOLDER for other footage, README=1 to put the table into the README.
bench: ## measure against other libraries, about 25 minutes
	@$(INSTALL_MISSING) bench
	@$(MAKE) --no-print-directory build
	@MPEGCLIENT_LIBRARY=$(abspath $(RELEASE)/libmpegclient.so) PYTHONPATH=bindings/python/src PYTHONDONTWRITEBYTECODE=1 \
	    $(TARGET)/bench-venv/bin/python benches/peers --output $(TARGET)/bench$(if $(QUICK),/quick) \
	    $(if $(QUICK),--quick) $(if $(MEDIA),--media $(MEDIA)) $(if $(README),--readme)

lint: ## check formatting and look for doubtful code
	$(CARGO) fmt --check
	$(CARGO) clippy --all-targets -- -D warnings
	$(CARGO) clippy --all-targets --no-default-features -- -D warnings

# What a program needs that links libmpegclient.a. FFmpeg stays a shared library.
LIBS_PRIVATE := -lavformat -lavcodec -lswscale -lavutil -lgcc_s -lpthread -lm -ldl -lc
CMAKEDIR := $(LIBDIR)/cmake/mpegclient
empty :=
space := $(empty) $(empty)
FILL_IN = sed -e 's|@PREFIX@|$(PREFIX)|' -e 's|@LIBDIR@|$(LIBDIR)|' -e 's|@VERSION@|$(VERSION)|' -e 's|@SONAME@|$(SONAME)|'

# Takes what `make build` made, so that a root without a Rust toolchain can run it.
install: $(RELEASE)/libmpegclient.so $(RELEASE)/libmpegclient.a ## install to PREFIX (below DESTDIR)
	install -d $(addprefix $(DESTDIR),$(INCLUDEDIR) $(LIBDIR)/pkgconfig $(CMAKEDIR))
	install -m 644 include/mpegclient.h bindings/cpp/mpegclient.hpp $(DESTDIR)$(INCLUDEDIR)
	install -m 755 $(RELEASE)/libmpegclient.so $(DESTDIR)$(LIBDIR)/libmpegclient.so.$(VERSION)
	ln -sf libmpegclient.so.$(VERSION) $(DESTDIR)$(LIBDIR)/$(SONAME)
	ln -sf $(SONAME) $(DESTDIR)$(LIBDIR)/libmpegclient.so
	install -m 644 $(RELEASE)/libmpegclient.a $(DESTDIR)$(LIBDIR)
	$(FILL_IN) -e 's|@INCLUDEDIR@|$(INCLUDEDIR)|' -e 's|@LIBS_PRIVATE@|$(LIBS_PRIVATE)|' \
	    bindings/mpegclient.pc.in > $(DESTDIR)$(LIBDIR)/pkgconfig/mpegclient.pc
	$(FILL_IN) -e "s|@INCLUDEDIR@|$$(realpath -m --relative-to=$(CMAKEDIR) $(INCLUDEDIR))|" \
	    -e 's|@LIBS_PRIVATE@|$(subst $(space),;,$(LIBS_PRIVATE))|' \
	    bindings/mpegclient-config.cmake.in > $(DESTDIR)$(CMAKEDIR)/mpegclient-config.cmake
	$(FILL_IN) bindings/mpegclient-config-version.cmake.in > $(DESTDIR)$(CMAKEDIR)/mpegclient-config-version.cmake

$(RELEASE)/libmpegclient.so $(RELEASE)/libmpegclient.a:
	$(MAKE) build

# Folders that others use too stay.
uninstall: ## take away what install put there
	rm -f $(addprefix $(DESTDIR)$(INCLUDEDIR)/,mpegclient.h mpegclient.hpp)
	rm -f $(addprefix $(DESTDIR)$(LIBDIR)/,libmpegclient.so.$(VERSION) $(SONAME) libmpegclient.so libmpegclient.a)
	rm -f $(DESTDIR)$(LIBDIR)/pkgconfig/mpegclient.pc
	rm -rf $(DESTDIR)$(CMAKEDIR)

clean: ## remove everything built
	$(CARGO) clean
