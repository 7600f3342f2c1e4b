{{/* The rights to hold a Lease of this name. */}}
{{- define "orders.operator.leaseRules" -}}
- apiGroups: [coordination.k8s.io]
  resources: [leases]
  verbs: [create]
- apiGroups: [coordination.k8s.io]
  resources: [leases]
  resourceNames: [{{ . }}]
  verbs: [get, update]
{{- end }}

{{/*
What the operator may do where there are OrderServices: in the whole cluster, or in each watched
namespace. It does not update children: it only applies (patch) and deletes them.
*/}}
{{- define "orders.operator.rules" -}}
- apiGroups: [orders.dev]
  resources: [orderservices]
  verbs: [get, list, watch]
- apiGroups: [orders.dev]
  resources: [orderservices/status]
  verbs: [patch]
{{- if .Values.operator.rbac.embeddedDatabases }}
- apiGroups: [""]
  resources: [serviceaccounts, configmaps, secrets, services]
  verbs: [get, list, watch, create, patch, delete]
- apiGroups: [apps]
  resources: [controllerrevisions, deployments, statefulsets]
  verbs: [get, list, watch, create, patch, delete]
{{- else }}
- apiGroups: [""]
  resources: [serviceaccounts, configmaps, services]
  verbs: [get, list, watch, create, patch, delete]
# The database's URL and the collector's headers; only an embedded database, and metrics with a
# credential, need the operator to create a Secret.
- apiGroups: [""]
  resources: [secrets]
  verbs: [get, list, watch{{ if .Values.operator.rbac.metricsKeys }}, create, patch, delete{{ end }}]
- apiGroups: [apps]
  resources: [controllerrevisions, deployments]
  verbs: [get, list, watch, create, patch, delete]
- apiGroups: [apps]
  resources: [statefulsets]
  verbs: [get, list, watch]
{{- end }}
- apiGroups: [autoscaling]
  resources: [horizontalpodautoscalers]
  verbs: [get, list, watch, create, patch, delete]
- apiGroups: [policy]
  resources: [poddisruptionbudgets]
  verbs: [get, list, watch, create, patch, delete]
- apiGroups: [networking.k8s.io]
  resources: [networkpolicies, ingresses]
  verbs: [get, list, watch, create, patch, delete]
- apiGroups: [gateway.networking.k8s.io]
  resources: [httproutes]
  verbs: [get, list, watch, create, patch, delete]
- apiGroups: [monitoring.coreos.com]
  resources: [servicemonitors]
  verbs: [get, list, watch, create, patch, delete]
# Pods say why they do not start, for the condition Degraded.
- apiGroups: [""]
  resources: [pods]
  verbs: [list, watch]
{{- if .Values.operator.rbac.embeddedDatabases }}
# A claim says whether it outlives a pod that the operator wants to replace.
- apiGroups: [""]
  resources: [persistentvolumeclaims]
  verbs: [get]
# A StatefulSet says only in Events why its pod is refused.
- apiGroups: [events.k8s.io]
  resources: [events]
  verbs: [create, list]
{{- else }}
- apiGroups: [events.k8s.io]
  resources: [events]
  verbs: [create]
{{- end }}
{{- end }}
