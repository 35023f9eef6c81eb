{{/*
Who may talk to whom. What always holds when policies are on: nothing, both ways, but DNS, the ingress controller to web, web and setup
to db, and (if publicEgress) web to public addresses on 443. The kubelet's probes come from the node and are let through by every CNI.
*/}}
{{- define "store-common.networkPolicies" -}}
{{- if .Values.networkPolicy.enabled -}}
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
    - to:
        - namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: kube-system}}
      ports:
        - {protocol: UDP, port: 53}
        - {protocol: TCP, port: 53}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: ingress-to-web
  labels: {{- $labels | nindent 4 }}
spec:
  podSelector: {matchLabels: {app.kubernetes.io/component: web}}
  policyTypes: [Ingress]
  ingress:
    - from:
        - namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: {{ .Values.cluster.ingressNamespace | quote }}}}
      ports:
        - {protocol: TCP, port: {{ $engine.web.port }}}
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
        - podSelector:
            matchExpressions:
              - {key: app.kubernetes.io/component, operator: In, values: [web, setup]}
      ports:
        - {protocol: TCP, port: {{ $engine.db.port }}}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: store-to-db
  labels: {{- $labels | nindent 4 }}
spec:
  podSelector:
    matchExpressions:
      - {key: app.kubernetes.io/component, operator: In, values: [web, setup]}
  policyTypes: [Egress]
  egress:
    - to:
        - podSelector: {matchLabels: {app.kubernetes.io/component: db}}
      ports:
        - {protocol: TCP, port: {{ $engine.db.port }}}
{{- if .Values.networkPolicy.publicEgress }}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: web-to-public
  labels: {{- $labels | nindent 4 }}
spec:
  podSelector: {matchLabels: {app.kubernetes.io/component: web}}
  policyTypes: [Egress]
  egress:
    - to:
        - ipBlock:
            cidr: 0.0.0.0/0
            except: {{- toYaml .Values.networkPolicy.privateRanges | nindent 14 }}
      ports:
        - {protocol: TCP, port: 443}
{{- end }}
{{- end }}
{{- end }}
