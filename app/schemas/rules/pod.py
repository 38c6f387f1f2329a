"""Rules for pods and pod templates (k8s.io/kubernetes/pkg/apis/core/validation)."""

from __future__ import annotations

from app.objects.change import Object
from app.schemas.faults import Faults
from app.schemas.formats import qualified_name
from app.schemas.rules.ephemeral import ephemeral_containers
from app.schemas.rules.meta import labels
from app.schemas.rules.mount import devices, mounts
from app.schemas.rules.pod_level import pod_level
from app.schemas.rules.resize import resize_policy
from app.schemas.rules.restart import restart_rules, stop_signal

CONTAINERS = ("containers", "initContainers", "ephemeralContainers")
# Only for those that keep running; an init container ends, so there is nothing to probe.
RUNNING_ONLY = ("lifecycle", "livenessProbe", "readinessProbe", "startupProbe")


def pod_spec(spec: Object, path: str, faults: Faults) -> None:
    volumes = _volumes(spec, path, faults)
    names: set[str] = set()
    ports: set[str] = set()
    for section in CONTAINERS:
        for i, container in enumerate(spec.get(section) or ()):
            where = f"{path}.{section}[{i}]"
            name = container.get("name")
            if name and name in names:
                faults.duplicate(f"{where}.name", name)
            names.add(name)
            if container.get("volumeMounts"):
                mounts(container, volumes, where, faults)
            if container.get("volumeDevices"):
                devices(container, volumes, where, faults)
            if container.get("resizePolicy"):
                resize_policy(container["resizePolicy"], spec, f"{where}.resizePolicy", faults)
            if container.get("ports"):
                _host_port(container, set() if section == "initContainers" else ports, where, faults)
            if container.get("lifecycle"):
                _sleeping(container, spec.get("terminationGracePeriodSeconds"), where, faults)
                stop_signal(container, spec, where, faults)
            if container.get("restartPolicy") is not None or container.get("restartPolicyRules"):
                restart_rules(container, where, faults)
            if section == "initContainers" and container.get("restartPolicy") != "Always":
                _ending(container, where, faults)
            if spec.get("hostNetwork"):
                _host_ports(container, where, faults)
    if spec.get("nodeSelector"):
        labels(spec["nodeSelector"], f"{path}.nodeSelector", faults)
    if spec.get("dnsPolicy") == "None" and spec.get("dnsConfig") is None:
        faults.required(f"{path}.dnsConfig", "must provide `dnsConfig` when `dnsPolicy` is None")
    elif spec.get("dnsPolicy") == "None" and not spec["dnsConfig"].get("nameservers"):
        faults.required(
            f"{path}.dnsConfig.nameservers",
            "must provide at least one DNS nameserver when `dnsPolicy` is None",
        )
    _spread(spec, path, faults)
    if spec.get("resources"):
        pod_level(spec, path, faults)
    if spec.get("schedulingGates"):
        _gates(spec["schedulingGates"], f"{path}.schedulingGates", faults)
    if spec.get("ephemeralContainers"):
        ephemeral_containers(spec, path, faults)
    if spec.get("hostPID") and spec.get("shareProcessNamespace"):
        faults.invalid(
            f"{path}.securityContext.shareProcessNamespace",
            True,
            "ShareProcessNamespace and HostPID cannot both be enabled",
        )


def _volumes(spec: Object, path: str, faults: Faults) -> dict[str, Object]:
    """The pod's volumes by name."""
    names: dict[str, Object] = {}
    for i, volume in enumerate(spec.get("volumes") or ()):
        name = volume.get("name", "")
        if name and name in names:
            faults.duplicate(f"{path}.volumes[{i}].name", name)
        names[name] = volume
        sources = [key for key in volume if key != "name"]
        if not sources:
            faults.required(f"{path}.volumes[{i}]", "must specify a volume type")
        for extra in sources[1:]:
            faults.forbidden(f"{path}.volumes[{i}].{extra}", "may not specify more than 1 volume type")
    return names


def _ending(container: Object, path: str, faults: Faults) -> None:
    for field in RUNNING_ONLY:
        if container.get(field) is not None:
            faults.forbidden(
                f"{path}.{field}", "may not be set for init containers without restartPolicy=Always"
            )


def _host_ports(container: Object, path: str, faults: Faults) -> None:
    for i, port in enumerate(container.get("ports") or ()):
        if port.get("hostPort") and port["hostPort"] != port.get("containerPort"):
            faults.invalid(
                f"{path}.ports[{i}].hostPort",
                port["hostPort"],
                "must match `containerPort` when `hostNetwork` is true",
            )


def _spread(spec: Object, path: str, faults: Faults) -> None:
    seen: set[tuple[str, str]] = set()
    for i, constraint in enumerate(spec.get("topologySpreadConstraints") or ()):
        where = f"{path}.topologySpreadConstraints[{i}]"
        key = (constraint.get("topologyKey", ""), constraint.get("whenUnsatisfiable", ""))
        if key in seen:
            faults.duplicate(f"{where}.{{topologyKey, whenUnsatisfiable}}", f"{{{key[0]}, {key[1]}}}")
        seen.add(key)


def _gates(gates: list[Object], path: str, faults: Faults) -> None:
    seen: set[str] = set()
    for i, gate in enumerate(gates):
        name = gate.get("name") or ""
        faults.all_invalid(f"{path}[{i}]", name, qualified_name(name))
        if name in seen:
            faults.duplicate(f"{path}[{i}]", name)
        seen.add(name)


def _host_port(container: Object, taken: set[str], path: str, faults: Faults) -> None:
    """No two containers have one port of the node."""
    for i, port in enumerate(container.get("ports") or ()):
        if port.get("hostPort"):
            text = f"{port.get('protocol', 'TCP')}/{port.get('hostIP') or ''}/{port['hostPort']}"
            if text in taken:
                faults.duplicate(f"{path}.ports[{i}].hostPort", text)
            taken.add(text)


def _sleeping(container: Object, grace: int | None, path: str, faults: Faults) -> None:
    """A hook can't sleep for longer than the pod may take to end."""
    lifecycle = container["lifecycle"]
    for hook in ("postStart", "preStop"):
        sleep = (lifecycle.get(hook) or {}).get("sleep")
        if sleep is None or grace is None:
            continue
        seconds = sleep.get("seconds", 0)
        if seconds < 0 or seconds > grace:
            faults.invalid(
                f"{path}.lifecycle.{hook}.sleep",
                seconds,
                f"must be non-negative and less than terminationGracePeriodSeconds ({grace})",
            )
