{{/*
A hook that changes the CRD: Helm creates what is in crds/ once, and never changes or deletes it.
Takes a dict (root, name, hook, argument, verbs). The role is for this one CRD; an apply that creates is
authorized by name as well, because the name is in its URL.

A sidecar would keep its pod, and so the whole release, from ending, so labels and annotations tell the
usual meshes to inject none. If the namespace allows no egress, the hook's NetworkPolicy lets the pod
connect to the API server.
*/}}
{{- define "orders.crds.hook" -}}
{{- $labels := include "orders.labels" (dict "root" .root "component" "crds") }}
{{- $clusterName := printf "%s-%s" .root.Release.Namespace .name }}
---
apiVersion: v1
kind: ServiceAccount
metadata:
  name: {{ .name }}
  namespace: {{ .root.Release.Namespace }}
  labels:
    {{- $labels | nindent 4 }}
  annotations:
    helm.sh/hook: {{ .hook }}
    helm.sh/hook-weight: "-10"
    helm.sh/hook-delete-policy: before-hook-creation,hook-succeeded
automountServiceAccountToken: false
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata:
  name: {{ $clusterName }}
  labels:
    {{- $labels | nindent 4 }}
  annotations:
    helm.sh/hook: {{ .hook }}
    helm.sh/hook-weight: "-10"
    helm.sh/hook-delete-policy: before-hook-creation,hook-succeeded
rules:
  - apiGroups: [apiextensions.k8s.io]
    resources: [customresourcedefinitions]
    resourceNames: [orderservices.orders.dev]
    verbs: {{ toJson .verbs }}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata:
  name: {{ $clusterName }}
  labels:
    {{- $labels | nindent 4 }}
  annotations:
    helm.sh/hook: {{ .hook }}
    helm.sh/hook-weight: "-10"
    helm.sh/hook-delete-policy: before-hook-creation,hook-succeeded
roleRef:
  apiGroup: rbac.authorization.k8s.io
  kind: ClusterRole
  name: {{ $clusterName }}
subjects:
  - kind: ServiceAccount
    name: {{ .name }}
    namespace: {{ .root.Release.Namespace }}
{{- if .root.Values.operator.networkPolicy.enabled }}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: {{ .name }}
  namespace: {{ .root.Release.Namespace }}
  labels:
    {{- $labels | nindent 4 }}
  annotations:
    helm.sh/hook: {{ .hook }}
    helm.sh/hook-weight: "-10"
    helm.sh/hook-delete-policy: before-hook-creation,hook-succeeded
spec:
  podSelector:
    matchLabels:
      {{- include "orders.selectorLabels" (dict "root" .root "component" "crds") | nindent 6 }}
  policyTypes: [Ingress, Egress]
  egress:
    - ports:
        {{- range .root.Values.operator.networkPolicy.apiServerPorts }}
        - port: {{ . }}
          protocol: TCP
        {{- end }}
    - ports:
        - port: 53
          protocol: UDP
        - port: 53
          protocol: TCP
{{- end }}
---
apiVersion: batch/v1
kind: Job
metadata:
  name: {{ .name }}
  namespace: {{ .root.Release.Namespace }}
  labels:
    {{- $labels | nindent 4 }}
  annotations:
    helm.sh/hook: {{ .hook }}
    helm.sh/hook-weight: "0"
    helm.sh/hook-delete-policy: before-hook-creation,hook-succeeded
spec:
  backoffLimit: 3
  activeDeadlineSeconds: 120
  ttlSecondsAfterFinished: 600
  template:
    metadata:
      labels:
        {{- $mesh := merge (dict "sidecar.istio.io/inject" "false" "kuma.io/sidecar-injection" "disabled") .root.Values.crds.podLabels }}
        {{- include "orders.podLabels" (dict "root" .root "component" "crds" "labels" $mesh) | nindent 8 }}
      annotations:
        linkerd.io/inject: disabled
        consul.hashicorp.com/connect-inject: "false"
        # The pull policy: a tag is never pushed twice, so a node need not ask the registry again.
        {{- if not .root.Values.operator.networkPolicy.enabled }}
        # The NetworkPolicy: the values disable it.
        {{- end }}
        kube-score/ignore: container-image-pull-policy{{ if not .root.Values.operator.networkPolicy.enabled }},pod-networkpolicy{{ end }}
        {{- with omit .root.Values.crds.podAnnotations "kube-score/ignore" }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
    spec:
      restartPolicy: Never
      serviceAccountName: {{ .name }}
      automountServiceAccountToken: true
      enableServiceLinks: false
      {{- include "orders.imagePullSecrets" .root | nindent 6 }}
      {{- with .root.Values.operator.priorityClassName }}
      priorityClassName: {{ . }}
      {{- end }}
      {{- with .root.Values.operator.affinity }}
      affinity:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      {{- with .root.Values.operator.nodeSelector }}
      nodeSelector:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      {{- with .root.Values.operator.tolerations }}
      tolerations:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      securityContext:
        {{- include "orders.podSecurityContext" . | nindent 8 }}
      containers:
        - name: crd
          image: {{ include "orders.operator.image" .root }}
          imagePullPolicy: {{ .root.Values.operator.image.pullPolicy }}
          args: [crd, {{ .argument }}]
          resources:
            {{- toYaml .root.Values.crds.resources | nindent 12 }}
          securityContext:
            {{- include "orders.containerSecurityContext" . | nindent 12 }}
{{- end }}
