{{- define "swarmledger.name" -}}
{{- if gt (len .Release.Name) 40 }}{{ fail (printf "the release's name `%s` has more than 40 characters; take a shorter one" .Release.Name) }}{{ end -}}
{{- .Release.Name -}}
{{- end }}

{{- define "swarmledger.selector" -}}
app.kubernetes.io/name: swarmledger
app.kubernetes.io/instance: {{ include "swarmledger.name" . }}
{{- end }}

{{- define "swarmledger.labels" -}}
{{ include "swarmledger.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/part-of: swarmledger
{{- end }}

{{- define "swarmledger.image" -}}
{{- $tag := .Values.image.tag | default .Chart.AppVersion -}}
{{- .Values.image.repository }}{{ ternary "@" ":" (hasPrefix "sha256:" $tag) }}{{ $tag }}
{{- end }}

{{- define "swarmledger.serviceAccount" -}}
{{- .Values.serviceAccount.name | default (include "swarmledger.name" .) }}
{{- end }}

{{- define "swarmledger.configMap" -}}
{{- if .Values.scenario.files }}{{ include "swarmledger.name" . }}-scenario{{ else }}{{ .Values.scenario.configMap }}{{ end }}
{{- end }}

{{- define "swarmledger.inS3" -}}
{{- if hasPrefix "s3://" .Values.run.dir }}yes{{ end }}
{{- end }}

{{- define "swarmledger.claim" -}}
{{- .Values.storage.claim | default (printf "%s-runs" (include "swarmledger.name" .)) }}
{{- end }}

{{- /* What both kinds of pods have. */ -}}
{{- define "swarmledger.pod" -}}
restartPolicy: Never
terminationGracePeriodSeconds: {{ .Values.run.graceSeconds }}
serviceAccountName: {{ include "swarmledger.serviceAccount" . }}
automountServiceAccountToken: false
enableServiceLinks: false
{{- with .Values.image.pullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . }}
  {{- end }}
{{- end }}
securityContext:
  runAsNonRoot: true
  runAsUser: 10001
  runAsGroup: 10001
  fsGroup: 10001
  fsGroupChangePolicy: OnRootMismatch
  seccompProfile:
    type: RuntimeDefault
{{- end }}

{{- define "swarmledger.container" -}}
image: {{ include "swarmledger.image" . | quote }}
imagePullPolicy: {{ .Values.image.pullPolicy }}
securityContext:
  allowPrivilegeEscalation: false
  privileged: false
  readOnlyRootFilesystem: true
  capabilities:
    drop: [ALL]
{{- end }}

{{- define "swarmledger.env" -}}
- name: SWARMLEDGER_SCENARIO
  value: {{ printf "/scenario/%s" .Values.scenario.file | quote }}
- name: SWARMLEDGER_TOKEN_FILE
  value: /token/{{ .Values.token.key }}
- name: SWARMLEDGER_GRACE_S
  value: {{ .Values.run.graceSeconds | quote }}
- name: AWS_REGION
  value: {{ .Values.aws.region }}
{{- end }}

{{- define "swarmledger.mounts" -}}
- name: runs
  mountPath: /runs
- name: tmp
  mountPath: /tmp
- name: scenario
  mountPath: /scenario
  readOnly: true
- name: token
  mountPath: /token
  readOnly: true
{{- end }}

{{- define "swarmledger.volumes" -}}
- name: tmp
  emptyDir:
    medium: Memory
    sizeLimit: 64Mi
- name: scenario
  configMap:
    name: {{ include "swarmledger.configMap" . }}
- name: token
  secret:
    secretName: {{ .Values.token.secret }}
    defaultMode: 0440
    items:
      - key: {{ .Values.token.key }}
        path: {{ .Values.token.key }}
{{- end }}

{{- /* What a pod may reach: names, AWS's HTTPS, the agent of EKS Pod Identity; not the node's metadata. */ -}}
{{- define "swarmledger.egress" -}}
- ports:
    - port: 53
      protocol: UDP
    - port: 53
      protocol: TCP
- to:
    - ipBlock:
        cidr: 0.0.0.0/0
        except: [169.254.169.254/32]
    - ipBlock:
        cidr: ::/0
        except: ["fd00:ec2::254/128"]
  ports:
    - port: 443
      protocol: TCP
- to:
    - ipBlock:
        cidr: 169.254.170.23/32
    - ipBlock:
        cidr: fd00:ec2::23/128
  ports:
    - port: 80
      protocol: TCP
{{- with .Values.networkPolicy.egress }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- define "swarmledger.probes" -}}
readinessProbe:
  exec:
    command: [swarmledger-load, health]
  initialDelaySeconds: 5
  periodSeconds: 30
  timeoutSeconds: 10
livenessProbe:    # a worker that waits for its master lives: it may hold records
  exec:
    command: [swarmledger-load, health, --alive]
  initialDelaySeconds: 60
  periodSeconds: 30
  timeoutSeconds: 10
  failureThreshold: 4
{{- end }}
