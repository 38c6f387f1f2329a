"""Containers of a pod: image, command, environment, ports, mounts."""

from __future__ import annotations

from app.schemas.fields import Boolean, Int32, ListOf, String, Struct
from app.schemas.formats import dns_label, env_name, port_name, port_number
from app.schemas.types.core_base import Core
from app.schemas.types.core_probe import Lifecycle, Probe
from app.schemas.types.core_reference import (
    ConfigMapKeySelector,
    FileKeySelector,
    ObjectFieldSelector,
    ResourceFieldSelector,
    SecretKeySelector,
)
from app.schemas.types.core_resource import ResourceRequirements
from app.schemas.types.core_security import SecurityContext


class EnvVarSource(Core):
    """Where a variable's value comes from."""

    fieldRef = Struct(ObjectFieldSelector)
    resourceFieldRef = Struct(ResourceFieldSelector)
    configMapKeyRef = Struct(ConfigMapKeySelector)
    secretKeyRef = Struct(SecretKeySelector)
    fileKeyRef = Struct(FileKeySelector)


class EnvVar(Core):
    """An environment variable."""

    name = String("Name of the variable.", required=True, keep_zero=True, check=env_name)
    value = String("Its value; $(NAME) refers to variables before it.")
    valueFrom = Struct(EnvVarSource, "Where else the value comes from.")


class ConfigMapEnvSource(Core):
    """All keys of a ConfigMap as variables."""

    name = String()
    optional = Boolean(keep_zero=True)


class SecretEnvSource(Core):
    """All keys of a Secret as variables."""

    name = String()
    optional = Boolean(keep_zero=True)


class EnvFromSource(Core):
    """Many variables at once."""

    prefix = String()
    configMapRef = Struct(ConfigMapEnvSource)
    secretRef = Struct(SecretEnvSource)


class ContainerPort(Core):
    """A port a container listens on."""

    name = String("Name by which services can refer to it.", check=port_name)
    hostPort = Int32("Port on the node's address.", check=port_number)
    containerPort = Int32("Port on the pod's address.", required=True, keep_zero=True, check=port_number)
    protocol = String(go="v1.Protocol", default="TCP", choices=("SCTP", "TCP", "UDP"))
    hostIP = String()


class ContainerResizePolicy(Core):
    """Whether a container restarts when a resource is resized."""

    resourceName = String(go="v1.ResourceName", required=True, keep_zero=True)
    restartPolicy = String(
        go="v1.ResourceResizeRestartPolicy",
        required=True,
        keep_zero=True,
        choices=("NotRequired", "RestartContainer"),
    )


class ContainerRestartRuleOnExitCodes(Core):
    """Which exit codes a restart rule is for."""

    operator = String(go="v1.ContainerRestartRuleOnExitCodesOperator", required=True)
    values = ListOf(Int32(), list_type="set")


class ContainerRestartRule(Core):
    """What happens when a container exits in a certain way."""

    action = String(go="v1.ContainerRestartRuleAction", required=True)
    exitCodes = Struct(ContainerRestartRuleOnExitCodes)


class VolumeDevice(Core):
    """A block device inside a container."""

    name = String(required=True, keep_zero=True)
    devicePath = String(required=True, keep_zero=True)


class VolumeMount(Core):
    """Where a volume is seen inside a container."""

    name = String("Name of a volume of the pod.", required=True, keep_zero=True)
    readOnly = Boolean("Whether it can not be written to.")
    recursiveReadOnly = String(
        go="v1.RecursiveReadOnlyMode", keep_zero=True, choices=("Disabled", "Enabled", "IfPossible")
    )
    mountPath = String("Where it is seen inside.", required=True, keep_zero=True)
    subPath = String("Only this part of the volume.")
    mountPropagation = String(
        go="v1.MountPropagationMode", keep_zero=True, choices=("Bidirectional", "HostToContainer", "None")
    )
    subPathExpr = String()
    bindMountOptions = ListOf(String(), list_type="set")


class Container(Core):
    """A program that runs in a pod."""

    name = String("Unique in the pod; it can not be changed.", required=True, keep_zero=True, check=dns_label)
    image = String("What to run, such as nginx:1.27.", required=True)
    command = ListOf(String(), "Program and its first arguments, in place of the image's entrypoint.")
    args = ListOf(String(), "Arguments, in place of the image's command.")
    workingDir = String("Folder in which the program starts.")
    ports = ListOf(
        Struct(ContainerPort),
        "Ports the container listens on.",
        merge_key="containerPort",
        map_keys=("containerPort", "protocol"),
    )
    envFrom = ListOf(Struct(EnvFromSource), "ConfigMaps and Secrets whose keys become variables.")
    env = ListOf(Struct(EnvVar), "Environment variables.", merge_key="name")
    resources = Struct(
        ResourceRequirements, "CPU and memory it asks for and may use.", by_value=True, default={}
    )
    resizePolicy = ListOf(Struct(ContainerResizePolicy))
    restartPolicy = String(
        "For init containers: Always makes a sidecar of it.", go="v1.ContainerRestartPolicy", keep_zero=True
    )
    restartPolicyRules = ListOf(Struct(ContainerRestartRule))
    volumeMounts = ListOf(Struct(VolumeMount), "Volumes it sees, and where.", merge_key="mountPath")
    volumeDevices = ListOf(Struct(VolumeDevice), merge_key="devicePath")
    livenessProbe = Struct(Probe, "When it fails, the container is restarted.")
    readinessProbe = Struct(Probe, "While it fails, services send no traffic to the pod.")
    startupProbe = Struct(Probe, "Until it succeeds, the other probes wait.")
    lifecycle = Struct(Lifecycle, "Hooks after start and before stop.")
    terminationMessagePath = String(
        "File whose content becomes the termination message.", default="/dev/termination-log"
    )
    terminationMessagePolicy = String(
        go="v1.TerminationMessagePolicy", default="File", choices=("File", "FallbackToLogsOnError")
    )
    imagePullPolicy = String(
        "Always, Never or IfNotPresent; by default Always for the tag latest.",
        go="v1.PullPolicy",
        choices=("Always", "IfNotPresent", "Never"),
    )
    securityContext = Struct(SecurityContext, "Privileges.")
    stdin = Boolean()
    stdinOnce = Boolean()
    tty = Boolean()


class EphemeralContainer(Core):
    """A container added to a running pod to look into it."""

    name = String(required=True, keep_zero=True, check=dns_label)
    image = String(required=True)
    command = ListOf(String())
    args = ListOf(String())
    workingDir = String()
    ports = ListOf(Struct(ContainerPort), merge_key="containerPort", map_keys=("containerPort", "protocol"))
    envFrom = ListOf(Struct(EnvFromSource))
    env = ListOf(Struct(EnvVar), merge_key="name")
    resources = Struct(ResourceRequirements, by_value=True, default={})
    resizePolicy = ListOf(Struct(ContainerResizePolicy))
    restartPolicy = String(go="v1.ContainerRestartPolicy", keep_zero=True)
    restartPolicyRules = ListOf(Struct(ContainerRestartRule))
    volumeMounts = ListOf(Struct(VolumeMount), merge_key="mountPath")
    volumeDevices = ListOf(Struct(VolumeDevice), merge_key="devicePath")
    livenessProbe = Struct(Probe)
    readinessProbe = Struct(Probe)
    startupProbe = Struct(Probe)
    lifecycle = Struct(Lifecycle)
    terminationMessagePath = String(default="/dev/termination-log")
    terminationMessagePolicy = String(
        go="v1.TerminationMessagePolicy", default="File", choices=("File", "FallbackToLogsOnError")
    )
    imagePullPolicy = String(go="v1.PullPolicy", choices=("Always", "IfNotPresent", "Never"))
    securityContext = Struct(SecurityContext)
    stdin = Boolean()
    stdinOnce = Boolean()
    tty = Boolean()
    targetContainerName = String()
