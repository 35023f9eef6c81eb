{{/*
What keeps a store from hurting its neighbours: quota, limits, and an account that may nothing.
*/}}
{{- define "store-common.guards" -}}
{{- $plan := include "store-common.plan" . | fromYaml -}}
{{- $labels := include "store-common.labels" (dict "root" $ "component" "store") -}}
apiVersion: v1
kind: ResourceQuota
metadata:
  name: store
  labels: {{- $labels | nindent 4 }}
spec:
  hard:
    {{- range $resource, $amount := merge (dict "services.nodeports" "0" "services.loadbalancers" "0") $plan.quota .Values.quota }}
    {{ $resource | quote }}: {{ $amount | quote }}
    {{- end }}
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
      max: {{- toYaml (merge (dict) (omit $plan.max "volume") .Values.limits.max) | nindent 8 }}
      min: {{- toYaml .Values.limits.min | nindent 8 }}
    - type: PersistentVolumeClaim
      min: {storage: {{ .Values.limits.volume.min | quote }}}
      max: {storage: {{ $plan.max.volume | quote }}}
{{- end }}
