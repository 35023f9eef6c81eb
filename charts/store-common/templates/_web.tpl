{{/*
The engine: Deployment and Service `web`, volume `uploads`. What always holds: one replica at a time (the volume is
ReadWriteOnce), and it serves nothing before the set-up marker is there.
*/}}
{{- define "store-common.web" -}}
{{- $engine := include "store.engine" . | fromYaml -}}
{{- $scope := dict "root" $ "component" "web" -}}
{{- $image := include "store-common.image" .Values.images.web -}}
{{- $size := (include "store-common.plan" . | fromYaml).web -}}
{{- if $engine.web.uploads -}}
apiVersion: v1
kind: PersistentVolumeClaim
metadata:
  name: uploads
  labels: {{- include "store-common.labels" $scope | nindent 4 }}
  annotations:
    {{- /* Like the database's volume it outlives an uninstall and goes with the namespace: `helm uninstall` by hand loses no data. */}}
    helm.sh/resource-policy: keep
spec: {{- include "store-common.claim" (dict "root" $ "size" $size.volume) | nindent 2 }}
---
{{ end -}}
apiVersion: v1
kind: Service
metadata:
  name: web
  labels: {{- include "store-common.labels" $scope | nindent 4 }}
spec:
  selector: {{- include "store-common.selector" $scope | nindent 4 }}
  ports:
    - {name: http, port: 80, targetPort: http}
---
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
  labels: {{- include "store-common.labels" $scope | nindent 4 }}
spec:
  replicas: 1
  revisionHistoryLimit: 2
  progressDeadlineSeconds: 900
  strategy: {type: Recreate}
  selector:
    matchLabels: {{- include "store-common.selector" $scope | nindent 6 }}
  template:
    metadata:
      labels: {{- include "store-common.labels" $scope | nindent 8 }}
      {{- /* Files of a Secret reach a pod that runs after a minute or more; one that starts has them at once. */}}
      {{- if gt (int .Values.credentialsVersion) 1 }}
      annotations: {shopwright.dev/credentials-version: {{ int .Values.credentialsVersion | quote }}}
      {{- end }}
    spec:
      {{- include "store-common.podSpec" (dict "root" $ "uid" $engine.web.uid) | nindent 6 }}
      terminationGracePeriodSeconds: 30
      {{- if $engine.web.wait }}
      initContainers:
        - name: wait-for-setup
          image: {{ $image }}
          imagePullPolicy: {{ .Values.images.pullPolicy }}
          securityContext: {{- include "store-common.containerSecurity" $ | nindent 12 }}
          command: {{- toYaml $engine.web.wait | nindent 12 }}
          env: {{- toYaml $engine.web.env | nindent 12 }}
          resources: {{- toYaml $size.resources | nindent 12 }}
          volumeMounts:
            - {name: store-secrets, mountPath: /run/store-secrets, readOnly: true}
            {{- include "store-common.scratchMounts" $engine.web.scratch | nindent 12 }}
      {{- end }}
      containers:
        - name: web
          image: {{ $image }}
          imagePullPolicy: {{ .Values.images.pullPolicy }}
          securityContext: {{- include "store-common.containerSecurity" $ | nindent 12 }}
          {{- with $engine.web.command }}
          command: {{- toYaml . | nindent 12 }}
          {{- end }}
          {{- with $engine.web.env }}
          env: {{- toYaml . | nindent 12 }}
          {{- end }}
          ports:
            - {name: http, containerPort: {{ $engine.web.port }}}
          startupProbe:
            httpGet: {path: {{ $engine.web.ready | quote }}, port: http}
            periodSeconds: 2
            timeoutSeconds: 3
            failureThreshold: 60
          readinessProbe:
            httpGet: {path: {{ $engine.web.ready | quote }}, port: http}
            periodSeconds: 5
            timeoutSeconds: 3
            failureThreshold: 2
          {{- /* Never about the database: restarting the engine heals no database, and would take the shop's last answer away. */}}
          livenessProbe:
            {{- if $engine.web.live }}
            httpGet: {path: {{ $engine.web.live | quote }}, port: http}
            {{- else }}
            tcpSocket: {port: http}
            {{- end }}
            periodSeconds: 20
            timeoutSeconds: 5
            failureThreshold: 6
          resources: {{- toYaml $size.resources | nindent 12 }}
          volumeMounts:
            {{- with $engine.web.uploads }}
            - {name: uploads, mountPath: {{ . | quote }}}
            {{- end }}
            {{- if $engine.web.secrets }}
            - {name: store-secrets, mountPath: /run/store-secrets, readOnly: true}
            {{- end }}
            {{- include "store-common.scratchMounts" $engine.web.scratch | nindent 12 }}
      volumes:
        {{- if $engine.web.uploads }}
        - name: uploads
          persistentVolumeClaim: {claimName: uploads}
        {{- end }}
        {{- if $engine.web.secrets }}
        {{- include "store-common.secretsVolume" (dict "root" $ "keys" $engine.web.secrets "redis" (has "web" ($engine.network.redis | default list))) | nindent 8 }}
        {{- end }}
        {{- include "store-common.scratchVolumes" $engine.web.scratch | nindent 8 }}
{{- end }}
