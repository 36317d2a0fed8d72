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
