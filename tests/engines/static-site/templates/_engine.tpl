{{/*
What is special about a static site: one process that serves files of its image, as nobody in particular.
*/}}
{{- define "store.engine" -}}
name: static-site
network: {db: [], public: []}
web:
  port: 8080
  uid: 10002
  ready: /
  command: {{ toJson .Values.command }}
{{- end }}
