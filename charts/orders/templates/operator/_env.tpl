{{/* The operator's environment; the OTEL_* names are those of the OpenTelemetry specification. */}}
{{- define "orders.operator.env" -}}
- name: POD_NAME
  valueFrom:
    fieldRef:
      fieldPath: metadata.name
- name: POD_NAMESPACE
  valueFrom:
    fieldRef:
      fieldPath: metadata.namespace
- name: WATCH_NAMESPACES
  value: {{ join "," .Values.operator.watchNamespaces | quote }}
- name: LEASE_NAME
  value: {{ include "orders.operator.name" . }}
- name: METRICS_PORT
  value: "2121"
- name: RESYNC_INTERVAL
  value: {{ .Values.operator.resyncInterval | quote }}
- name: LOG_LEVEL
  value: {{ .Values.operator.logLevel }}
{{- with .Values.operator.tracing }}
{{- if .endpoint }}
- name: OTEL_SERVICE_NAME
  value: orders-operator
{{- if eq .protocol "zipkin" }}
- name: OTEL_TRACES_EXPORTER
  value: zipkin
- name: OTEL_EXPORTER_ZIPKIN_ENDPOINT
  value: {{ .endpoint | quote }}
{{- else }}
- name: OTEL_TRACES_EXPORTER
  value: otlp
- name: OTEL_EXPORTER_OTLP_PROTOCOL
  value: {{ .protocol }}
- name: OTEL_EXPORTER_OTLP_ENDPOINT
  value: {{ .endpoint | quote }}
{{- end }}
{{- with .sampler }}
- name: OTEL_TRACES_SAMPLER
  value: {{ . }}
{{- end }}
{{- if not (kindIs "invalid" .ratio) }}
- name: OTEL_TRACES_SAMPLER_ARG
  value: {{ regexReplaceAll "\\.?0+$" (printf "%.9f" (float64 .ratio)) "" | quote }}
{{- end }}
{{- if .headersSecretRef }}
- name: OTEL_EXPORTER_OTLP_HEADERS_FILE
  value: /etc/orders/tracing/headers
{{- end }}
{{- if .resourceAttributes }}
{{- $pairs := list }}
{{- range $name, $value := .resourceAttributes }}
{{- $pairs = append $pairs (printf "%s=%s" $name (urlquery $value | replace "+" "%20")) }}
{{- end }}
- name: OTEL_RESOURCE_ATTRIBUTES
  value: {{ join "," $pairs | quote }}
{{- end }}
{{- end }}
{{- end }}
{{- with .Values.operator.extraEnv }}
{{ toYaml . }}
{{- end }}
{{- end }}
