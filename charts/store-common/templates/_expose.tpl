{{/*
How the outside reaches the store: an Ingress, or an HTTPRoute on a Gateway that the stores share. What always holds: one host, the
store's own; with TLS the store's URLs are https.
*/}}
{{- define "store-common.expose" -}}
{{- include "store-common.checkUrl" . -}}
{{- if .Values.gateway.enabled }}
{{- include "store-common.route" . }}
{{- else }}
{{- include "store-common.ingress" . }}
{{- end }}
{{- end }}

{{- define "store-common.tls" -}}
{{- ternary .Values.gateway.tls .Values.ingress.tls.enabled .Values.gateway.enabled -}}
{{- end }}

{{/* Whether cert-manager asks for a certificate of this one host: "true" or "false". */}}
{{- define "store-common.certificateByHost" -}}
{{- $tls := .Values.ingress.tls -}}
{{- and (not .Values.gateway.enabled) $tls.enabled (eq $tls.certificate "host") (ne $tls.clusterIssuer "") -}}
{{- end }}

{{/* A store behind TLS that builds http links would send its customers' passwords in the clear, or into a loop of redirects. */}}
{{- define "store-common.checkUrl" -}}
{{- if and (eq (include "store-common.tls" .) "true") (hasPrefix "http:" .Values.store.publicUrl) }}
{{- fail (printf "TLS is on, so store.publicUrl must begin with https:// and is %q (control plane: STORE_SCHEME=https)" .Values.store.publicUrl) }}
{{- end }}
{{- end }}

{{- define "store-common.ingress" -}}
{{- $tls := .Values.ingress.tls -}}
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: web
  labels: {{- include "store-common.labels" (dict "root" $ "component" "web") | nindent 4 }}
  {{- $annotations := dict }}
  {{- range $key, $text := .Values.ingress.annotations }}
  {{- if $text }}{{- $_ := set $annotations $key $text }}{{- end }}
  {{- end }}
  {{- if eq (include "store-common.certificateByHost" .) "true" }}
  {{- $_ := set $annotations "cert-manager.io/cluster-issuer" $tls.clusterIssuer }}
  {{- end }}
  {{- with $annotations }}
  annotations: {{- toYaml . | nindent 4 }}
  {{- end }}
spec:
  ingressClassName: {{ .Values.cluster.ingressClassName | quote }}
  {{- if $tls.enabled }}
  tls:
    - hosts: [{{ .Values.store.host | quote }}]
      {{- /* Without a name the controller's own certificate is used: the wildcard's. */}}
      {{- if eq $tls.certificate "host" }}
      secretName: {{ $tls.secretName | quote }}
      {{- end }}
  {{- end }}
  rules:
    - host: {{ .Values.store.host | quote }}
      http:
        paths:
          - path: /
            pathType: Prefix
            backend: {service: {name: web, port: {name: http}}}
{{- end }}

{{- define "store-common.route" -}}
{{- $gateway := .Values.gateway -}}
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata:
  name: web
  labels: {{- include "store-common.labels" (dict "root" $ "component" "web") | nindent 4 }}
spec:
  parentRefs:
    - name: {{ $gateway.name | quote }}
      namespace: {{ $gateway.namespace | quote }}
      {{- with $gateway.sectionName }}
      sectionName: {{ . | quote }}
      {{- end }}
  hostnames: [{{ .Values.store.host | quote }}]
  rules:
    - matches: [{path: {type: PathPrefix, value: /}}]
      backendRefs: [{name: web, port: 80}]
{{- end }}
