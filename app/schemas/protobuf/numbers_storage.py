"""Storage: persistent volumes and claims of core, and k8s.io/api/storage/v1."""

from __future__ import annotations

TABLES = {
    "io.k8s.api.core.v1": """
AzureFilePersistentVolumeSource: secretName=1 shareName=2 readOnly=3 secretNamespace=4
CSIPersistentVolumeSource: driver=1 volumeHandle=2 readOnly=3 fsType=4 volumeAttributes=5
    controllerPublishSecretRef=6 nodeStageSecretRef=7 nodePublishSecretRef=8 controllerExpandSecretRef=9
    nodeExpandSecretRef=10
CephFSPersistentVolumeSource: monitors=1 path=2 user=3 secretFile=4 secretRef=5 readOnly=6
CinderPersistentVolumeSource: volumeID=1 fsType=2 readOnly=3 secretRef=4
FlexPersistentVolumeSource: driver=1 fsType=2 secretRef=3 readOnly=4 options=5
GlusterfsPersistentVolumeSource: endpoints=1 path=2 readOnly=3 endpointsNamespace=4
ISCSIPersistentVolumeSource: targetPortal=1 iqn=2 lun=3 iscsiInterface=4 fsType=5 readOnly=6 portals=7
    chapAuthDiscovery=8 secretRef=10 chapAuthSession=11 initiatorName=12
LocalVolumeSource: path=1 fsType=2
ModifyVolumeStatus: targetVolumeAttributesClassName=1 status=2
PersistentVolume: metadata=1 spec=2 status=3
PersistentVolumeClaim: metadata=1 spec=2 status=3
PersistentVolumeClaimCondition: type=1 status=2 lastProbeTime=3 lastTransitionTime=4 reason=5 message=6
PersistentVolumeClaimStatus: phase=1 accessModes=2 capacity=3 conditions=4 allocatedResources=5
    allocatedResourceStatuses=7 currentVolumeAttributesClassName=8 modifyVolumeStatus=9 healthStatus=10
PersistentVolumeSource: gcePersistentDisk=1 awsElasticBlockStore=2 hostPath=3 glusterfs=4 nfs=5 rbd=6 iscsi=7
    cinder=8 cephfs=9 fc=10 flocker=11 flexVolume=12 azureFile=13 vsphereVolume=14 quobyte=15 azureDisk=16
    photonPersistentDisk=17 portworxVolume=18 scaleIO=19 local=20 storageos=21 csi=22
PersistentVolumeSpec: capacity=1 +PersistentVolumeSource=2 accessModes=3 claimRef=4
    persistentVolumeReclaimPolicy=5 storageClassName=6 mountOptions=7 volumeMode=8 nodeAffinity=9
    volumeAttributesClassName=10
PersistentVolumeStatus: phase=1 message=2 reason=3 lastPhaseTransitionTime=4
RBDPersistentVolumeSource: monitors=1 image=2 fsType=3 pool=4 user=5 keyring=6 secretRef=7 readOnly=8
ScaleIOPersistentVolumeSource: gateway=1 system=2 secretRef=3 sslEnabled=4 protectionDomain=5 storagePool=6
    storageMode=7 volumeName=8 fsType=9 readOnly=10
SecretReference: name=1 namespace=2
StorageOSPersistentVolumeSource: volumeName=1 volumeNamespace=2 fsType=3 readOnly=4 secretRef=5
TopologySelectorLabelRequirement: key=1 values=2
TopologySelectorTerm: matchLabelExpressions=1
VolumeHealthStatus: healthConditions=1 lastTransitionTime=2
VolumeNodeAffinity: required=1
""",
    "io.k8s.api.storage.v1": """
CSIDriver: metadata=1 spec=2
CSIDriverSpec: attachRequired=1 podInfoOnMount=2 volumeLifecycleModes=3 storageCapacity=4 fsGroupPolicy=5
    tokenRequests=6 requiresRepublish=7 seLinuxMount=8 nodeAllocatableUpdatePeriodSeconds=9
    serviceAccountTokenInSecrets=10 preventPodSchedulingIfMissing=11
CSINode: metadata=1 spec=2 status=3
CSINodeDriver: name=1 nodeID=2 topologyKeys=3 allocatable=4
CSINodeSpec: drivers=1
CSINodeStatus: storageHealth=1
CSIStorageCapacity: metadata=1 nodeTopology=2 storageClassName=3 capacity=4 maximumVolumeSize=5
StorageClass: metadata=1 provisioner=2 parameters=3 reclaimPolicy=4 mountOptions=5 allowVolumeExpansion=6
    volumeBindingMode=7 allowedTopologies=8
StorageHealth: name=1 healthConditions=2
StorageHealthCondition: status=1 reason=2 message=3 accessMode=4 volumeMode=5 lastTransitionTime=6
TokenRequest: audience=1 expirationSeconds=2
VolumeAttachment: metadata=1 spec=2 status=3
VolumeAttachmentSource: persistentVolumeName=1 inlineVolumeSpec=2
VolumeAttachmentSpec: attacher=1 source=2 nodeName=3
VolumeAttachmentStatus: attached=1 attachmentMetadata=2 attachError=3 detachError=4
VolumeAttributesClass: metadata=1 driverName=2 parameters=3
VolumeError: time=1 message=2 errorCode=3
VolumeNodeResources: count=1
""",
}
