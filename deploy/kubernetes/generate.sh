#!/usr/bin/env bash
# Prints the manifest for those without Helm: what the chart makes of its own values.
# usage: generate.sh HELM
set -euo pipefail
cd "$(dirname "$0")/../.."
cat <<'END'
# ipcwarden on every node, without Helm: kubectl apply -f deploy/kubernetes/ipcwarden.yaml
# Written by make manifest, from the chart in deploy/helm/ipcwarden and its own values.
#
# Signatures of your own go to data of the ConfigMap ipcwarden-signatures, and then
# signatures: {paths: [/etc/ipcwarden/signatures]} to config.yaml in ipcwarden-config. A
# change of the configuration takes kubectl -n ipcwarden rollout restart daemonset/ipcwarden,
# one of the signatures does not.
apiVersion: v1
kind: Namespace
metadata:
  name: ipcwarden
  labels:
    # hostPID, and capabilities that the other standards do not have.
    pod-security.kubernetes.io/enforce: privileged
END
"$1" template ipcwarden deploy/helm/ipcwarden --namespace ipcwarden --kube-version 1.30.0 |
	sed -E '/^# Source: |^ *(app\.kubernetes\.io\/managed-by|helm\.sh\/chart|checksum\/config): |takes a restart; one of/d; /^ *annotations:$/d'
