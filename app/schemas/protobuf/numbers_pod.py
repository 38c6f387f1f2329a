"""Pods, where they may run, and what is observed of them: k8s.io/api/core/v1."""

from __future__ import annotations

TABLES = {
    "io.k8s.api.core.v1": """
Affinity: nodeAffinity=1 podAffinity=2 podAntiAffinity=3
Binding: metadata=1 target=2
ContainerExtendedResourceRequest: containerName=1 resourceName=2 requestName=3
ContainerState: waiting=1 running=2 terminated=3
ContainerStateRunning: startedAt=1
ContainerStateTerminated: exitCode=1 signal=2 reason=3 message=4 startedAt=5 finishedAt=6 containerID=7
ContainerStateWaiting: reason=1 message=2
ContainerStatus: name=1 state=2 lastState=3 ready=4 restartCount=5 image=6 imageID=7 containerID=8 started=9
    allocatedResources=10 resources=11 volumeMounts=12 user=13 allocatedResourcesStatus=14 stopSignal=15
ContainerUser: linux=1
EvictionResponder: name=1 priority=2
HostAlias: ip=1 hostnames=2
HostIP: ip=1
ImageVolumeStatus: imageRef=1
LinuxContainerUser: uid=1 gid=2 supplementalGroups=3
NodeAffinity: requiredDuringSchedulingIgnoredDuringExecution=1
    preferredDuringSchedulingIgnoredDuringExecution=2
NodeAllocatableMappedResources: name=1 quantity=2
NodeAllocatableOverheadResources: name=1 perPod=2 perContainer=3
NodeAllocatableResourceClaimStatus: resourceClaimName=1 containers=2 mapping=4 overhead=5
NodeSelector: nodeSelectorTerms=1
NodeSelectorRequirement: key=1 operator=2 values=3
NodeSelectorTerm: matchExpressions=1 matchFields=2
Pod: metadata=1 spec=2 status=3
PodAffinity: requiredDuringSchedulingIgnoredDuringExecution=1
    preferredDuringSchedulingIgnoredDuringExecution=2
PodAffinityTerm: labelSelector=1 namespaces=2 topologyKey=3 namespaceSelector=4 matchLabelKeys=5
    mismatchLabelKeys=6
PodAntiAffinity: requiredDuringSchedulingIgnoredDuringExecution=1
    preferredDuringSchedulingIgnoredDuringExecution=2
PodCondition: type=1 status=2 lastProbeTime=3 lastTransitionTime=4 reason=5 message=6 observedGeneration=7
PodDNSConfig: nameservers=1 searches=2 options=3
PodDNSConfigOption: name=1 value=2
PodExtendedResourceClaimStatus: requestMappings=1 resourceClaimName=2
PodIP: ip=1
PodOS: name=1
PodReadinessGate: conditionType=1
PodResourceClaim: name=1 resourceClaimName=3 resourceClaimTemplateName=4
PodResourceClaimStatus: name=1 resourceClaimName=2
PodSchedulingGate: name=1
PodSchedulingGroup: podGroupName=1
PodSpec: volumes=1 containers=2 restartPolicy=3 terminationGracePeriodSeconds=4 activeDeadlineSeconds=5
    dnsPolicy=6 nodeSelector=7 serviceAccountName=8 serviceAccount=9 nodeName=10 hostNetwork=11 hostPID=12
    hostIPC=13 securityContext=14 imagePullSecrets=15 hostname=16 subdomain=17 affinity=18 schedulerName=19
    initContainers=20 automountServiceAccountToken=21 tolerations=22 hostAliases=23 priorityClassName=24
    priority=25 dnsConfig=26 shareProcessNamespace=27 readinessGates=28 runtimeClassName=29
    enableServiceLinks=30 preemptionPolicy=31 overhead=32 topologySpreadConstraints=33
    ephemeralContainers=34 setHostnameAsFQDN=35 os=36 hostUsers=37 schedulingGates=38 resourceClaims=39
    resources=40 hostnameOverride=41 schedulingGroup=43 evictionResponders=44
PodStatus: phase=1 conditions=2 message=3 reason=4 hostIP=5 podIP=6 startTime=7 containerStatuses=8
    qosClass=9 initContainerStatuses=10 nominatedNodeName=11 podIPs=12 ephemeralContainerStatuses=13
    resize=14 resourceClaimStatuses=15 hostIPs=16 observedGeneration=17 extendedResourceClaimStatus=18
    allocatedResources=19 resources=20 nodeAllocatableResourceClaimStatuses=21 volumeHealth=22
PodTemplateSpec: metadata=1 spec=2
PodVolumeHealth: name=1 healthConditions=2 lastTransitionTime=3
PreferredSchedulingTerm: weight=1 preference=2
ResourceHealth: resourceID=1 health=2 message=6
ResourceStatus: name=1 resources=2
Toleration: key=1 operator=2 value=3 effect=4 tolerationSeconds=5
TopologySpreadConstraint: maxSkew=1 topologyKey=2 whenUnsatisfiable=3 labelSelector=4 minDomains=5
    nodeAffinityPolicy=6 nodeTaintsPolicy=7 matchLabelKeys=8
VolumeHealthCondition: status=1 reason=2 message=3
VolumeMountStatus: name=1 mountPath=2 readOnly=3 recursiveReadOnly=4 volumeStatus=5
VolumeStatus: image=1
WeightedPodAffinityTerm: weight=1 podAffinityTerm=2
""",
}
