"""The baseline level: no known privilege escalations.

https://kubernetes.io/docs/concepts/security/pod-security-standards/#baseline
"""

from __future__ import annotations

from app.objects.change import Object
from app.registry.admission.pod_security.violation import (
    Violation,
    containers,
    named,
    plural,
    quoted,
    security,
    unique,
)

CAPABILITIES = frozenset(
    {
        "AUDIT_WRITE", "CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "MKNOD", "NET_BIND_SERVICE", "SETFCAP",
        "SETGID", "SETPCAP", "SETUID", "SYS_CHROOT",
    }
)  # fmt: skip
SYSCTLS = frozenset(
    {
        "kernel.shm_rmid_forced", "net.ipv4.ip_local_port_range", "net.ipv4.tcp_syncookies", "net.ipv4.ping_group_range",
        "net.ipv4.ip_unprivileged_port_start", "net.ipv4.ip_local_reserved_ports", "net.ipv4.tcp_keepalive_time",
        "net.ipv4.tcp_fin_timeout", "net.ipv4.tcp_keepalive_intvl", "net.ipv4.tcp_keepalive_probes",
        "net.ipv4.tcp_rmem", "net.ipv4.tcp_wmem",
    }
)  # fmt: skip
SELINUX_TYPES = ("", "container_t", "container_init_t", "container_kvm_t", "container_engine_t")
APPARMOR = "container.apparmor.security.beta.kubernetes.io/"


def host_namespaces(pod: Object) -> Violation | None:
    spec = pod["spec"]
    found = [f"{field}=true" for field in ("hostNetwork", "hostPID", "hostIPC") if spec.get(field)]
    return Violation("host namespaces", ", ".join(found)) if found else None


def privileged(pod: Object) -> Violation | None:
    bad = [c["name"] for c in containers(pod["spec"]) if security(c).get("privileged")]
    if not bad:
        return None
    return Violation("privileged", f"{named(bad)} must not set securityContext.privileged=true")


def capabilities(pod: Object) -> Violation | None:
    bad, forbidden = [], []
    for container in containers(pod["spec"]):
        added = (security(container).get("capabilities") or {}).get("add") or ()
        more = [name for name in added if name not in CAPABILITIES]
        if more:
            bad.append(container["name"])
            forbidden += more
    if not bad:
        return None
    listed = quoted(unique(forbidden))
    return Violation(
        "non-default capabilities",
        f"{named(bad)} must not include {listed} in securityContext.capabilities.add",
    )


def host_path(pod: Object) -> Violation | None:
    bad = [v["name"] for v in pod["spec"].get("volumes") or () if v.get("hostPath") is not None]
    return Violation("hostPath volumes", named(bad, "volume", "volumes")) if bad else None


def host_ports(pod: Object) -> Violation | None:
    bad, ports = [], []
    for container in containers(pod["spec"]):
        used = [p["hostPort"] for p in container.get("ports") or () if p.get("hostPort")]
        if used:
            bad.append(container["name"])
            ports += used
    if not bad:
        return None
    listed = sorted({str(port) for port in ports})
    return Violation(
        "hostPort", f"{named(bad)} {'uses' if len(bad) == 1 else 'use'} {plural('hostPort', len(listed))} "
        f"{', '.join(listed)}",
    )  # fmt: skip


def host_probes(pod: Object) -> Violation | None:
    bad, hosts = [], []
    for container in containers(pod["spec"]):
        handlers = [container.get(p) or {} for p in ("livenessProbe", "readinessProbe", "startupProbe")]
        handlers += [(container.get("lifecycle") or {}).get(h) or {} for h in ("postStart", "preStop")]
        found = [(h.get(w) or {}).get("host") for h in handlers for w in ("httpGet", "tcpSocket")]
        used = [host for host in found if host and host not in ("127.0.0.1", "::1")]
        if used:
            bad.append(container["name"])
            hosts += used
    if not bad:
        return None
    listed = quoted(unique(hosts))
    return Violation("probe or lifecycle host", f"{named(bad)} {'uses' if len(bad) == 1 else 'use'} {listed}")


def app_armor(pod: Object) -> Violation | None:
    spec, found = pod["spec"], []
    for key, value in ((pod.get("metadata") or {}).get("annotations") or {}).items():
        if (
            key.startswith(APPARMOR)
            and value not in ("", "runtime/default")
            and not value.startswith("localhost/")
        ):
            found.append(f'annotation "{key}={value}"')
    if (security(spec).get("appArmorProfile") or {}).get("type") == "Unconfined":
        found.append('pod must not set AppArmor profile type to "Unconfined"')
    bad = [
        c["name"]
        for c in containers(spec)
        if (security(c).get("appArmorProfile") or {}).get("type") == "Unconfined"
    ]
    if bad:
        found.append(f'{named(bad)} must not set AppArmor profile type to "Unconfined"')
    return Violation(plural("forbidden AppArmor profile", len(found)), ", ".join(found)) if found else None


def selinux(pod: Object) -> Violation | None:
    spec = pod["spec"]
    at: list[str] = []
    problems: set[str] = set()
    named_bad: list[str] = []
    for place, context in [("", security(spec)), *((c["name"], security(c)) for c in containers(spec))]:
        options = context.get("seLinuxOptions") or {}
        wrong = set()
        if (options.get("type") or "") not in SELINUX_TYPES:
            wrong.add(f'type "{options["type"]}"')
        for field in ("user", "role"):
            if options.get(field):
                wrong.add(f"{field} may not be set")
        if wrong:
            problems |= wrong
            if place:
                named_bad.append(place)
            else:
                at.append("pod")
    if not problems:
        return None
    who = " and ".join([*at, *([named(named_bad)] if named_bad else [])])
    return Violation(
        "seLinuxOptions", f"{who} set forbidden securityContext.seLinuxOptions: {'; '.join(sorted(problems))}"
    )


def proc_mount(pod: Object) -> Violation | None:
    bad = [
        c["name"]
        for c in containers(pod["spec"])
        if security(c).get("procMount") not in (None, "", "Default")
    ]
    kinds = unique(
        security(c)["procMount"]
        for c in containers(pod["spec"])
        if security(c).get("procMount") not in (None, "", "Default")
    )
    if not bad:
        return None
    return Violation("procMount", f"{named(bad)} must not set securityContext.procMount to {quoted(kinds)}")


def seccomp(pod: Object) -> Violation | None:
    spec, found = pod["spec"], []
    if (security(spec).get("seccompProfile") or {}).get("type") == "Unconfined":
        found.append('pod must not set securityContext.seccompProfile.type to "Unconfined"')
    bad = [
        c["name"]
        for c in containers(spec)
        if (security(c).get("seccompProfile") or {}).get("type") == "Unconfined"
    ]
    if bad:
        found.append(f'{named(bad)} must not set securityContext.seccompProfile.type to "Unconfined"')
    return Violation("seccompProfile", ", ".join(found)) if found else None


def sysctls(pod: Object) -> Violation | None:
    bad = [s["name"] for s in security(pod["spec"]).get("sysctls") or () if s.get("name") not in SYSCTLS]
    return Violation("forbidden sysctls", ", ".join(bad)) if bad else None


def host_process(pod: Object) -> Violation | None:
    spec = pod["spec"]
    found = []
    if (security(spec).get("windowsOptions") or {}).get("hostProcess"):
        found.append("pod")
    bad = [
        c["name"] for c in containers(spec) if (security(c).get("windowsOptions") or {}).get("hostProcess")
    ]
    if bad:
        found.append(named(bad))
    if not found:
        return None
    return Violation(
        "hostProcess", f"{' and '.join(found)} must not set securityContext.windowsOptions.hostProcess=true"
    )


CHECKS = (
    app_armor, capabilities, host_namespaces, host_path, host_ports, host_probes, privileged, proc_mount, selinux,
    seccomp, sysctls, host_process,
)  # fmt: skip
