{{/*
The size of a store: the entry of .Values.plans that .Values.plan names. What always holds: sizes come from there alone, so that two
stores of one plan have the same limits, and a plan's quota fits its own pods (tests/policies/run counts them on an apiserver).
*/}}
{{- define "store-common.plan" -}}
{{- $plan := get .Values.plans .Values.plan -}}
{{- if not $plan }}
{{- fail (printf "plan %q is not one of `plans`: %s" .Values.plan (keys .Values.plans | sortAlpha | join ", ")) }}
{{- end }}
{{- toYaml $plan }}
{{- end }}
