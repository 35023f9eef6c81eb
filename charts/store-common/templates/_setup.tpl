{{/*
The set-up Job. A pod template is immutable, so the name carries the hash of everything that shapes the pod: a changed release is a
new Job, and helm removes the old one; an unchanged release changes nothing.

Whoever watches must see the first failure, with its reason. So restartPolicy is Never (each failed pod stays, with its
termination message; OnFailure would overwrite it and delete the pod at the end), and there is no ttlSecondsAfterFinished (a
vanished Job would be made again by the next helm run, and would look like drift). A pod that was evicted costs no attempt; exit code 3
means "no repetition will help" and fails the Job at once.
*/}}
{{- define "store-common.setup.pod" -}}
{{- $engine := include "store.engine" . | fromYaml -}}
spec:
  {{- include "store-common.podSpec" (dict "root" $ "uid" $engine.web.uid) | nindent 2 }}
  restartPolicy: Never
  terminationGracePeriodSeconds: 10
  containers:
    - name: setup
      image: {{ include "store-common.image" .Values.images.web }}
      imagePullPolicy: {{ .Values.images.pullPolicy }}
      securityContext: {{- include "store-common.containerSecurity" $ | nindent 8 }}
      command: {{- toYaml $engine.setup.command | nindent 8 }}
      env: {{- toYaml $engine.setup.env | nindent 8 }}
      terminationMessagePath: /dev/termination-log
      terminationMessagePolicy: File
      resources: {{- toYaml (include "store-common.plan" . | fromYaml).setup.resources | nindent 8 }}
      volumeMounts:
        - {name: store-secrets, mountPath: /run/store-secrets, readOnly: true}
        {{- include "store-common.scratchMounts" $engine.setup.scratch | nindent 8 }}
  volumes:
    {{- include "store-common.secretsVolume" (dict "root" $ "keys" $engine.setup.secrets "rotates" true "redis" (has "setup" ($engine.network.redis | default list))) | nindent 4 }}
    {{- include "store-common.scratchVolumes" $engine.setup.scratch | nindent 4 }}
{{- end }}

{{- define "store-common.setup.name" -}}
{{- $hashed := dict "pod" (include "store-common.setup.pod" .) "values" .Values.setup "chart" .Chart.Version -}}
setup-{{ toJson $hashed | sha256sum | trunc 10 }}
{{- end }}

{{- define "store-common.setup" -}}
{{- $scope := dict "root" $ "component" "setup" -}}
apiVersion: batch/v1
kind: Job
metadata:
  name: {{ include "store-common.setup.name" . }}
  labels: {{- include "store-common.labels" $scope | nindent 4 }}
spec:
  parallelism: 1
  completions: 1
  backoffLimit: 6
  activeDeadlineSeconds: {{ .Values.setup.activeDeadlineSeconds }}
  podReplacementPolicy: Failed
  podFailurePolicy:
    rules:
      - action: Ignore
        onPodConditions: [{type: DisruptionTarget, status: "True"}]
      - action: FailJob
        onExitCodes: {containerName: setup, operator: In, values: [3]}
  template:
    metadata:
      labels: {{- include "store-common.labels" $scope | nindent 8 }}
    {{- include "store-common.setup.pod" . | nindent 4 }}
{{- end }}
