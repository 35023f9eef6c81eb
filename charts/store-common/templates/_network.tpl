{{/*
Who may talk to whom. What always holds when policies are on: nothing, both ways, but
  every pod -> the cluster's DNS          53
  ingress controller -> web               the engine's port (and -> cert-manager's solver 8089 where certificates are asked for by HTTP)
  the engine's db clients -> db           the database's port, or a managed database at the given addresses
  the engine's redis clients -> redis    the given addresses, where there is one
  the engine's public callers -> public   443, if publicEgress; private, link-local and metadata addresses are not public
The kubelet's probes come from the node and are let through by every CNI. tests/policies/flows.tsv is the table of verdicts.
*/}}
{{- define "store-common.networkPolicies" -}}
{{- $policy := .Values.networkPolicy -}}
{{- $labels := include "store-common.labels" (dict "root" $ "component" "store") -}}
{{- $engine := include "store.engine" . | fromYaml -}}
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: deny-all
  labels: {{- $labels | nindent 4 }}
spec:
  podSelector: {}
  policyTypes: [Ingress, Egress]
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: dns
  labels: {{- $labels | nindent 4 }}
spec:
  podSelector: {}
  policyTypes: [Egress]
  egress:
    - to: {{- include "store-common.peers" (dict "namespace" $policy.dns.namespace "podLabels" $policy.dns.podLabels "addresses" $policy.dns.addresses) | nindent 8 }}
      ports:
        - {protocol: UDP, port: 53}
        - {protocol: TCP, port: 53}
---
{{- $controller := include "store-common.peers" (dict "namespace" .Values.cluster.ingressNamespace "podLabels" $policy.ingressController.podLabels "addresses" $policy.ingressController.addresses) }}
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: ingress-to-web
  labels: {{- $labels | nindent 4 }}
spec:
  podSelector: {matchLabels: {app.kubernetes.io/component: web}}
  policyTypes: [Ingress]
  ingress:
    - from: {{- $controller | nindent 8 }}
      ports:
        - {protocol: TCP, port: {{ $engine.web.port }}}
{{- if eq (include "store-common.certificateByHost" .) "true" }}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: ingress-to-acme-solver
  labels: {{- $labels | nindent 4 }}
spec:
  podSelector: {matchLabels: {acme.cert-manager.io/http01-solver: "true"}}
  policyTypes: [Ingress]
  ingress:
    - from: {{- $controller | nindent 8 }}
      ports:
        - {protocol: TCP, port: 8089}
{{- end }}
{{- if $engine.db }}
{{- $clients := printf "{matchExpressions: [{key: app.kubernetes.io/component, operator: In, values: %s}]}" (toJson $engine.network.db) }}
{{- if not .Values.database.managed }}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: db-from-store
  labels: {{- $labels | nindent 4 }}
spec:
  podSelector: {matchLabels: {app.kubernetes.io/component: db}}
  policyTypes: [Ingress]
  ingress:
    - from:
        - podSelector: {{ $clients }}
      ports:
        - {protocol: TCP, port: {{ $engine.db.port }}}
{{- end }}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: store-to-db
  labels: {{- $labels | nindent 4 }}
spec:
  podSelector: {{ $clients }}
  policyTypes: [Egress]
  egress:
    {{- if .Values.database.managed }}
    - to:
        {{- range .Values.database.addresses }}
        - ipBlock: {cidr: {{ . | quote }}}
        {{- end }}
      ports:
        - {protocol: TCP, port: {{ .Values.database.port | default $engine.db.port }}}
    {{- else }}
    - to:
        - podSelector: {matchLabels: {app.kubernetes.io/component: db}}
      ports:
        - {protocol: TCP, port: {{ $engine.db.port }}}
    {{- end }}
{{- end }}
{{- if (.Values.redis).enabled }}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: store-to-redis
  labels: {{- $labels | nindent 4 }}
spec:
  podSelector:
    matchExpressions:
      - {key: app.kubernetes.io/component, operator: In, values: {{ toJson $engine.network.redis }}}
  policyTypes: [Egress]
  egress:
    - to:
        {{- range .Values.redis.addresses }}
        - ipBlock: {cidr: {{ . | quote }}}
        {{- end }}
      ports:
        - {protocol: TCP, port: {{ .Values.redis.port }}}
{{- end }}
{{- if and $policy.publicEgress $engine.network.public }}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: store-to-public
  labels: {{- $labels | nindent 4 }}
spec:
  podSelector:
    matchExpressions:
      - {key: app.kubernetes.io/component, operator: In, values: {{ toJson $engine.network.public }}}
  policyTypes: [Egress]
  egress:
    - to: {{- include "store-common.publicPeers" . | nindent 8 }}
      ports:
        - {protocol: TCP, port: 443}
{{- end }}
{{- end }}

{{/* Pods with these labels (none: all) of a namespace, and addresses; takes (dict "namespace" "x" "podLabels" (dict) "addresses" (list)). */}}
{{- define "store-common.peers" -}}
- namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: {{ .namespace | quote }}}}
  {{- with .podLabels }}
  podSelector: {matchLabels: {{ toJson . }}}
  {{- end }}
{{- range .addresses }}
- ipBlock: {cidr: {{ . | quote }}}
{{- end }}
{{- end }}

{{- define "store-common.publicPeers" -}}
- ipBlock:
    cidr: 0.0.0.0/0
    except: {{- toYaml .Values.networkPolicy.privateRanges | nindent 6 }}
{{- end }}
