"""The host name of a pod, as its containers see it and as DNS knows it.

https://kubernetes.io/docs/concepts/services-networking/dns-pod-service/#pod-s-hostname-and-subdomain-fields
"""

from __future__ import annotations

from app.objects.change import Object

LABEL_MAX = 63
# The longest name that the kernel keeps (HOST_NAME_MAX).
NAME_MAX = 64


class TooLong(ValueError):
    """The full name is longer than a host's name may be."""


def short(pod: Object) -> str:
    """The pod's `hostname`, or its own name, cut to what a label of DNS may have; or `hostnameOverride` as it is."""
    spec = pod.get("spec") or {}
    if spec.get("hostnameOverride"):
        return str(spec["hostnameOverride"])
    return str(spec.get("hostname") or pod["metadata"]["name"])[:LABEL_MAX].rstrip("-.")


def full(pod: Object, domain: str) -> str:
    """With the pod's subdomain, namespace and the cluster's domain; the short one if it has no subdomain."""
    spec = pod.get("spec") or {}
    if not spec.get("subdomain") or spec.get("hostnameOverride"):
        return short(pod)
    return f"{short(pod)}.{spec['subdomain']}.{pod['metadata'].get('namespace', '')}.svc.{domain}"


def shown(pod: Object, domain: str) -> str:
    """What `hostname` prints inside: the full one with `setHostnameAsFQDN`.

    Raises:
        TooLong: the kernel does not take that much.
    """
    if not (pod.get("spec") or {}).get("setHostnameAsFQDN"):
        return short(pod)
    name = full(pod, domain)
    if len(name) > NAME_MAX:
        raise TooLong(
            f"failed to construct FQDN from pod hostname and cluster domain, FQDN {name} is too long "
            f"({NAME_MAX} is the max, {len(name)} is the length)"
        )
    return name
