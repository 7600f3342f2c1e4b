{{/*
The spec of the OrderService. An empty value is left out, so that the resource's default applies;
`orderService.spec` replaces whole fields. With `auth`, the pod of `helm test` may call as well.
*/}}
{{- define "orders.service.spec" -}}
{{- $spec := dict -}}
{{- $_ := set $spec "image" (include "orders.service.image" .) -}}
{{- $_ := set $spec "database" (include "orders.service.database" . | fromYaml) -}}
{{- if not (kindIs "invalid" .Values.replicas) -}}
{{- $_ := set $spec "replicas" (int .Values.replicas) -}}
{{- end -}}
{{- range $field := list "autoscaling" "migrations" "resources" "monitoring" "tracing" "cors" "tls" "auth" "logLevel" "disruptionBudget" "networkPolicy" "topologySpread" "expose" "rollout" "shutdown" "podTemplate" "inheritedMetadata" "paused" -}}
{{- with index $.Values $field -}}
{{- $_ := set $spec $field . -}}
{{- end -}}
{{- end -}}
{{- with .Values.imagePullSecrets -}}
{{- $_ := set $spec "podTemplate" (merge (dict) (default (dict) $spec.podTemplate) (dict "imagePullSecrets" .)) -}}
{{- end -}}
{{- with .Values.extraLabels -}}
{{- $declared := default (dict) $spec.inheritedMetadata -}}
{{- $labels := merge (dict) (default (dict) $declared.labels) . -}}
{{- $_ := set $spec "inheritedMetadata" (merge (dict "labels" $labels) $declared) -}}
{{- end -}}
{{- range $field, $value := .Values.orderService.spec -}}
{{- $_ := set $spec $field $value -}}
{{- end -}}
{{- if and $spec.auth .Values.test.enabled -}}
{{- $test := dict "namespace" .Release.Namespace "name" (include "orders.test.name" .) "scopes" (list "orders:read" "orders:write") -}}
{{- $auth := merge (dict "serviceAccounts" (append (default (list) $spec.auth.serviceAccounts) $test)) $spec.auth -}}
{{- $_ := set $spec "auth" $auth -}}
{{- end -}}
{{- $operator := .Values.operator -}}
{{- if and $operator.enabled $operator.rbac.create (not $operator.rbac.embeddedDatabases) (hasKey $spec.database "embedded") -}}
{{- fail "operator.rbac.embeddedDatabases is false: name a database by database.secretRef.name or database.cluster" -}}
{{- end -}}
{{- if and $operator.enabled $operator.rbac.create (not $operator.rbac.embeddedDatabases) (not $operator.rbac.metricsKeys) (dig "auth" false (default (dict) $spec.monitoring)) -}}
{{- fail "operator.rbac.embeddedDatabases and operator.rbac.metricsKeys are false: with one of them the operator can make the key of monitoring.auth" -}}
{{- end -}}
{{- toYaml $spec -}}
{{- end }}

{{/* Exactly one kind of database: the Secret, the cluster, or otherwise the embedded one. */}}
{{- define "orders.service.database" -}}
{{- $database := .Values.database -}}
{{- if and $database.secretRef $database.cluster -}}
{{- fail "database.secretRef and database.cluster are mutually exclusive" -}}
{{- end -}}
{{- if $database.secretRef -}}
secretRef:
  {{- toYaml $database.secretRef | nindent 2 }}
{{- else if $database.cluster -}}
cluster: {{ $database.cluster }}
{{- else -}}
embedded:
  {{- toYaml (default (dict) $database.embedded) | nindent 2 }}
{{- end -}}
{{- end }}
