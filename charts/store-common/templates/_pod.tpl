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
serviceAccountName: store
automountServiceAccountToken: false
enableServiceLinks: false
securityContext:
  runAsNonRoot: true
  runAsUser: {{ .uid }}
  runAsGroup: {{ .uid }}
  fsGroup: {{ .uid }}
  fsGroupChangePolicy: OnRootMismatch
  seccompProfile: {type: RuntimeDefault}
{{- with .root.Values.imagePullSecrets }}
imagePullSecrets: {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{- define "store-common.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: {drop: [ALL]}
{{- end }}

{{/* The volume with the named keys of the store's Secret; takes (dict "root" $ "keys" (list ...)). Mounted at /run/store-secrets. */}}
{{- define "store-common.secretsVolume" -}}
- name: store-secrets
  secret:
    secretName: {{ .root.Values.credentialsSecret | quote }}
    defaultMode: 0440
    items:
      {{- range .keys }}
      - {key: {{ . | quote }}, path: {{ . | quote }}}
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
