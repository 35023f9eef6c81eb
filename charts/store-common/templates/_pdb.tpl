{{/*
How many pods a drain of nodes may take at once: one PodDisruptionBudget for `web`, one for a database of the store's own.
*/}}
{{- define "store-common.disruption" -}}
{{- $engine := include "store.engine" . | fromYaml }}
{{- range $component := ternary (list "web") (list "web" "db") (or $.Values.database.managed (not $engine.db)) }}
{{- $scope := dict "root" $ "component" $component }}
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata:
  name: {{ $component }}
  labels: {{- include "store-common.labels" $scope | nindent 4 }}
spec:
  maxUnavailable: {{ $.Values.podDisruptionBudget.maxUnavailable }}
  selector:
    matchLabels: {{- include "store-common.selector" $scope | nindent 6 }}
{{- end }}
{{- end }}
