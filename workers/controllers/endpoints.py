"""Endpoints: for each Service with a selector, which addresses answer for it now.

A pod marked for deletion stops being ready here at once, whatever its probes say: that is what lets
every node drop it before its containers are told to stop.
"""

from __future__ import annotations

from app.objects.change import Change, Object, ReadView
from app.objects.meta import is_deleting
from workers.controllers import classic_endpoints, endpoint_slices
from workers.controllers.interests import itself, owns, unless_same, watches
from workers.controllers.service_pods import backends, facts, selecting
from workers.reconcile.plan import NOTHING, Plan, Role

RESOURCE = "services"
NAME = "endpoint-controller"


def plan(view: ReadView, key: str, now: float) -> Plan:
    """Write the slices and the Endpoints that differ from what the pods say."""
    service = view.get(RESOURCE, key)
    if service is None:
        return Plan(tuple(classic_endpoints.leftover(view, key)), reason="the Service is gone")
    if not _has_selector(service) or is_deleting(service):
        return NOTHING
    found = backends(view, service)
    writes = endpoint_slices.writes(view, service, found)
    writes += classic_endpoints.writes(view, service, found)
    return Plan(tuple(writes), reason=f"{len(found)} pods with an address" if writes else "")


def _has_selector(service: Object) -> bool:
    return bool(service["spec"].get("selector")) and service["spec"].get("type") != "ExternalName"


def _service_facts(service: Object) -> object:
    meta = service["metadata"]
    return service["spec"], meta.get("labels"), meta.get("deletionTimestamp")


def _relevant(pod: Object, view: ReadView) -> list[str]:
    return [] if facts(pod) is None else selecting(pod, view)


def _by_others(change: Change) -> bool:
    """What this role wrote itself, it wrote knowing all there was."""
    return change.actor != NAME


ROLE = Role(
    NAME,
    plan,
    (
        itself(RESOURCE, unless_same(_service_facts)),
        watches("pods", _relevant, unless_same(facts), among=RESOURCE),
        owns(endpoint_slices.RESOURCE, "Service", _by_others),
        itself(classic_endpoints.RESOURCE, _by_others),
    ),
    lambda view: view.keys(RESOURCE),
)
