{{/*
What is special about a troubled store: nothing but its values. A part that they do not name is not there.
*/}}
{{- define "store.engine" -}}
name: {{ .Chart.Name }}
network: {db: [web, setup], public: []}
web:
  port: 8080
  uid: 10002
  ready: /
  command: {{ toJson .Values.web }}
  {{- if .Values.uploads }}
  uploads: /srv/uploads
  {{- end }}
{{- with .Values.setupCommand }}
setup:
  command: {{ toJson . }}
  env: []
  secrets: [app-secret]
{{- end }}
{{- with .Values.db }}
db:
  port: 5432
  uid: 999
  data: /srv/data
  probe: ["true"]
  args: {{ toJson . }}
  env: []
  secrets: [app-secret]
{{- end }}
{{- end }}
