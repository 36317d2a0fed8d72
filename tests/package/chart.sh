#!/usr/bin/env bash
# Checks the chart with its own values and those of its ci directory: by Helm, against the
# schemas of the oldest Kubernetes that it is for and of one with profiles for AppArmor, and
# the configuration that comes of it by ipcwarden. Then, that the manifest is the chart's.
# usage: chart.sh HELM KUBECTL-VALIDATE IPCWARDEN
set -euo pipefail
cd "$(dirname "$0")/../.."
readonly helm=$1 validate=$2 ipcwarden=$3 chart=deploy/helm/ipcwarden manifest=deploy/kubernetes/ipcwarden.yaml
work=$(mktemp -d "${TMPDIR:-/tmp}/ipcwarden-chart.XXXXXX")
trap 'rm -rf "$work"' EXIT

die() {
	echo "chart.sh: $*" >&2
	exit 1
}

# check_config has ipcwarden check the configuration that a manifest has in a ConfigMap.
check_config() {
	awk '/^[^ ]/ { inside = 0 } inside && !/^    / { inside = 0 } inside { print substr($0, 5) } /^  config\.yaml: \|/ { inside = 1 }' "$1" >"$work/config.yaml"
	[[ -s $work/config.yaml ]] || die "$1 has no config.yaml"
	HOOK_URL=https://hook.example "$ipcwarden" config check "$work/config.yaml" >/dev/null || die "ipcwarden refuses the configuration in $1"
}

check() {
	"$validate" --version "$2" "$1" >"$work/said" 2>&1 || die "Kubernetes $2 refuses $1: $(<"$work/said")"
}

for values in "$chart/values.yaml" "$chart"/ci/*-values.yaml; do
	"$helm" lint --strict --quiet --kube-version 1.30.0 "$chart" --values "$values"
	for version in 1.25 1.30; do
		"$helm" template test "$chart" --namespace test --kube-version "$version.0" --values "$values" >"$work/$version.yaml"
		check "$work/$version.yaml" "$version"
		check_config "$work/$version.yaml"
	done
	echo "ok: $values"
done
for values in "$chart"/ci/*-refused.yaml; do
	! "$helm" template test "$chart" --kube-version 1.30.0 --values "$values" >/dev/null 2>&1 || die "the schema of the values accepts $values"
	echo "ok: $values is refused"
done
deploy/kubernetes/generate.sh "$helm" | diff "$manifest" - || die "$manifest is not what the chart makes: make manifest"
check "$manifest" 1.30
check_config "$manifest"
echo "ok: $manifest is what the chart makes"
