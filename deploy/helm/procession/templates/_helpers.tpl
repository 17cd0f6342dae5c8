{{- define "server.selector" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "server.labels" -}}
{{ include "server.selector" . }}
{{ include "server.origin" . }}
{{- end }}

{{- define "server.origin" -}}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ .Chart.Name }}-{{ .Chart.Version }}
{{- end }}

{{- /* Settings by their keys, as variables. Helm has read numbers as floats: JSON writes them as they were. */}}
{{- define "server.settings" -}}
{{- range $key, $value := .Values.settings }}
- name: PROCESSION_{{ $key | replace "-" "_" | upper }}
  value: {{ if kindIs "string" $value }}{{ $value | quote }}{{ else if kindIs "slice" $value }}{{ join "," $value | quote }}{{ else }}{{ toJson $value | quote }}{{ end }}
{{- end }}
{{- end }}

{{- define "server.image" -}}
image: {{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- with .Values.image.pullPolicy }}
imagePullPolicy: {{ . }}
{{- end }}
{{- end }}

{{- define "server.security" -}}
runAsNonRoot: true
runAsUser: 7171
runAsGroup: 7171
privileged: false
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: ["ALL"]
seccompProfile:
  type: RuntimeDefault
{{- end }}

{{- /* Where pods may run, and by which secrets their image is fetched. */}}
{{- define "server.scheduling" -}}
{{- with .Values.imagePullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{- define "server.store" -}}
- name: PROCESSION_STORE
  value: {{ .Values.store.address | quote }}
- name: PROCESSION_STORE_PASSWORD_FILE
  value: /etc/procession/store/password
{{- end }}

{{- define "server.storeVolume" -}}
- name: store
  secret:
    secretName: {{ .Values.store.secret.name }}
    defaultMode: 0444
    {{- if ne .Values.store.secret.key "password" }}
    items:
      - key: {{ .Values.store.secret.key }}
        path: password
    {{- end }}
{{- end }}

{{- define "server.container" -}}
name: server
{{ include "server.image" . }}
args: ["serve"]
ports:
  - name: http
    containerPort: 7171
env:
  {{- if .Values.store.address }}
  {{- include "server.store" . | nindent 2 }}
  {{- else }}
  # A folder of its own in the volume, which nobody else may enter.
  - name: PROCESSION_DATA_DIR
    value: /var/lib/procession/data
  {{- end }}
  # By which names readers call it, beside its address: the service's, and that of an ingress.
  - name: PROCESSION_ALLOWED_HOSTS
    value: {{ concat (list .Release.Name (printf ".%s.svc" .Release.Namespace) (printf ".%s.svc.cluster.local" .Release.Namespace)) .Values.allowedHosts | join "," | quote }}
  - name: PROCESSION_BEHIND_PROXY
    value: {{ .Values.behindProxy | quote }}
  # As long as a query may take.
  - name: PROCESSION_STOP_SECONDS
    value: "30"
  # Taken by the first server of an empty store.
  - name: DD_API_KEY
    valueFrom:
      secretKeyRef: {name: {{ .Values.keys.secret }}, key: {{ .Values.keys.apiKey }}, optional: true}
  - name: DD_APP_KEY
    valueFrom:
      secretKeyRef: {name: {{ .Values.keys.secret }}, key: {{ .Values.keys.applicationKey }}, optional: true}
  {{- include "server.settings" . | nindent 2 }}
{{- if not .Values.store.address }}
# A store that was not closed is read first, for up to ten minutes.
startupProbe:
  httpGet: {path: /healthz, port: http}
  periodSeconds: 5
  failureThreshold: 120
{{- end }}
livenessProbe:
  httpGet: {path: /healthz, port: http}
  periodSeconds: 10
readinessProbe:
  httpGet: {path: /readyz, port: http}
  periodSeconds: 3
lifecycle:
  # Until no balancer sends anything any more; then it finishes what it has and ends.
  preStop:
    exec:
      command: ["sleep", "8"]
securityContext:
  {{- include "server.security" . | nindent 2 }}
resources:
  {{- toYaml .Values.resources | nindent 2 }}
volumeMounts:
  {{- if .Values.store.address }}
  - name: store
    mountPath: /etc/procession/store
    readOnly: true
  {{- end }}
  # The store, or else only the keys of this pod's own commands.
  - name: data
    mountPath: /var/lib/procession
  - name: tmp
    mountPath: /tmp
{{- end }}
