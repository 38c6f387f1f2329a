"""One request on its way through the chain, as the verbs of the registry see it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import TYPE_CHECKING

from app.objects.admitted import admitted_pod
from app.objects.change import Guard, Object
from app.registry.admission import chain
from app.registry.admission.attributes import Attributes, Operation, Surroundings
from app.registry.admission.quota import plugin as quota
from app.registry.admission.quota.turns import Turns
from app.registry.request import DeleteOptions, Request
from app.schemas.kinds import Kind

if TYPE_CHECKING:
    from app.registry.registry import Registry


# Why a commit may reject what was admitted: on a newer view it is admitted anew.
OUTDATED = ("rules", "charged")
# How often that may happen. Whenever it does, another write went through.
CONTESTED = 500


class Admission:
    """A request that plugins have had their turn to change: `obj` is what they made of it.

    It stands on the view as it was when it began; `charged` gives the guard under which it may be committed.
    """

    def __init__(self, attributes: Attributes, around: Surroundings) -> None:
        self._attributes = attributes
        self._around = around
        self._revision = around.view.revision
        chain.mutate(attributes, around)
        if (
            attributes.kind.resource == "pods"
            and attributes.operation == "CREATE"
            and not attributes.subresource
            and attributes.obj is not None
        ):
            attributes.obj = admitted_pod(attributes.obj, around.settings.unreachable_toleration)
        self._obj = attributes.obj

    @property
    def obj(self) -> Object:
        """What is to be completed, validated and stored."""
        assert self._obj is not None
        return self._obj

    def validate(self, obj: Object | None) -> None:
        """Let the plugins that only refuse look at what is to be stored (None: nothing, for a delete).

        Raises:
            Forbidden: one refuses. ApiError: a webhook does, or could not be asked.
        """
        attributes = self._attributes
        attributes.obj = obj
        if obj is not None:
            attributes.name = obj["metadata"].get("name") or attributes.name
        chain.validate(attributes, self._around)

    def charged(self, turns: Turns) -> AbstractContextManager[Guard]:
        """Charge what was validated to the quotas of its namespace. Within, commit it under the guard.

        Raises:
            Forbidden: a quota is exceeded.
        """
        attributes, around = self._attributes, self._around
        if quota.holds(attributes, around):
            return self._in_turn(turns)
        return nullcontext(Guard(attributes.namespace, self._revision))

    @contextmanager
    def _in_turn(self, turns: Turns) -> Iterator[Guard]:
        attributes, around = self._attributes, self._around
        with turns.of(attributes.namespace):
            around.fresh()
            with around.lock:
                counted = around.view.revision
                charges = quota.charge_to(attributes, around)
            yield Guard(attributes.namespace, self._revision, counted if charges else None)


def surroundings(registry: Registry) -> Surroundings:
    """What plugins look at in an API process."""
    return Surroundings(
        view=registry.view,
        lock=registry.view.lock,
        settings=registry.settings,
        ids=registry.ids,
        fresh=registry.view.catch_up,
        usage=registry.quota_ledger,
        webhooks=registry.webhooks,
    )


def of_create(
    registry: Registry, request: Request, kind: Kind, obj: Object, subresource: str = ""
) -> Admission:
    """Raises Forbidden, or ApiError for a webhook's sake; as all of these."""
    return _begin(registry, request, kind, "CREATE", obj, None, subresource)


def of_update(
    registry: Registry, request: Request, kind: Kind, old: Object, new: Object, subresource: str = ""
) -> Admission:
    return _begin(registry, request, kind, "UPDATE", new, old, subresource)


def of_delete(registry: Registry, request: Request, kind: Kind, old: Object, options: DeleteOptions) -> None:
    said: Object = {"kind": "DeleteOptions", "apiVersion": "meta.k8s.io/v1"}
    if options.grace is not None:
        said["gracePeriodSeconds"] = options.grace
    if options.propagation is not None:
        said["propagationPolicy"] = options.propagation
    _begin(registry, request, kind, "DELETE", None, old, "", said).validate(None)


def of_subresource(
    registry: Registry,
    request: Request,
    kind: Kind,
    namespace: str,
    name: str,
    subresource: str,
    body: Kind,
    obj: Object,
) -> None:
    """A subresource is POSTed that is an object of its own kind: a pod's eviction or binding, an account's token."""
    whole = {**obj, "apiVersion": body.api_version, "kind": body.kind}
    attributes = _asked(request, kind, "CREATE", namespace, name, whole, subresource=subresource, body=body)
    _admit(registry, attributes)


def of_connect(
    registry: Registry,
    request: Request,
    kind: Kind,
    namespace: str,
    name: str,
    subresource: str,
    options: Object | None = None,
) -> None:
    """A connection (exec, attach, port-forward, proxy) is about to be made. `options` is the object that stands for
    its parameters, such as PodExecOptions."""
    obj = options or {"metadata": {}}
    attributes = _asked(request, kind, "CONNECT", namespace, name, obj, subresource=subresource)
    # A connection is made or not; there is no trying it.
    attributes.dry_run = False
    _admit(registry, attributes)


def _admit(registry: Registry, attributes: Attributes) -> None:
    """The whole chain for what is not stored itself."""
    around = surroundings(registry)
    chain.mutate(attributes, around)
    chain.validate(attributes, around)


def _begin(
    registry: Registry,
    request: Request,
    kind: Kind,
    operation: Operation,
    obj: Object | None,
    old: Object | None,
    subresource: str,
    options: Object | None = None,
) -> Admission:
    meta = (obj if obj is not None else old or {})["metadata"]
    namespace = meta.get("namespace") or ""
    name = meta.get("name") or ""
    attributes = _asked(request, kind, operation, namespace, name, obj, old, subresource, options)
    return Admission(attributes, surroundings(registry))


def _asked(
    request: Request,
    kind: Kind,
    operation: Operation,
    namespace: str,
    name: str,
    obj: Object | None,
    old: Object | None = None,
    subresource: str = "",
    options: Object | None = None,
    body: Kind | None = None,
) -> Attributes:
    return Attributes(
        kind, operation, namespace, name, obj, old, subresource, options, request.user, request.uid,
        request.groups, request.trace, request.dry_run, request.warnings, request.annotations, body,
    )  # fmt: skip
