{{/*
Every object of a store. An engine's chart is `include "store-common.all" .` and its own "store.engine".
*/}}
{{- define "store-common.all" -}}
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
{{- if not .Values.database.managed }}
---
{{ include "store-common.db" . }}
{{- end }}
---
{{ include "store-common.setup" . }}
---
{{ include "store-common.web" . }}
{{- if .Values.podDisruptionBudget.enabled }}
{{- include "store-common.disruption" . }}
{{- end }}
---
{{ include "store-common.expose" . }}
{{- end }}
