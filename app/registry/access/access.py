"""Access: whether a user may do something. Administrators may all, nodes what is theirs, everybody what roles say.

A decision is made on the view. What this process commits counts from the very next request on; what others commit,
after `FRESH` seconds at the latest. Before a request is refused, the view is caught up, so that what was granted just
now, by whomever, works at once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from app.base.clock import Clock
from app.objects.change import Object, Write
from app.registry.access.attributes import MASTERS, Asked, AskedPath, Decision, Subject
from app.registry.access.index import RESOURCES
from app.registry.access.nodes import NodeAuthorizer, node_of
from app.registry.access.rbac import Rbac
from app.store.view import View

# How long a view may be behind other processes for a permission, in seconds.
FRESH = 0.5
# A change of these may take a permission away. Pods: a node's credential reaches what its pods draw on.
_CONCERNED = frozenset((*RESOURCES, "pods"))
_MASTER = Decision(True)


class Access:
    """Decides what may be done in one cluster."""

    def __init__(self, view: View, clock: Clock) -> None:
        self._view = view
        self._clock = clock
        self.rbac = Rbac(view)
        self.nodes = NodeAuthorizer(view)
        # How many decisions were made, for metrics.
        self.allowed = self.refused = 0
        self._committed = 0
        self._caught_up = 0
        self._at = float("-inf")

    def note(self, writes: Iterable[Write]) -> None:
        """This process has committed these: what they take away is gone from now on."""
        for write in writes:
            if write.resource in _CONCERNED:
                self._committed += 1
                return

    def decide(self, subject: Subject, asked: Asked) -> Decision:
        """Whether the user may make the request.

        Raises:
            StoreUnavailable: what roles say can't be found out now.
        """
        if MASTERS in subject.groups:
            self.allowed += 1
            return _MASTER
        return self._decided(lambda: self._of_resource(subject, asked))

    def decide_path(self, subject: Subject, asked: AskedPath) -> Decision:
        """Whether the user may make a request for a path that is no resource. Raises StoreUnavailable."""
        if MASTERS in subject.groups:
            self.allowed += 1
            return _MASTER
        return self._decided(lambda: self.rbac.decide_path(subject, asked))

    def rules_of(self, subject: Subject, namespace: str) -> tuple[list[Object], list[str]]:
        """The rules of all roles that the user has in a namespace and in the cluster, and what was wrong in finding
        them out. Raises StoreUnavailable."""
        self.catch_up()
        rules, problems = self.rbac.rules_of(subject, namespace)
        if node_of(subject) is not None:
            problems = [*problems, "node authorizer does not support user rule resolution"]
        return rules, problems

    def catch_up(self) -> None:
        """Bring the view to now. Raises StoreUnavailable."""
        committed, at = self._committed, self._clock.monotonic()
        self._view.catch_up()
        self._caught_up, self._at = max(committed, self._caught_up), max(at, self._at)

    def _decided(self, decide: Callable[[], Decision]) -> Decision:
        stale = self._caught_up != self._committed or self._clock.monotonic() - self._at > FRESH
        if stale:
            self.catch_up()
        decision = decide()
        if not decision.allowed and not stale:
            self.catch_up()
            decision = decide()
        if decision.allowed:
            self.allowed += 1
        else:
            self.refused += 1
        return decision

    def _of_resource(self, subject: Subject, asked: Asked) -> Decision:
        by_roles = self.rbac.decide(subject, asked)
        if by_roles.allowed or node_of(subject) is None:
            return by_roles
        own = self.nodes.decide(subject, asked)
        return (
            own if own.allowed else Decision(False, "\n".join(r for r in (own.reason, by_roles.reason) if r))
        )
