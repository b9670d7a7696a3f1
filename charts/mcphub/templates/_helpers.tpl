{{- /* Labels of the chart's objects; the selector's labels are those of config/. */}}
{{- define "mcphub.releaseLabels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
{{- end }}

{{- define "mcphub.selector" -}}
app.kubernetes.io/name: {{ .Values.fullnameOverride }}
{{- end }}

{{- define "mcphub.podLabels" -}}
{{ include "mcphub.selector" . }}
app.kubernetes.io/component: operator
{{- end }}

{{- /* Metadata of an object in the release's namespace. */}}
{{- define "mcphub.metadata" -}}
name: {{ .Values.fullnameOverride }}
namespace: {{ .Release.Namespace }}
labels: {{- include "mcphub.releaseLabels" . | nindent 2 }}
{{- end }}

{{- /* Call with (list ROOT IMAGE): the name by which nodes pull it. */}}
{{- define "mcphub.image" -}}
{{- $root := index . 0 }}
{{- $image := index . 1 }}
{{- with $root.Values.registry }}{{ trimSuffix "/" . }}/{{ end }}
{{- $image.repository }}
{{- if $image.digest }}@{{ $image.digest }}
{{- else }}:{{ $image.tag | default $root.Chart.AppVersion }}
{{- end }}
{{- end }}

{{- /* The operator as the subject of a binding. */}}
{{- define "mcphub.subjects" -}}
- kind: ServiceAccount
  name: {{ .Values.fullnameOverride }}
  namespace: {{ .Release.Namespace }}
{{- end }}

{{- /* The operator's rules in namespaces with hubs; without routes, none for them. */}}
{{- define "mcphub.hubRules" -}}
{{- $routes := dig "routes" true (default dict .Values.settings) }}
{{- $kept := list }}
{{- range (.Files.Get "files/hubs_role.yaml" | fromYaml).rules }}
{{- if or $routes (not (or (has "ingresses" .resources) (has "httproutes" .resources))) }}
{{- $kept = append $kept . }}
{{- end }}
{{- end }}
{{- toYaml $kept }}
{{- end }}

{{- /* Call with a list of objects: their names, separated by commas. */}}
{{- define "mcphub.names" -}}
{{- range $number, $each := . }}{{ if $number }},{{ end }}{{ $each.name }}{{ end }}
{{- end }}

{{- /* The setting upgradeConcurrency is the variable MCPHUB_UPGRADE_CONCURRENCY. */}}
{{- define "mcphub.environment" -}}
- name: MCPHUB_SERVER_IMAGE
  value: {{ include "mcphub.image" (list . .Values.serverImage) | quote }}
{{- with .Values.serverImage.pullSecrets }}
- name: MCPHUB_IMAGE_PULL_SECRETS
  value: {{ include "mcphub.names" . | quote }}
{{- end }}
{{- range $name, $value := .Values.settings }}
- name: MCPHUB_{{ snakecase $name | upper }}
  value: {{ $value | toString | quote }}
{{- end }}
{{- with .Values.namespaces }}
- name: MCPHUB_NAMESPACES
  value: {{ join "," . | quote }}
{{- end }}
{{- if ne .Values.fullnameOverride "mcphub-operator" }}
- name: MCPHUB_LEASE_NAME
  value: {{ .Values.fullnameOverride }}
{{- end }}
{{- with .Values.extraEnv }}
{{ toYaml . }}
{{- end }}
{{- end }}
