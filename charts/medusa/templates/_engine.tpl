{{/*
What is special about Medusa; store-common makes the objects from it (see its README for the fields).
*/}}
{{- define "store.engine" -}}
name: medusa
network:
  db: [web, worker, setup]
  public: [web, worker]
  redis: [web, worker]
web:
  port: 9000
  uid: 10001
  uploads: /srv/uploads
  ready: /ready
  live: /health
  wait: [store-medusa, wait]
  env:
    {{- include "medusa.served" (dict "root" $ "mode" (ternary "server" "shared" .Values.medusa.worker)) | nindent 4 }}
  secrets: [database-password, app-secret, session-secret]
setup:
  command: [store-medusa, setup]
  env:
    {{- include "medusa.env" . | nindent 4 }}
    # `$(` would be an expansion to the kubelet.
    - {name: STORE_NAME, value: {{ .Values.store.name | replace "$(" "$$(" | quote }}}
  secrets: [database-password, app-secret, session-secret, admin-email, admin-password]
db:
  port: 5432
  uid: 999
  data: /var/lib/postgresql
  probe: [pg_isready, --quiet, --host=127.0.0.1, --port=5432]
  env:
    - {name: DB_NAME, value: medusa}
    - {name: DB_USER, value: medusa}
    - {name: DB_PASSWORD_FILE, value: /run/store-secrets/database-password}
    - {name: DB_ROOT_PASSWORD_FILE, value: /run/store-secrets/database-root-password}
  secrets: [database-password, database-root-password]
{{- end }}

{{/* Of a process that serves or works; takes (dict "root" $ "mode" "shared"). The set-up needs no Redis, its events are its own. */}}
{{- define "medusa.served" -}}
{{ include "medusa.env" .root }}
- {name: WORKER_MODE, value: {{ .mode }}}
{{- if .root.Values.redis.enabled }}
- {name: REDIS_URL_FILE, value: /run/store-secrets/redis-url}
{{- end }}
{{- end }}

{{- define "medusa.env" -}}
{{- if .Values.database.managed -}}
- {name: DATABASE_URL_FILE, value: /run/store-secrets/database-url}
{{- else -}}
- {name: DB_HOST, value: db}
- {name: DB_NAME, value: medusa}
- {name: DB_USER, value: medusa}
{{- end }}
- {name: PUBLIC_URL, value: {{ .Values.store.publicUrl | quote }}}
# The heap must leave room for what node needs beside it, or the kernel ends the process before node collects garbage.
- {name: NODE_OPTIONS, value: {{ printf "--max-old-space-size=%d" (int (include "store-common.plan" . | fromYaml).web.heapMegabytes) | quote }}}
{{- end }}
