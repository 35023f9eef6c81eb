{{/*
The parts that every pod of a store has. What always holds: Pod Security "restricted", a read-only root file system, no service
account token, secrets as files and never as environment.
*/}}

{{/* Takes an entry of .Values.images; a digest wins over a tag. */}}
{{- define "store-common.image" -}}
{{- if .digest -}}
{{- printf "%s@%s" .repository .digest | quote -}}
{{- else -}}
{{- printf "%s:%s" .repository (required "images.*.tag or .digest is needed (images/build writes them to values-<chart>.yaml)" .tag) | quote -}}
{{- end -}}
{{- end }}

{{/* Fields of a pod's spec; takes (dict "root" $ "uid" 999). */}}
{{- define "store-common.podSpec" -}}
automountServiceAccountToken: false
{{- if .root.Values.rbac.create }}
serviceAccountName: store
{{- end }}
enableServiceLinks: false
securityContext:
  runAsNonRoot: true
  runAsUser: {{ .uid }}
  runAsGroup: {{ .uid }}
  fsGroup: {{ .uid }}
  fsGroupChangePolicy: OnRootMismatch
  seccompProfile: {type: RuntimeDefault}
{{- with .root.Values.priorityClassName }}
priorityClassName: {{ . | quote }}
{{- end }}
{{- with .root.Values.scheduling.nodeSelector }}
nodeSelector: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .root.Values.scheduling.tolerations }}
tolerations: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .root.Values.imagePullSecrets }}
imagePullSecrets: {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{- define "store-common.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: {drop: [ALL]}
{{- end }}

{{/*
The volume with the named keys of the store's Secret; takes (dict "root" $ "keys" (list ...) "rotates" false "redis" false); whoever rotates
also gets the database's other password, which is there only while one is replaced; whoever has Redis, its URL where there is one. Mounted at /run/store-secrets. With a
managed database its URL takes the place of the passwords of a database of the store's own.
*/}}
{{- define "store-common.secretsVolume" -}}
{{- $managed := .root.Values.database.managed -}}
- name: store-secrets
  projected:
    defaultMode: 0440
    sources:
      - secret:
          name: {{ .root.Values.credentialsSecret | quote }}
          items:
            {{- range .keys }}
            {{- if not (and $managed (hasPrefix "database-" .)) }}
            - {key: {{ . | quote }}, path: {{ . | quote }}}
            {{- end }}
            {{- end }}
      {{- if and .rotates (has "database-password" .keys) (not $managed) }}
      - secret:
          name: {{ .root.Values.credentialsSecret | quote }}
          optional: true
          items:
            - {key: database-password-before, path: database-password-before}
      {{- end }}
      {{- if $managed }}
      - secret:
          name: {{ .root.Values.database.secret.name | quote }}
          items:
            - {key: {{ .root.Values.database.secret.key | quote }}, path: database-url}
      {{- end }}
      {{- if and .redis (.root.Values.redis).enabled }}
      - secret:
          name: {{ .root.Values.redis.secret.name | quote }}
          items:
            - {key: {{ .root.Values.redis.secret.key | quote }}, path: redis-url}
      {{- end }}
{{- end }}

{{/* Empty directories for what an engine must write; takes the list of their paths. /tmp is always one. */}}
{{- define "store-common.scratchVolumes" -}}
- name: tmp
  emptyDir: {sizeLimit: 64Mi}
{{- range $i, $path := . }}
- name: scratch-{{ $i }}
  emptyDir: {sizeLimit: 16Mi}
{{- end }}
{{- end }}

{{- define "store-common.scratchMounts" -}}
- {name: tmp, mountPath: /tmp}
{{- range $i, $path := . }}
- {name: scratch-{{ $i }}, mountPath: {{ $path | quote }}}
{{- end }}
{{- end }}
