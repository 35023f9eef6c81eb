{{/*
Every object of a store. An engine's chart is `include "store-common.all" .` and its own "store.engine".
*/}}
{{- define "store-common.all" -}}
{{- $engine := include "store.engine" . | fromYaml }}
{{- if ne .Release.Name .Values.store.id }}
{{- fail (printf "the release must be named like the store: release %q, store.id %q" .Release.Name .Values.store.id) }}
{{- end }}
{{- if ne .Release.Namespace .Values.store.id }}
{{- fail (printf "the namespace must be named like the store: namespace %q, store.id %q" .Release.Namespace .Values.store.id) }}
{{- end }}
{{ include "store-common.guards" . }}
{{- if .Values.rbac.create }}
---
{{ include "store-common.rbac" . }}
{{- end }}
{{- if .Values.networkPolicy.enabled }}
---
{{ include "store-common.networkPolicies" . }}
{{- end }}
{{- include "store-common.externalSecrets" . }}
{{- if and $engine.db (not .Values.database.managed) }}
---
{{ include "store-common.db" . }}
{{- end }}
{{- if $engine.setup }}
---
{{ include "store-common.setup" . }}
{{- end }}
---
{{ include "store-common.web" . }}
{{- if .Values.podDisruptionBudget.enabled }}
{{- include "store-common.disruption" . }}
{{- end }}
---
{{ include "store-common.expose" . }}
{{- end }}
