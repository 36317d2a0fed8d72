{{- define "ipcwarden.selector" -}}
app.kubernetes.io/name: ipcwarden
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "ipcwarden.labels" -}}
{{ include "ipcwarden.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end }}

{{- /* The configuration; it names the directory of own signatures only if there are any, as an empty one is an error. */ -}}
{{- define "ipcwarden.config" -}}
{{- $config := deepCopy .Values.config }}
{{- if .Values.signatures }}
{{- $config = mergeOverwrite (dict "signatures" (dict "paths" (list "/etc/ipcwarden/signatures"))) $config }}
{{- end }}
{{- toYaml $config }}
{{- end }}
