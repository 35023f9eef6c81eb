{{/*
The store's own account, when `rbac.create` is on: it may nothing but what the engine's `rbac.rules` name, in its own namespace, and no
pod is given its token. Without it pods have the namespace's default account, whose token they are not given either.
*/}}
{{- define "store-common.rbac" -}}
{{- $engine := include "store.engine" . | fromYaml -}}
{{- $labels := include "store-common.labels" (dict "root" $ "component" "store") -}}
apiVersion: v1
kind: ServiceAccount
metadata:
  name: store
  labels: {{- $labels | nindent 4 }}
automountServiceAccountToken: false
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata:
  name: store
  labels: {{- $labels | nindent 4 }}
rules: {{- toYaml (dig "rbac" "rules" list $engine) | nindent 2 }}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata:
  name: store
  labels: {{- $labels | nindent 4 }}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: store}
subjects:
  - {kind: ServiceAccount, name: store, namespace: {{ .Release.Namespace | quote }}}
{{- end }}
