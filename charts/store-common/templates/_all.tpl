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
---
{{ include "store-common.networkPolicies" . }}
---
{{ include "store-common.db" . }}
---
{{ include "store-common.setup" . }}
---
{{ include "store-common.web" . }}
---
{{ include "store-common.ingress" . }}
{{- end }}
