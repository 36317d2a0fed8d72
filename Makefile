# make lists what there is to make. Needs what scripts/deps.sh installs.
# make build ARCH=arm64 builds for another architecture, into bin/arm64.

SHELL       := /bin/bash
.SHELLFLAGS := -euo pipefail -c
MAKEFLAGS   += --no-builtin-rules
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.NOTPARALLEL: # the tools are parallel themselves

GO         ?= go
CLANG      ?= clang
LLVM_STRIP ?= llvm-strip
PREFIX     ?= /usr/local
FUZZTIME   ?= 10s
BENCHTIME  ?= 1s
SOAK       ?= 10m
KILLS      ?= 200

GOLANGCI_LINT_VERSION := v2.15.0

BPF_ARCH_amd64 := x86
BPF_ARCH_arm64 := arm64
TRIPLET_arm64  := aarch64-linux-gnu

# The variables below are expanded when a recipe needs them: not before deps.
FOREIGN         = $(filter-out $(shell $(GO) env GOHOSTARCH),$(ARCH))
TRIPLET         = $(or $(TRIPLET_$(ARCH)),$(error no compiler for ARCH=$(ARCH)))
SYSROOT         = $(CURDIR)/build/sysroot/$(ARCH)
FOREIGN_LIBS    = PKG_CONFIG_LIBDIR=$(SYSROOT)/usr/lib/$(TRIPLET)/pkgconfig PKG_CONFIG_SYSROOT_DIR=$(SYSROOT)
FOREIGN_GO      = GOARCH=$(ARCH) CC=$(TRIPLET)-gcc CGO_CFLAGS='-O2 -g -I$(SYSROOT)/usr/include'
STATIC_LIBS     = $(shell $(if $(FOREIGN),$(FOREIGN_LIBS)) pkg-config --static --libs libbpf libelf zlib)
VERSION         = $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
COMMIT          = $(shell git rev-parse HEAD 2>/dev/null)
# The time that generated files have: that of the commit, so that all can be built again.
SOURCE_DATE_EPOCH ?= $(shell git log -1 --format=%ct 2>/dev/null || echo 0)

BINARY      := bin/$(if $(ARCH),$(ARCH)/)ipcwarden
BPF_OBJECTS := $(patsubst %,ebpf/ipcwarden_%.bpf.o,amd64 arm64)
BPF_HEADERS := $(wildcard ebpf/*.h)
LINTER      := build/tools/golangci-lint-$(GOLANGCI_LINT_VERSION)
GO_FILES    := $(shell find cmd pkg ebpf rego signatures -name '*.go')
TEST_FILES  := $(filter %_test.go,$(GO_FILES))
# What goes into the binary beside the Go code.
EMBEDDED    := $(BPF_OBJECTS) $(shell find rego -name '*.rego' -o -name '*.json')

.PHONY: help
help: ## list the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "make %-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: deps
deps: ## install what the build needs and this machine lacks
	@scripts/deps.sh build $(ARCH)

.PHONY: deps-test
deps-test: ## install what the tests need and this machine lacks
	@scripts/deps.sh test

.PHONY: deps-vm
deps-vm: ## install what the tests in virtual machines need and this machine lacks
	@scripts/deps.sh vm

.PHONY: deps-benign
deps-benign: ## install the programs of test-benign that this machine lacks
	@scripts/deps.sh benign || echo 'make deps-benign: what is missing is not tested; ARGS=-partial is content with that' >&2

.PHONY: deps-package
deps-package: ## install what test-package needs and this machine lacks
	@scripts/deps.sh package

.PHONY: generate
generate: ## write the files that follow from the event table
	$(GO) run ./cmd/gen

.PHONY: build
build: $(BINARY) ## build bin/ipcwarden, a static binary; ARCH builds for another machine

.PHONY: run
run: build ## watch this host and print alerts (as root); ARGS adds flags
	@if [[ $$(id -u) != 0 ]]; then \
		echo 'make run: watching the kernel needs root: sudo make run' >&2; exit 1; \
	fi
	@exec $(BINARY) run $(ARGS)

.PHONY: test
test: test-unit test-e2e ## run all tests, those in QEMU with kernel 6.1 or what KERNEL lists
	@if [[ $$(id -u) == 0 && $$(uname -m) == x86_64 ]]; then \
		$(MAKE) test-vm KERNEL='$(or $(KERNEL),6.1)' ARGS='-short $(ARGS)'; \
	else \
		echo 'make test: the tests in QEMU take root, for what has to be installed, and x86-64; make test-vm runs them' >&2; \
	fi

.PHONY: test-unit
test-unit: $(BPF_OBJECTS) | deps-test ## run go vet and the unit tests
	$(GO) vet ./...
	$(GO) test $$($(GO) list ./... | grep -v '/tests/e2e')

.PHONY: test-e2e
test-e2e: build | deps-test ## run the end-to-end tests against this kernel (as root)
	$(GO) test -v -count=1 ./tests/e2e/...

.PHONY: test-vm
test-vm: build | deps-vm ## run the end-to-end tests under several kernels; KERNEL, HOOK and TEST narrow them, ARGS adds flags
	$(GO) build -o build/vm/matrix ./tests/vm
	build/vm/matrix $(if $(KERNEL),-kernel '$(KERNEL)') $(if $(HOOK),-hook '$(HOOK)') $(if $(TEST),-run '$(TEST)') $(ARGS)

.PHONY: test-benign
test-benign: build | deps-benign ## see that ordinary programs give no alert that matters (as root); ARGS adds flags
	@mkdir -p build/benign
	$(GO) build -o build/benign/benign ./tests/benign
	build/benign/benign $(ARGS)

.PHONY: bench
bench: $(BPF_OBJECTS) ## run the benchmarks; BENCHTIME is the time for each
	$(GO) test -run '^$$' -bench . -benchmem -benchtime $(BENCHTIME) \
		$(addprefix ./,$(sort $(dir $(shell grep -l '^func Benchmark' $(TEST_FILES)))))

.PHONY: soak
soak: build | deps-test ## load the daemon for SOAK and print what it takes (as root)
	IPCWARDEN_SOAK=$(SOAK) $(GO) test -v -count=1 -timeout 0 -run '^TestSoak$$' ./tests/e2e

.PHONY: test-delivery
test-delivery: ## kill a process that delivers KILLS times, and have a receiver down for a minute
	IPCWARDEN_KILLS=$(KILLS) IPCWARDEN_DOWN=1m $(GO) test -v -count=1 -timeout 0 -run '^Test(Kill|Down)$$' ./pkg/deliver

.PHONY: fuzz
fuzz: $(BPF_OBJECTS) ## run every fuzz test for FUZZTIME
	@grep -Ho '^func Fuzz[A-Za-z0-9_]*' $(TEST_FILES) | while IFS=: read -r file func; do \
		echo "$${func#func } in $${file%/*}"; \
		$(GO) test -run '^$$' -fuzz "^$${func#func }\$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 5x "./$${file%/*}"; \
	done

.PHONY: lint
lint: $(LINTER) $(BPF_OBJECTS) ## check style and the direction of imports
	$(LINTER) run ./...

.PHONY: fmt
fmt: ## format the Go code
	gofmt -l -w cmd pkg ebpf rego signatures tests

.PHONY: install
install: build ## install the binary, manual pages and shell completions below DESTDIR and PREFIX
	install -D -m 0755 $(BINARY) $(DESTDIR)$(PREFIX)/bin/ipcwarden
	$(call write_share,$(DESTDIR)$(PREFIX)/share)

# What is there to read and to complete is written by a binary that runs here.
HOST_BINARY = $(if $(FOREIGN),bin/ipcwarden,$(BINARY))
define write_share
$(if $(FOREIGN),$(MAKE) --no-print-directory ARCH= build)
install -d $(addprefix $(1)/,man/man1 bash-completion/completions zsh/site-functions fish/vendor_completions.d)
SOURCE_DATE_EPOCH=$(SOURCE_DATE_EPOCH) $(HOST_BINARY) man $(1)/man/man1
$(HOST_BINARY) completion bash >$(1)/bash-completion/completions/ipcwarden
$(HOST_BINARY) completion zsh >$(1)/zsh/site-functions/_ipcwarden
$(HOST_BINARY) completion fish >$(1)/fish/vendor_completions.d/ipcwarden.fish
endef

include deploy/package/package.mk

.PHONY: clean
clean: ## remove everything that was built
	rm -rf bin build ebpf/*.bpf.o

# An object for each architecture, of which Go embeds that of its own: compiling
# them takes no tools of that architecture. llvm-strip removes DWARF; BTF, which
# the kernel needs, stays.
$(BPF_OBJECTS): ebpf/ipcwarden_%.bpf.o: ebpf/ipcwarden.bpf.c $(BPF_HEADERS) | deps
	$(CLANG) -g -O2 -target bpf -D__TARGET_ARCH_$(BPF_ARCH_$*) -Wall -Wextra -Werror -c $< -o $@
	$(LLVM_STRIP) -g $@

$(BINARY): $(GO_FILES) $(EMBEDDED) go.mod go.sum build/version | deps
	$(if $(FOREIGN),$(FOREIGN_GO)) CGO_ENABLED=1 CGO_LDFLAGS='$(STATIC_LIBS)' $(GO) build -trimpath -buildvcs=false -tags netgo,osusergo \
		-ldflags '-s -w -X main.version=$(VERSION) -X main.commit=$(COMMIT) -extldflags "-static"' \
		-o $@ ./cmd/ipcwarden

# Changes only with the version, so that the binary is linked again only then.
build/version: FORCE
	@mkdir -p $(@D)
	@echo '$(VERSION) $(COMMIT)' | cmp -s - $@ || echo '$(VERSION) $(COMMIT)' >$@

.PHONY: FORCE
FORCE:

$(LINTER):
	GOBIN=$(CURDIR)/build/tools $(GO) install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(GOLANGCI_LINT_VERSION)
	mv build/tools/golangci-lint $@
