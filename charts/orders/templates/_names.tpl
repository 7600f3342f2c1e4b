{{/* The name with which every object of the release begins; short enough for any suffix. */}}
{{- define "orders.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 45 | trimSuffix "-" -}}
{{- else -}}
{{- $name := default .Chart.Name .Values.nameOverride -}}
{{- if contains $name .Release.Name -}}
{{- .Release.Name | trunc 45 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name $name | trunc 45 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}
{{- end }}

{{- define "orders.operator.name" -}}
{{- printf "%s-operator" (include "orders.fullname" .) -}}
{{- end }}

{{- define "orders.crds.name" -}}
{{- printf "%s-crds" (include "orders.fullname" .) -}}
{{- end }}

{{- define "orders.service.name" -}}
{{- default (include "orders.fullname" .) .Values.orderService.name -}}
{{- end }}

{{- define "orders.test.name" -}}
{{- printf "%s-test" (include "orders.fullname" .) -}}
{{- end }}

{{/* The URL at which the test calls the API. Takes a dict (root, spec). */}}
{{- define "orders.test.url" -}}
{{- $scheme := hasKey .spec "tls" | ternary "https" "http" -}}
{{- default (printf "%s://%s.%s.svc" $scheme (include "orders.service.name" .root) .root.Release.Namespace) .root.Values.test.url -}}
{{- end }}

{{/* The claim of an embedded database, or its selector: for a long name, the claim's name contains a hash. */}}
{{- define "orders.service.claim" -}}
{{- $name := include "orders.service.name" . -}}
{{- if le (len $name) 41 -}}
data-{{ $name }}-postgresql-0
{{- else -}}
--selector=app.kubernetes.io/instance={{ $name }},app.kubernetes.io/component=database
{{- end -}}
{{- end }}

{{- define "orders.operator.serviceAccountName" -}}
{{- if .Values.operator.serviceAccount.create -}}
{{- default (include "orders.operator.name" .) .Values.operator.serviceAccount.name -}}
{{- else -}}
{{- required "operator.serviceAccount.name is needed when operator.serviceAccount.create is false" .Values.operator.serviceAccount.name -}}
{{- end -}}
{{- end }}

{{/* A reference to an image. Takes a dict (image, tag); the tag applies if the image has neither tag nor digest. */}}
{{- define "orders.imageReference" -}}
{{- if .image.digest -}}
{{- printf "%s@%s" .image.repository .image.digest -}}
{{- else -}}
{{- printf "%s:%s" .image.repository (default .tag .image.tag) -}}
{{- end -}}
{{- end }}

{{- define "orders.service.image" -}}
{{- include "orders.imageReference" (dict "image" .Values.image "tag" .Chart.AppVersion) -}}
{{- end }}

{{- define "orders.operator.image" -}}
{{- include "orders.imageReference" (dict "image" .Values.operator.image "tag" .Chart.AppVersion) -}}
{{- end }}
