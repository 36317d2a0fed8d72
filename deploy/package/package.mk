# Packages and charts; included by the Makefile.

NFPM_VERSION      := v2.45.2
CYCLONEDX_VERSION := v1.10.0
HELM_VERSION      := v3.19.0

NFPM      := build/tools/nfpm-$(NFPM_VERSION)
CYCLONEDX := build/tools/cyclonedx-gomod-$(CYCLONEDX_VERSION)
HELM      := build/tools/helm-$(HELM_VERSION)

# A version that dpkg and rpm can compare: that of the tag, or one before all others.
PACKAGE_VERSION = $(subst -,.,$(or $(patsubst v%,%,$(filter v%,$(VERSION))),0.0.0~$(or $(VERSION),dev)))
PACKAGE_TREE   := build/package/tree
PACKAGE_SHARE  := $(PACKAGE_TREE)/usr/share
PACKAGE_DOCS   := README.md $(wildcard docs/*.md docs/*.json)

.PHONY: package
package: build $(NFPM) $(CYCLONEDX) ## build .deb and .rpm with manual pages, completions and SBOM, in build/package
	rm -rf build/package
	install -d $(addprefix $(PACKAGE_SHARE)/,man/man1 bash-completion/completions zsh/site-functions fish/vendor_completions.d doc/ipcwarden)
	$(MAKE) --no-print-directory host-tool
	SOURCE_DATE_EPOCH=$(SOURCE_DATE_EPOCH) build/host/ipcwarden man $(PACKAGE_SHARE)/man/man1
	gzip -9n $(PACKAGE_SHARE)/man/man1/*.1
	build/host/ipcwarden completion bash >$(PACKAGE_SHARE)/bash-completion/completions/ipcwarden
	build/host/ipcwarden completion zsh >$(PACKAGE_SHARE)/zsh/site-functions/_ipcwarden
	build/host/ipcwarden completion fish >$(PACKAGE_SHARE)/fish/vendor_completions.d/ipcwarden.fish
	install -m 0644 $(PACKAGE_DOCS) $(PACKAGE_SHARE)/doc/ipcwarden
	$(CYCLONEDX) bin -json -version $(VERSION) -output $(PACKAGE_SHARE)/doc/ipcwarden/sbom.cdx.json $(BINARY)
	cp $(PACKAGE_SHARE)/doc/ipcwarden/sbom.cdx.json build/package/ipcwarden.cdx.json
	for packager in deb rpm; do \
		ARCH=$(or $(ARCH),$$($(GO) env GOARCH)) BINARY=$(BINARY) PACKAGE_VERSION='$(PACKAGE_VERSION)' SOURCE_DATE_EPOCH=$(SOURCE_DATE_EPOCH) \
			$(NFPM) package --config deploy/package/nfpm.yaml --packager $$packager --target build/package/; \
	done

# What time the files of a package have: that of the commit, so that it can be built again.
SOURCE_DATE_EPOCH ?= $(shell git log -1 --format=%ct 2>/dev/null || echo 0)

# The manual is written by a binary that runs here.
.PHONY: host-tool
host-tool:
	$(if $(FOREIGN),$(MAKE) ARCH= build)
	install -D bin/ipcwarden build/host/ipcwarden

.PHONY: test-package
test-package: package $(HELM) ## install the .deb in a clean Debian, look at its unit and remove it again (as root); lint the chart
	$(HELM) lint --strict deploy/helm/ipcwarden
	deploy/package/test.sh build/package/ipcwarden_*_$$(dpkg --print-architecture).deb

$(NFPM):
	GOBIN=$(CURDIR)/build/tools $(GO) install github.com/goreleaser/nfpm/v2/cmd/nfpm@$(NFPM_VERSION)
	mv build/tools/nfpm $@

$(CYCLONEDX):
	GOBIN=$(CURDIR)/build/tools $(GO) install github.com/CycloneDX/cyclonedx-gomod/cmd/cyclonedx-gomod@$(CYCLONEDX_VERSION)
	mv build/tools/cyclonedx-gomod $@

$(HELM):
	GOBIN=$(CURDIR)/build/tools $(GO) install helm.sh/helm/v3/cmd/helm@$(HELM_VERSION)
	mv build/tools/helm $@
