{{/*
A database of the store's own: Service, StatefulSet and volume. What always holds: its pod template carries no version label, so a new
chart or engine version alone never restarts a database; the data is in a directory below the mount (volumes may hold lost+found). The
volume is no claim template, which nobody could change any more: a larger plan asks for a larger volume.
*/}}
{{- define "store-common.db" -}}
{{- $engine := include "store.engine" . | fromYaml -}}
{{- $scope := dict "root" $ "component" "db" -}}
{{- $size := (include "store-common.plan" . | fromYaml).db -}}
apiVersion: v1
kind: PersistentVolumeClaim
metadata:
  name: data-db-0
  labels: {{- include "store-common.identity" $scope | nindent 4 }}
  annotations:
    {{- /* It outlives an uninstall and goes with the namespace: `helm uninstall` by hand loses no data. */}}
    helm.sh/resource-policy: keep
spec: {{- include "store-common.claim" (dict "root" $ "size" $size.volume) | nindent 2 }}
---
apiVersion: v1
kind: Service
metadata:
  name: db
  labels: {{- include "store-common.labels" $scope | nindent 4 }}
spec:
  clusterIP: None
  {{- /* The set-up waits for the database itself, and sees why it does not answer rather than that a name is unknown. */}}
  publishNotReadyAddresses: true
  selector: {{- include "store-common.selector" $scope | nindent 4 }}
  ports:
    - {name: db, port: {{ $engine.db.port }}, targetPort: db}
---
apiVersion: apps/v1
kind: StatefulSet
metadata:
  name: db
  labels: {{- include "store-common.labels" $scope | nindent 4 }}
spec:
  replicas: 1
  serviceName: db
  podManagementPolicy: Parallel
  selector:
    matchLabels: {{- include "store-common.selector" $scope | nindent 6 }}
  template:
    metadata:
      labels: {{- include "store-common.identity" $scope | nindent 8 }}
    spec:
      {{- include "store-common.podSpec" (dict "root" $ "uid" $engine.db.uid) | nindent 6 }}
      terminationGracePeriodSeconds: 60
      containers:
        - name: db
          image: {{ include "store-common.image" .Values.images.db }}
          imagePullPolicy: {{ .Values.images.pullPolicy }}
          securityContext: {{- include "store-common.containerSecurity" $ | nindent 12 }}
          {{- with $engine.db.args }}
          args: {{- toYaml . | nindent 12 }}
          {{- end }}
          env: {{- toYaml $engine.db.env | nindent 12 }}
          {{- /* A database that does not start says why in its log alone. */}}
          terminationMessagePolicy: FallbackToLogsOnError
          ports:
            - {name: db, containerPort: {{ $engine.db.port }}}
          {{- /* A first start makes the data directory: slow volumes get two minutes. */}}
          startupProbe:
            exec: {command: {{ toJson $engine.db.probe }}}
            periodSeconds: 1
            timeoutSeconds: 3
            failureThreshold: 120
          readinessProbe:
            exec: {command: {{ toJson $engine.db.probe }}}
            periodSeconds: 5
            timeoutSeconds: 3
          livenessProbe:
            exec: {command: {{ toJson $engine.db.probe }}}
            periodSeconds: 20
            timeoutSeconds: 5
            failureThreshold: 6
          resources: {{- toYaml $size.resources | nindent 12 }}
          volumeMounts:
            - {name: data, mountPath: {{ $engine.db.data | quote }}}
            - {name: store-secrets, mountPath: /run/store-secrets, readOnly: true}
            {{- include "store-common.scratchMounts" $engine.db.scratch | nindent 12 }}
      volumes:
        - name: data
          persistentVolumeClaim: {claimName: data-db-0}
        {{- include "store-common.secretsVolume" (dict "root" $ "keys" $engine.db.secrets) | nindent 8 }}
        {{- include "store-common.scratchVolumes" $engine.db.scratch | nindent 8 }}
{{- end }}

{{/* The spec of a volume claim; takes (dict "root" $ "size" "1Gi"). */}}
{{- define "store-common.claim" -}}
accessModes: [ReadWriteOnce]
{{- with .root.Values.cluster.storageClassName }}
storageClassName: {{ . | quote }}
{{- end }}
resources: {requests: {storage: {{ .size | quote }}}}
{{- end }}
