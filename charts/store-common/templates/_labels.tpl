{{/*
Labels. `selector` is what never changes in an object's life (selectors and volume claim templates are immutable); `labels` is that and
what names the release. Both take (dict "root" $ "component" "web").
*/}}
{{- define "store-common.selector" -}}
app.kubernetes.io/name: {{ .root.Chart.Name | quote }}
app.kubernetes.io/instance: {{ .root.Values.store.id | quote }}
app.kubernetes.io/component: {{ .component | quote }}
{{- end }}

{{- define "store-common.identity" -}}
{{ include "store-common.selector" . }}
app.kubernetes.io/part-of: shopwright
app.kubernetes.io/managed-by: {{ .root.Release.Service | quote }}
shopwright.dev/store-id: {{ .root.Values.store.id | quote }}
shopwright.dev/engine: {{ (include "store.engine" .root | fromYaml).name | quote }}
{{- end }}

{{- define "store-common.labels" -}}
{{ include "store-common.identity" . }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
{{- end }}
