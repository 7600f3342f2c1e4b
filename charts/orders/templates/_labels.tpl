{{/* The labels of one object. Takes a dict (root, component). */}}
{{- define "orders.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
{{ include "orders.selectorLabels" . }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/part-of: orders
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
{{- with include "orders.labelsOfValues" (merge (dict) .root.Values.extraLabels .root.Values.commonLabels) }}
{{ . }}
{{- end }}
{{- end }}

{{/* The labels of one pod. Takes a dict (root, component, labels), with the values' labels for this pod. */}}
{{- define "orders.podLabels" -}}
{{ include "orders.selectorLabels" . }}
app.kubernetes.io/part-of: orders
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
{{- with include "orders.labelsOfValues" (merge (dict) (default (dict) .labels) .root.Values.extraLabels) }}
{{ . }}
{{- end }}
{{- end }}

{{/* Labels from the values, without those that the chart itself sets. */}}
{{- define "orders.labelsOfValues" -}}
{{- with omit . "helm.sh/chart" "app.kubernetes.io/name" "app.kubernetes.io/instance" "app.kubernetes.io/component" "app.kubernetes.io/version" "app.kubernetes.io/part-of" "app.kubernetes.io/managed-by" -}}
{{- toYaml . -}}
{{- end -}}
{{- end }}

{{/*
The selector of pods. The operator's name differs from that of the services it runs, so that no
selector for the services ever matches the operator.
*/}}
{{- define "orders.selectorLabels" -}}
app.kubernetes.io/name: {{ if eq .component "operator" }}orders-operator{{ else }}orders{{ end }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .component }}
{{- end }}

{{- define "orders.operator.labels" -}}
{{- include "orders.labels" (dict "root" . "component" "operator") -}}
{{- end }}

{{- define "orders.operator.selectorLabels" -}}
{{- include "orders.selectorLabels" (dict "root" . "component" "operator") -}}
{{- end }}
