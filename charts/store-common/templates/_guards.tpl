{{/*
What keeps a store from hurting its neighbours: quota, limits, an account without a token.
*/}}
{{- define "store-common.guards" -}}
{{- $labels := include "store-common.labels" (dict "root" $ "component" "store") -}}
apiVersion: v1
kind: ServiceAccount
metadata:
  name: store
  labels: {{- $labels | nindent 4 }}
automountServiceAccountToken: false
---
apiVersion: v1
kind: ResourceQuota
metadata:
  name: store
  labels: {{- $labels | nindent 4 }}
spec:
  hard:
    {{- range $resource, $amount := .Values.quota }}
    {{ $resource | quote }}: {{ $amount | quote }}
    {{- end }}
    services.nodeports: "0"
    services.loadbalancers: "0"
---
apiVersion: v1
kind: LimitRange
metadata:
  name: store
  labels: {{- $labels | nindent 4 }}
spec:
  limits:
    - type: Container
      default: {{- toYaml .Values.limits.default | nindent 8 }}
      defaultRequest: {{- toYaml .Values.limits.defaultRequest | nindent 8 }}
      max: {{- toYaml .Values.limits.max | nindent 8 }}
      min: {{- toYaml .Values.limits.min | nindent 8 }}
    - type: PersistentVolumeClaim
      min: {storage: {{ .Values.limits.volume.min | quote }}}
      max: {storage: {{ .Values.limits.volume.max | quote }}}
{{- end }}
