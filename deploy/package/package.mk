# Packages, charts and images; included by the Makefile.

NFPM_VERSION      := v2.45.2
CYCLONEDX_VERSION := v1.10.0
HELM_VERSION      := v3.19.0
VALIDATE_VERSION  := v0.0.4

NFPM      := build/tools/nfpm-$(NFPM_VERSION)
CYCLONEDX := build/tools/cyclonedx-gomod-$(CYCLONEDX_VERSION)
HELM      := build/tools/helm-$(HELM_VERSION)
VALIDATE  := build/tools/kubectl-validate-$(VALIDATE_VERSION)

# A version that dpkg and rpm can compare: that of the tag, or one before all others.
PACKAGE_VERSION = $(subst -,.,$(or $(patsubst v%,%,$(filter v%,$(VERSION))),0.0.0~$(or $(VERSION),dev)))
PACKAGE_TREE   := build/package/tree
PACKAGE_SHARE  := $(PACKAGE_TREE)/usr/share
PACKAGE_DOCS   := README.md $(wildcard docs/*.md docs/*.json)

.PHONY: package
package: build $(NFPM) $(CYCLONEDX) ## build .deb and .rpm with manual pages, completions and SBOM, in build/package
	rm -rf build/package
	$(call write_share,$(PACKAGE_SHARE))
	gzip -9n $(PACKAGE_SHARE)/man/man1/*.1
	install -d $(PACKAGE_SHARE)/doc/ipcwarden/examples
	install -m 0644 $(PACKAGE_DOCS) $(PACKAGE_SHARE)/doc/ipcwarden
	install -m 0644 deploy/examples/* $(PACKAGE_SHARE)/doc/ipcwarden/examples
	$(CYCLONEDX) bin -json -version $(VERSION) -output $(PACKAGE_SHARE)/doc/ipcwarden/sbom.cdx.json $(BINARY)
	cp $(PACKAGE_SHARE)/doc/ipcwarden/sbom.cdx.json build/package/ipcwarden.cdx.json
	for packager in deb rpm; do \
		ARCH=$(or $(ARCH),$$($(GO) env GOARCH)) BINARY=$(BINARY) PACKAGE_VERSION='$(PACKAGE_VERSION)' SOURCE_DATE_EPOCH=$(SOURCE_DATE_EPOCH) \
			$(NFPM) package --config deploy/package/nfpm.yaml --packager $$packager --target build/package/; \
	done

CLEAN_DEBIAN := build/debian.tar

.PHONY: test-package
test-package: package $(CLEAN_DEBIAN) ## install .deb and .rpm in a clean Debian, look at what they bring, and remove them again (as root)
	tests/package/install.sh $(CLEAN_DEBIAN) build/package/ipcwarden_*_$$(dpkg --print-architecture).deb build/package/ipcwarden-*.$$(uname -m).rpm

.PHONY: test-systemd
test-systemd: package $(CLEAN_DEBIAN) ## boot systemd in a clean Debian, and see the unit start, alert, reload, restart and stop (as root)
	tests/package/boot.sh $(CLEAN_DEBIAN) build/package/ipcwarden_*_$$(dpkg --print-architecture).deb

# What builds images: the first of these that is there.
IMAGE_BUILDER ?= $(firstword $(shell for b in podman buildah docker; do command -v $$b || true; done))
IMAGE         ?= ipcwarden:$(VERSION)
AUTHORITIES   ?= /etc/ssl/certs/ca-certificates.crt

.PHONY: image
image: build ## build the container image IMAGE around the binary, with podman, buildah or docker (and buildx)
	@if [[ -z '$(IMAGE_BUILDER)' ]]; then echo 'make image: takes podman, buildah, or docker with buildx' >&2; exit 1; fi
	rm -rf build/image
	install -D $(BINARY) build/image/src/bin/ipcwarden
	install -D -m 0644 $(AUTHORITIES) build/image/etc/ssl/certs/ca-certificates.crt
	$(IMAGE_BUILDER) build -f deploy/Dockerfile --platform linux/$(or $(ARCH),$$($(GO) env GOARCH)) \
		--build-context build=build/image -t '$(IMAGE)' build/image

.PHONY: manifest
manifest: $(HELM) ## write deploy/kubernetes/ipcwarden.yaml, from the chart
	deploy/kubernetes/generate.sh $(HELM) >deploy/kubernetes/ipcwarden.yaml.new
	mv deploy/kubernetes/ipcwarden.yaml.new deploy/kubernetes/ipcwarden.yaml

.PHONY: test-chart
test-chart: build $(HELM) $(VALIDATE) ## check chart and manifest against the schemas of Kubernetes, and their configuration
	tests/package/chart.sh $(HELM) $(VALIDATE) $(HOST_BINARY)

$(CLEAN_DEBIAN): tests/package/debian.sh | deps-package
	trap 'rm -f $@.new' EXIT; $< $@.new; mv $@.new $@

$(NFPM):
	GOBIN=$(CURDIR)/build/tools $(GO) install github.com/goreleaser/nfpm/v2/cmd/nfpm@$(NFPM_VERSION)
	mv build/tools/nfpm $@

$(CYCLONEDX):
	GOBIN=$(CURDIR)/build/tools $(GO) install github.com/CycloneDX/cyclonedx-gomod/cmd/cyclonedx-gomod@$(CYCLONEDX_VERSION)
	mv build/tools/cyclonedx-gomod $@

$(HELM):
	GOBIN=$(CURDIR)/build/tools $(GO) install helm.sh/helm/v3/cmd/helm@$(HELM_VERSION)
	mv build/tools/helm $@

$(VALIDATE):
	GOBIN=$(CURDIR)/build/tools $(GO) install sigs.k8s.io/kubectl-validate@$(VALIDATE_VERSION)
	mv build/tools/kubectl-validate $@
