"""What a pod is made of but for its volumes: containers, probes, references: k8s.io/api/core/v1."""

from __future__ import annotations

TABLES = {
    "io.k8s.api.core.v1": """
AppArmorProfile: type=1 localhostProfile=2
Capabilities: add=1 drop=2
ConfigMapEnvSource: +LocalObjectReference=1 optional=2
ConfigMapKeySelector: +LocalObjectReference=1 key=2 optional=3
Container: name=1 image=2 command=3 args=4 workingDir=5 ports=6 env=7 resources=8 volumeMounts=9
    livenessProbe=10 readinessProbe=11 lifecycle=12 terminationMessagePath=13 imagePullPolicy=14
    securityContext=15 stdin=16 stdinOnce=17 tty=18 envFrom=19 terminationMessagePolicy=20 volumeDevices=21
    startupProbe=22 resizePolicy=23 restartPolicy=24 restartPolicyRules=25
ContainerPort: name=1 hostPort=2 containerPort=3 protocol=4 hostIP=5
ContainerResizePolicy: resourceName=1 restartPolicy=2
ContainerRestartRule: action=1 exitCodes=2
ContainerRestartRuleOnExitCodes: operator=1 values=2
EnvFromSource: prefix=1 configMapRef=2 secretRef=3
EnvVar: name=1 value=2 valueFrom=3
EnvVarSource: fieldRef=1 resourceFieldRef=2 configMapKeyRef=3 secretKeyRef=4 fileKeyRef=5
EphemeralContainer: +EphemeralContainerCommon=1 targetContainerName=2
EphemeralContainerCommon: name=1 image=2 command=3 args=4 workingDir=5 ports=6 env=7 resources=8
    volumeMounts=9 livenessProbe=10 readinessProbe=11 lifecycle=12 terminationMessagePath=13
    imagePullPolicy=14 securityContext=15 stdin=16 stdinOnce=17 tty=18 envFrom=19
    terminationMessagePolicy=20 volumeDevices=21 startupProbe=22 resizePolicy=23 restartPolicy=24
    restartPolicyRules=25
ExecAction: command=1
FileKeySelector: volumeName=1 path=2 key=3 optional=4
GRPCAction: port=1 service=2 mode=3
HTTPGetAction: path=1 port=2 host=3 scheme=4 httpHeaders=5 protocol=6
HTTPHeader: name=1 value=2
KeyToPath: key=1 path=2 mode=3 user=4
Lifecycle: postStart=1 preStop=2 stopSignal=3
LifecycleHandler: exec=1 httpGet=2 tcpSocket=3 sleep=4
LocalObjectReference: name=1
ObjectFieldSelector: apiVersion=1 fieldPath=2
ObjectReference: kind=1 namespace=2 name=3 uid=4 apiVersion=5 resourceVersion=6 fieldPath=7
PodSecurityContext: seLinuxOptions=1 runAsUser=2 runAsNonRoot=3 supplementalGroups=4 fsGroup=5 runAsGroup=6
    sysctls=7 windowsOptions=8 fsGroupChangePolicy=9 seccompProfile=10 appArmorProfile=11
    supplementalGroupsPolicy=12 seLinuxChangePolicy=13
Probe: +ProbeHandler=1 initialDelaySeconds=2 timeoutSeconds=3 periodSeconds=4 successThreshold=5
    failureThreshold=6 terminationGracePeriodSeconds=7
ProbeHandler: exec=1 httpGet=2 tcpSocket=3 grpc=4
ResourceClaim: name=1 request=2
ResourceFieldSelector: containerName=1 resource=2 divisor=3
ResourceRequirements: limits=1 requests=2 claims=3
SELinuxOptions: user=1 role=2 type=3 level=4
SeccompProfile: type=1 localhostProfile=2
SecretEnvSource: +LocalObjectReference=1 optional=2
SecretKeySelector: +LocalObjectReference=1 key=2 optional=3
SecurityContext: capabilities=1 privileged=2 seLinuxOptions=3 runAsUser=4 runAsNonRoot=5
    readOnlyRootFilesystem=6 allowPrivilegeEscalation=7 runAsGroup=8 procMount=9 windowsOptions=10
    seccompProfile=11 appArmorProfile=12
SleepAction: seconds=1
Sysctl: name=1 value=2
TCPSocketAction: port=1 host=2
TypedLocalObjectReference: apiGroup=1 kind=2 name=3
TypedObjectReference: apiGroup=1 kind=2 name=3 namespace=4
VolumeDevice: name=1 devicePath=2
VolumeMount: name=1 readOnly=2 mountPath=3 subPath=4 mountPropagation=5 subPathExpr=6 recursiveReadOnly=7
    bindMountOptions=8
VolumeResourceRequirements: limits=1 requests=2
WindowsSecurityContextOptions: gmsaCredentialSpecName=1 gmsaCredentialSpec=2 runAsUserName=3 hostProcess=4
""",
}
