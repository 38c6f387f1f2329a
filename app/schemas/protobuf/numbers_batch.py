"""Jobs, cron jobs, autoscalers and disruption budgets."""

from __future__ import annotations

TABLES = {
    "io.k8s.api.batch.v1": """
CronJob: metadata=1 spec=2 status=3
CronJobSpec: schedule=1 startingDeadlineSeconds=2 concurrencyPolicy=3 suspend=4 jobTemplate=5
    successfulJobsHistoryLimit=6 failedJobsHistoryLimit=7 timeZone=8
CronJobStatus: active=1 lastScheduleTime=4 lastSuccessfulTime=5
Job: metadata=1 spec=2 status=3
JobCondition: type=1 status=2 lastProbeTime=3 lastTransitionTime=4 reason=5 message=6
JobSchedulingConfiguration: schedulingPolicy=1 schedulingConstraints=2 disruptionMode=3 resourceClaims=4
JobSpec: parallelism=1 completions=2 activeDeadlineSeconds=3 selector=4 manualSelector=5 template=6
    backoffLimit=7 ttlSecondsAfterFinished=8 completionMode=9 suspend=10 podFailurePolicy=11
    backoffLimitPerIndex=12 maxFailedIndexes=13 podReplacementPolicy=14 managedBy=15 successPolicy=16
    scheduling=17
JobStatus: conditions=1 startTime=2 completionTime=3 active=4 succeeded=5 failed=6 completedIndexes=7
    uncountedTerminatedPods=8 ready=9 failedIndexes=10 terminating=11
JobTemplateSpec: metadata=1 spec=2
PodFailurePolicy: rules=1
PodFailurePolicyOnExitCodesRequirement: containerName=1 operator=2 values=3
PodFailurePolicyOnPodConditionsPattern: type=1 status=2
PodFailurePolicyRule: action=1 onExitCodes=2 onPodConditions=3
SuccessPolicy: rules=1
SuccessPolicyRule: succeededIndexes=1 succeededCount=2
UncountedTerminatedPods: succeeded=1 failed=2
""",
    "io.k8s.api.autoscaling.v2": """
ContainerResourceMetricSource: name=1 target=2 container=3
ContainerResourceMetricStatus: name=1 current=2 container=3
CrossVersionObjectReference: kind=1 name=2 apiVersion=3
ExternalMetricSource: metric=1 target=2
ExternalMetricStatus: metric=1 current=2
HPAScalingPolicy: type=1 value=2 periodSeconds=3
HPAScalingRules: selectPolicy=1 policies=2 stabilizationWindowSeconds=3 tolerance=4
HorizontalPodAutoscaler: metadata=1 spec=2 status=3
HorizontalPodAutoscalerBehavior: scaleUp=1 scaleDown=2
HorizontalPodAutoscalerCondition: type=1 status=2 lastTransitionTime=3 reason=4 message=5 observedGeneration=6
HorizontalPodAutoscalerSpec: scaleTargetRef=1 minReplicas=2 maxReplicas=3 metrics=4 behavior=5
HorizontalPodAutoscalerStatus: observedGeneration=1 lastScaleTime=2 currentReplicas=3 desiredReplicas=4
    currentMetrics=5 conditions=6
MetricIdentifier: name=1 selector=2
MetricSpec: type=1 object=2 pods=3 resource=4 external=5 containerResource=7
MetricStatus: type=1 object=2 pods=3 resource=4 external=5 containerResource=7
MetricTarget: type=1 value=2 averageValue=3 averageUtilization=4
MetricValueStatus: value=1 averageValue=2 averageUtilization=3
ObjectMetricSource: describedObject=1 target=2 metric=3
ObjectMetricStatus: metric=1 current=2 describedObject=3
PodsMetricSource: metric=1 target=2
PodsMetricStatus: metric=1 current=2
ResourceMetricSource: name=1 target=2
ResourceMetricStatus: name=1 current=2
""",
    "io.k8s.api.scheduling.v1alpha3": """
TopologyConstraint: key=1
WorkloadPodGroupAllDisruptionMode:
WorkloadPodGroupBasicSchedulingPolicy:
WorkloadPodGroupDisruptionMode: single=1 all=2
WorkloadPodGroupGangSchedulingPolicy: minCount=1
WorkloadPodGroupResourceClaim: name=1 resourceClaimName=2 resourceClaimTemplateName=3
WorkloadPodGroupSchedulingConstraints: topology=1
WorkloadPodGroupSchedulingPolicy: basic=1 gang=2
WorkloadPodGroupSingleDisruptionMode:
""",
}
