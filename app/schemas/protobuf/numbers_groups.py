"""The groups beside core that have few types."""

from __future__ import annotations

TABLES = {
    "io.k8s.api.apps.v1": """
Deployment: metadata=1 spec=2 status=3
DeploymentCondition: type=1 status=2 reason=4 message=5 lastUpdateTime=6 lastTransitionTime=7
DeploymentSpec: replicas=1 selector=2 template=3 strategy=4 minReadySeconds=5 revisionHistoryLimit=6
    paused=7 progressDeadlineSeconds=9
DeploymentStatus: observedGeneration=1 replicas=2 updatedReplicas=3 availableReplicas=4
    unavailableReplicas=5 conditions=6 readyReplicas=7 collisionCount=8 terminatingReplicas=9
DeploymentStrategy: type=1 rollingUpdate=2
ReplicaSet: metadata=1 spec=2 status=3
ReplicaSetCondition: type=1 status=2 lastTransitionTime=3 reason=4 message=5
ReplicaSetSpec: replicas=1 selector=2 template=3 minReadySeconds=4
ReplicaSetStatus: replicas=1 fullyLabeledReplicas=2 observedGeneration=3 readyReplicas=4 availableReplicas=5
    conditions=6 terminatingReplicas=7
RollingUpdateDeployment: maxUnavailable=1 maxSurge=2
""",
    "io.k8s.api.autoscaling.v1": """
CrossVersionObjectReference: kind=1 name=2 apiVersion=3
HorizontalPodAutoscaler: metadata=1 spec=2 status=3
HorizontalPodAutoscalerSpec: scaleTargetRef=1 minReplicas=2 maxReplicas=3 targetCPUUtilizationPercentage=4
HorizontalPodAutoscalerStatus: observedGeneration=1 lastScaleTime=2 currentReplicas=3 desiredReplicas=4
    currentCPUUtilizationPercentage=5
Scale: metadata=1 spec=2 status=3
ScaleSpec: replicas=1
ScaleStatus: replicas=1 selector=2
""",
    "io.k8s.api.coordination.v1": """
Lease: metadata=1 spec=2
LeaseSpec: holderIdentity=1 leaseDurationSeconds=2 acquireTime=3 renewTime=4 leaseTransitions=5 strategy=6
    preferredHolder=7
""",
    "io.k8s.api.discovery.v1": """
Endpoint: addresses=1 conditions=2 hostname=3 targetRef=4 deprecatedTopology=5 nodeName=6 zone=7 hints=8
EndpointConditions: ready=1 serving=2 terminating=3
EndpointHints: forZones=1 forNodes=2
EndpointPort: name=1 protocol=2 port=3 appProtocol=4
EndpointSlice: metadata=1 endpoints=2 ports=3 addressType=4
ForNode: name=1
ForZone: name=1
""",
    "io.k8s.api.events.v1": """
Event: metadata=1 eventTime=2 series=3 reportingController=4 reportingInstance=5 action=6 reason=7 regarding=8
    related=9 note=10 type=11 deprecatedSource=12 deprecatedFirstTimestamp=13 deprecatedLastTimestamp=14
    deprecatedCount=15
EventSeries: count=1 lastObservedTime=2
""",
    "io.k8s.api.policy.v1": """
Eviction: metadata=1 deleteOptions=2
PodDisruptionBudget: metadata=1 spec=2 status=3
PodDisruptionBudgetSpec: minAvailable=1 selector=2 maxUnavailable=3 unhealthyPodEvictionPolicy=4
PodDisruptionBudgetStatus: observedGeneration=1 disruptedPods=2 disruptionsAllowed=3 currentHealthy=4
    desiredHealthy=5 expectedPods=6 conditions=7
""",
}
