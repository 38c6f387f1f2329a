"""Admission of what controllers create: the same chain as for what clients create (`app.registry.admission`).

In Kubernetes controllers are clients of the API like any other. Here they commit to the store themselves, many
objects at once, so admission comes to them: over the view on which they planned, and guarded like a client's
(`Guard`). A thousand pods of one template are admitted once.

What controllers change or delete is not shown to plugins or webhooks; nothing of it uses up quota.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from typing import Any, Protocol

import orjson

from app.base.clock import Clock
from app.base.errors import ApiError
from app.base.ids import Ids
from app.base.settings import Settings
from app.objects.admitted import admitted_pod
from app.objects.change import Guard, Object, ReadView, Verb, Write
from app.objects.meta import controller_of
from app.objects.quota_ledger import Ledger
from app.registry.admission import chain
from app.registry.admission.attributes import Attributes, Surroundings
from app.registry.admission.policies import plugin as policies
from app.registry.admission.quota import plugin as quota
from app.registry.admission.webhooks import mutating, validating
from app.registry.admission.webhooks.calls import Caller
from app.schemas import kinds, validate
from app.schemas.kinds import Kind
from workers.reconcile.plan import EventNote

# So many objects of a plan are shown to webhooks at a time, and for so many seconds, well below a worker's lease; what
# is left then is planned anew.
AT_A_TIME = 8
PATIENCE = 5.0
GROUPS = ("system:serviceaccounts", "system:serviceaccounts:kube-system", "system:authenticated")


class LockedView(ReadView, Protocol):
    """A view that others may bring up to date meanwhile."""

    @property
    def lock(self) -> Any: ...


@dataclass(frozen=True, slots=True)
class Admitted:
    """What may be committed, in its order, and what may not, with the reason. `later`: what webhooks had no time to
    look at yet."""

    writes: list[Write]
    refused: list[tuple[Write, ApiError]]
    later: list[Write]

    def notes(self, view: ReadView) -> list[EventNote]:
        """The Events by which a user learns of refusals: on the owners, one for each reason."""
        found: dict[tuple[str, str], EventNote] = {}
        for write, error in self.refused:
            owner = _owner(view, write.obj)
            if owner is not None:
                text = f"Error creating: {error.message}"
                note = EventNote(owner, "FailedCreate", text, "Warning")
                found.setdefault((owner["metadata"]["uid"], text), note)
        return list(found.values())


class Admitter:
    """Admits the writes of plans.

    Args:
        webhooks: calls them; None if none may be called.
    """

    def __init__(
        self, view: LockedView, settings: Settings, clock: Clock, ids: Ids, webhooks: Caller | None = None
    ) -> None:
        self._view = view
        self._clock = clock
        self._settings = settings
        self._ids = ids
        self._webhooks = webhooks
        self._usage = Ledger(view)

    def admit(self, role: str, writes: Sequence[Write], revision: int) -> Admitted:
        """What may be committed of the writes that `role` planned on the view at `revision`. Webhooks are called, so
        this may take seconds; don't hold the view's lock."""
        if not any(write.verb is Verb.CREATE for write in writes):
            return Admitted(list(writes), [], [])
        turn = _Turn(self._view, self._around(), self._clock, role, revision)
        turn.consult(writes)
        for write in writes:
            turn.take(write)
        return Admitted(turn.writes, turn.refused, turn.later)

    def _around(self) -> Surroundings:
        lock: AbstractContextManager[object] = self._view.lock
        # A plan's view was brought up to date just now.
        return Surroundings(
            self._view, lock, self._settings, self._ids, lambda: None, self._usage, self._webhooks
        )


class _Turn:
    """One plan's writes."""

    def __init__(self, view: ReadView, around: Surroundings, clock: Clock, role: str, revision: int) -> None:
        self.writes: list[Write] = []
        self.refused: list[tuple[Write, ApiError]] = []
        self.later: list[Write] = []
        self._clock = clock
        self._view = view
        self._around = around
        self._user = f"system:serviceaccount:kube-system:{role}"
        self._revision = revision
        self._concerned: dict[tuple[str, str], Kind | None] = {}
        self._alike: dict[tuple[int, str, bytes], Object | ApiError] = {}
        self._consulted: dict[int, Object | ApiError | None] = {}
        # These may look at what pods of one template differ in.
        self._hooked = mutating.any_hooks(view) or validating.any_hooks(view) or policies.any_policies(view)

    def consult(self, writes: Sequence[Write]) -> None:
        """Where webhooks are asked, ask them about all that is to be created, some at a time."""
        if not self._hooked:
            return
        asked = []
        for write in writes:
            namespace = str(write.obj["metadata"].get("namespace") or "")
            if write.verb is Verb.CREATE and (kind := self._kind(write.resource, namespace)) is not None:
                asked.append((kind, namespace, write.obj))
        end = self._clock.monotonic() + PATIENCE
        failed: list[ApiError] = []

        def one(each: tuple[Kind, str, Object]) -> Object | ApiError | None:
            if failed:
                return failed[0]  # who did not answer once need not be waited for again and again
            if self._clock.monotonic() > end:
                return None
            try:
                return self._through(*each)
            except ApiError as exc:
                if exc.code >= 500:
                    failed.append(exc)
                return exc

        with ThreadPoolExecutor(AT_A_TIME, "admission") as pool:
            answers = list(pool.map(one, asked))
        self._consulted = {id(obj): answer for (_, _, obj), answer in zip(asked, answers, strict=True)}

    def take(self, write: Write) -> None:
        """Admit one write, after those before it."""
        if write.verb is not Verb.CREATE:
            self.writes.append(write)
            return
        namespace = str(write.obj["metadata"].get("namespace") or "")
        kind = self._kind(write.resource, namespace)
        if kind is None:
            self.writes.append(write)
            return
        if self._consulted.get(id(write.obj), write) is None:
            self.later.append(write)
            return
        try:
            obj = self._admitted(kind, namespace, write.obj)
            counted = self._charge(kind, namespace, obj)
        except ApiError as exc:
            self.refused.append((write, exc))
            return
        guard = Guard(namespace, self._revision, counted)
        self.writes.append(replace(write, obj=obj, guard=guard))

    def _kind(self, resource: str, namespace: str) -> Kind | None:
        """The kind, if admission could have to do with it."""
        key = (resource, namespace)
        if key not in self._concerned:
            found = None
            if chain.concerns(resource, namespace, self._around):
                try:
                    found = kinds.by_resource(resource)
                except KeyError:
                    found = None
            self._concerned[key] = found
        return self._concerned[key]

    def _admitted(self, kind: Kind, namespace: str, obj: Object) -> Object:
        """The object as plugins leave it. Raises ApiError."""
        if self._hooked:
            answer = self._consulted[id(obj)]
            if isinstance(answer, ApiError):
                raise answer
            assert answer is not None
            return answer
        if kind.resource != "pods":
            return self._through(kind, namespace, obj)
        # Pods of one template share their spec, and so whatever plugins make of it.
        annotations = obj["metadata"].get("annotations")
        alike = (id(obj["spec"]), namespace, orjson.dumps(annotations) if annotations else b"")
        made = self._alike.get(alike)
        if made is None:
            try:
                made = self._through(kind, namespace, obj)
            except ApiError as exc:
                made = exc
            self._alike[alike] = made
        if isinstance(made, ApiError):
            raise made
        meta = obj["metadata"]
        noted = made["metadata"].get("annotations")
        if noted != annotations:
            meta = {**meta, "annotations": noted}
        return {**made, "metadata": meta}

    def _through(self, kind: Kind, namespace: str, obj: Object) -> Object:
        attributes = self._attributes(kind, namespace, obj)
        chain.mutate(attributes, self._around)
        made = attributes.obj
        assert made is not None
        if kind.resource == "pods":
            made = admitted_pod(made, self._around.settings.unreachable_toleration)
        if self._hooked and made is not obj:
            validate.validate(kind, made)
        attributes.obj = made
        chain.validate(attributes, self._around)
        return made

    def _charge(self, kind: Kind, namespace: str, obj: Object) -> int | None:
        """The revision on which it was counted, if it uses up some quota. Raises Forbidden."""
        if not self._view.keys(quota.RESOURCE, namespace):
            return None
        attributes = self._attributes(kind, namespace, obj)
        with self._around.lock:
            counted = min(self._revision, self._view.revision)
            return counted if quota.charge_to(attributes, self._around) else None

    def _attributes(self, kind: Kind, namespace: str, obj: Object) -> Attributes:
        meta = obj["metadata"]
        # Controllers draw names themselves; named by its prefix, the same refusal is one Event.
        name = meta.get("generateName") or meta["name"]
        return Attributes(kind, "CREATE", namespace, name, obj, user=self._user, groups=GROUPS)


def _owner(view: ReadView, obj: Object) -> Object | None:
    reference = controller_of(obj)
    if reference is None:
        return None
    kind = kinds.by_kind(str(reference["apiVersion"]).rpartition("/")[0], str(reference["kind"]))
    if kind is None:
        return None
    namespace = obj["metadata"].get("namespace")
    name = reference["name"]
    return view.get(kind.storage.resource, f"{namespace}/{name}" if kind.namespaced else str(name))
