{{/*
What is special about WooCommerce; store-common makes the objects from it (see its README for the fields).
*/}}
{{- define "store.engine" -}}
name: woocommerce
network:
  db: [web, setup, cron]
  public: [web, cron]
  # Whoever changes the database: past the cache it would leave what was.
  redis: [web, setup, cron]
web:
  port: 8080
  uid: 33
  uploads: /srv/wp/wp-content/uploads
  ready: /wp-json/store/v1/ready
  wait: [store-wait]
  env:
    {{- include "woocommerce.env" . | nindent 4 }}
  secrets: [database-password, app-secret]
setup:
  command: [store-setup]
  env:
    {{- include "woocommerce.env" . | nindent 4 }}
    # `$(` would be an expansion to the kubelet.
    - {name: STORE_NAME, value: {{ .Values.store.name | replace "$(" "$$(" | quote }}}
    - {name: STORE_THEME, value: {{ .Values.store.theme | quote }}}
    - {name: ADMIN_USERNAME_FILE, value: /run/store-secrets/admin-username}
    - {name: ADMIN_EMAIL_FILE, value: /run/store-secrets/admin-email}
    - {name: ADMIN_PASSWORD_FILE, value: /run/store-secrets/admin-password}
  secrets: [database-password, app-secret, admin-username, admin-email, admin-password]
  # Not the volume: while the web pod waits for this Job it holds it, maybe on another node. What set-up writes there is nothing to keep.
  scratch: [/srv/wp/wp-content/uploads]
db:
  port: 3306
  uid: 999
  data: /var/lib/mysql
  probe: [store-db-ready]
  env:
    - {name: DB_NAME, value: store}
    - {name: DB_USER, value: store}
    - {name: DB_PASSWORD_FILE, value: /run/store-secrets/database-password}
    - {name: DB_ROOT_PASSWORD_FILE, value: /run/store-secrets/database-root-password}
  secrets: [database-password, database-root-password]
{{- end }}

{{/* What every process of WordPress needs: wp-config.php reads these. */}}
{{- define "woocommerce.env" -}}
{{- if .Values.database.managed -}}
- {name: DATABASE_URL_FILE, value: /run/store-secrets/database-url}
{{- else -}}
- {name: DB_HOST, value: db}
- {name: DB_NAME, value: store}
- {name: DB_USER, value: store}
- {name: DB_PASSWORD_FILE, value: /run/store-secrets/database-password}
{{- end }}
- {name: APP_SECRET_FILE, value: /run/store-secrets/app-secret}
{{- if .Values.redis.enabled }}
- {name: REDIS_URL_FILE, value: /run/store-secrets/redis-url}
{{- end }}
- {name: STORE_URL, value: {{ .Values.store.publicUrl | quote }}}
- {name: EXTERNAL_HTTP, value: {{ .Values.wordpress.externalHttp | quote }}}
{{- with .Values.wordpress.smtp.host }}
- {name: SMTP_HOST, value: {{ . | quote }}}
- {name: SMTP_PORT, value: {{ $.Values.wordpress.smtp.port | quote }}}
{{- end }}
{{- end }}
