{{/*
Secrets that live in a vault and are fetched by the External Secrets operator. What always holds: values name them, and never hold them.
*/}}
{{- define "store-common.externalSecrets" -}}
{{- $external := .Values.externalSecrets -}}
{{- range $external.secrets }}
---
apiVersion: external-secrets.io/v1
kind: ExternalSecret
metadata:
  name: {{ .name | quote }}
  labels: {{- include "store-common.labels" (dict "root" $ "component" "store") | nindent 4 }}
spec:
  refreshInterval: {{ $external.refreshInterval | quote }}
  secretStoreRef: {{- toYaml $external.store | nindent 4 }}
  target:
    name: {{ .name | quote }}
    creationPolicy: Owner
    template: {type: {{ .type | default "Opaque" | quote }}}
  data:
    {{- range .data }}
    - secretKey: {{ .key | quote }}
      remoteRef:
        key: {{ .remoteKey | replace "{store}" $.Values.store.id | quote }}
        {{- with .property }}
        property: {{ . | quote }}
        {{- end }}
    {{- end }}
{{- end }}
{{- end }}
