"""What becomes of the fields of a pod of which `workers.agent.admitting.needs` says nothing, type by type.

ACTED_UPON: some module does what the field says. MEANINGLESS: on a cluster like this it could mean nothing, and why.
ONE_OF_MANY: types that are no part of pods alone, and have tests of their own.
"""

from __future__ import annotations

ONE_OF_MANY = {"LabelSelector", "PersistentVolumeClaimTemplate", "NodeSelectorTerm"}

_ACTED_UPON = """
PodSpec volumes initContainers containers ephemeralContainers restartPolicy terminationGracePeriodSeconds
PodSpec activeDeadlineSeconds dnsPolicy nodeSelector serviceAccountName automountServiceAccountToken nodeName
PodSpec securityContext hostname subdomain affinity schedulerName tolerations hostAliases priorityClassName priority
PodSpec imagePullSecrets dnsConfig readinessGates enableServiceLinks overhead topologySpreadConstraints schedulingGates hostnameOverride
Container name image command args workingDir ports envFrom env resources restartPolicy volumeMounts livenessProbe
Container readinessProbe startupProbe lifecycle restartPolicyRules terminationMessagePolicy imagePullPolicy securityContext
Container stdin stdinOnce tty
EphemeralContainer name image command args workingDir envFrom env volumeMounts terminationMessagePolicy
EphemeralContainer imagePullPolicy securityContext stdin stdinOnce tty targetContainerName
ContainerPort name containerPort protocol hostIP
ContainerRestartRule action exitCodes
ContainerRestartRuleOnExitCodes operator values
EnvVar name value valueFrom
EnvVarSource fieldRef resourceFieldRef configMapKeyRef secretKeyRef fileKeyRef
FileKeySelector volumeName path key optional
ObjectFieldSelector fieldPath
ResourceFieldSelector containerName resource divisor
ConfigMapKeySelector name key optional
SecretKeySelector name key optional
EnvFromSource prefix configMapRef secretRef
ConfigMapEnvSource name optional
SecretEnvSource name optional
LocalObjectReference name
ResourceRequirements limits requests claims
ResourceClaim name request
VolumeMount name readOnly mountPath subPath subPathExpr
Lifecycle postStart preStop stopSignal
LifecycleHandler exec httpGet tcpSocket sleep
ExecAction command
HTTPGetAction path port host scheme httpHeaders
HTTPHeader name value
TCPSocketAction port host
GRPCAction port service mode
SleepAction seconds
Probe exec httpGet tcpSocket initialDelaySeconds timeoutSeconds periodSeconds successThreshold failureThreshold
Probe terminationGracePeriodSeconds grpc
PodSecurityContext runAsUser runAsGroup runAsNonRoot fsGroupChangePolicy
SeccompProfile localhostProfile
AppArmorProfile localhostProfile
Sysctl name value
SecurityContext runAsUser runAsGroup runAsNonRoot
Volume name hostPath emptyDir secret configMap downwardAPI projected persistentVolumeClaim ephemeral
HostPathVolumeSource path type
EmptyDirVolumeSource mode sizeLimit
NFSVolumeSource server path readOnly
SecretVolumeSource secretName items defaultMode optional defaultUser
ConfigMapVolumeSource name items defaultMode optional defaultUser
KeyToPath key path mode user
DownwardAPIVolumeSource items defaultMode defaultUser
DownwardAPIVolumeFile path fieldRef resourceFieldRef mode user
ProjectedVolumeSource sources defaultMode defaultUser
VolumeProjection secret downwardAPI configMap serviceAccountToken
SecretProjection name items optional
ConfigMapProjection name items optional
DownwardAPIProjection items
ServiceAccountTokenProjection audience expirationSeconds path user
PersistentVolumeClaimVolumeSource claimName readOnly
EphemeralVolumeSource volumeClaimTemplate
Affinity nodeAffinity podAffinity podAntiAffinity
NodeAffinity requiredDuringSchedulingIgnoredDuringExecution preferredDuringSchedulingIgnoredDuringExecution
NodeSelector nodeSelectorTerms
PreferredSchedulingTerm weight preference
PodAffinity requiredDuringSchedulingIgnoredDuringExecution
PodAntiAffinity requiredDuringSchedulingIgnoredDuringExecution
PodAffinityTerm labelSelector namespaces topologyKey namespaceSelector
Toleration key operator value effect tolerationSeconds
HostAlias ip hostnames
PodDNSConfig nameservers searches options
PodDNSConfigOption name value
PodReadinessGate conditionType
TopologySpreadConstraint maxSkew topologyKey whenUnsatisfiable labelSelector minDomains matchLabelKeys
PodSchedulingGate name
"""

ACTED_UPON = {
    f"{of}.{field}" for of, *fields in map(str.split, _ACTED_UPON.strip().splitlines()) for field in fields
}

MEANINGLESS = {
    "PodSpec.serviceAccount": "the old name of serviceAccountName, which admission keeps equal to it",
    "PodSpec.preemptionPolicy": "no pod is put off its node for another, whatever it says",
    "ObjectFieldSelector.apiVersion": "there is one version of pods",
    "EphemeralContainer.restartPolicy": "validation refuses it",
    "PodSecurityContext.seLinuxChangePolicy": "says how seLinuxOptions are done, which are in the table",
}
