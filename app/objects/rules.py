"""Which objects are rules of admission, and where they hold.

An API process and a worker admit a write on the view that they have. For that to be exact without a round trip
more, a commit that changes a rule notes its revision, and the commit of what was admitted on an older view is
rejected and admitted anew (`Guard`).
"""

from __future__ import annotations

from app.objects.change import Verb, Write, split_key

# The field under which the cluster's own rules are noted; a namespace's are noted under its name.
CLUSTER = "*"

_OF_CLUSTER = frozenset(
    {
        "priorityclasses.scheduling.k8s.io",
        "storageclasses.storage.k8s.io",
        "ingressclasses.networking.k8s.io",
        "runtimeclasses.node.k8s.io",
        "mutatingwebhookconfigurations.admissionregistration.k8s.io",
        "validatingwebhookconfigurations.admissionregistration.k8s.io",
        "validatingadmissionpolicies.admissionregistration.k8s.io",
        "validatingadmissionpolicybindings.admissionregistration.k8s.io",
        # No object may come of a definition that is being deleted, or it would outlive it.
        "customresourcedefinitions.apiextensions.k8s.io",
    }
)
_OF_NAMESPACE = frozenset({"limitranges", "resourcequotas", "serviceaccounts"})


def rules_of(write: Write) -> str:
    """Where the write changes rules: `CLUSTER`, the name of a namespace, or "" for nowhere."""
    resource = write.resource
    if resource in _OF_NAMESPACE:
        return "" if write.status_only else split_key(write.key)[0]
    if resource in _OF_CLUSTER:
        return CLUSTER
    if resource == "namespaces" and write.verb is Verb.UPDATE:
        # Its labels say which webhooks and which pod security level hold in it. One that is new has no content.
        return write.key
    return ""
