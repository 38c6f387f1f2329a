"""What the objects of a namespace use up of its quotas, kept up to date change by change.

Counting anew for every pod of a namespace that holds thousands would cost more than creating it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from app.base.errors import LogTrimmed
from app.objects.change import Object, Operation, ReadView, split_key
from app.objects.quota_scopes import matches
from app.objects.quota_usage import Amounts, added, resource_of, usage


class Ledger:
    """The usage of each quota that somebody asked for, as of the view's revision. Hold the view's lock."""

    def __init__(self, view: ReadView) -> None:
        self._view = view
        self._accounts: dict[str, Account] = {}
        self._seen = 0
        self._state: object = None

    def used(self, quota: Object) -> Amounts:
        """What is used of the quota's names."""
        self._follow()
        meta = quota["metadata"]
        key = f"{meta['namespace']}/{meta['name']}"
        account = self._accounts.get(key)
        if account is None or account.spec != quota.get("spec"):
            account = self._accounts[key] = Account(quota)
            account.count(self._view)
        return account.total

    def _follow(self) -> None:
        if not self._accounts:
            self._seen = self._view.revision
            self._state = self._loaded()
            return
        state = self._loaded()
        changes = self._changes() if state == self._state else None
        self._state, self._seen = state, self._view.revision
        if changes is None:
            self._accounts.clear()
            return
        for change in changes:
            if change.resource == "resourcequotas" and change.operation is Operation.DELETED:
                self._accounts.pop(change.key, None)
            namespace = split_key(change.key)[0]
            for account in self._accounts.values():
                if account.namespace == namespace and change.resource in account.resources:
                    gone = change.operation is Operation.DELETED
                    account.put(change.resource, change.key, None if gone else change.new)

    def _loaded(self) -> object:
        """Which loading of the view this is: after another, nothing that was counted holds."""
        view: Any = self._view
        return getattr(view, "epoch", 0), getattr(view, "reloads", 0)

    def _changes(self) -> Iterable[Any] | None:
        if self._view.revision == self._seen:
            return ()
        since = getattr(self._view, "changes_since", None)
        try:
            return since(self._seen) if since is not None else None
        except LogTrimmed:
            return None


class Account:
    """One quota's: what each object uses, and the sum."""

    def __init__(self, quota: Object) -> None:
        self._quota = quota
        self.spec: Object = quota.get("spec") or {}
        self.namespace: str = quota["metadata"]["namespace"]
        self.names: tuple[str, ...] = tuple(self.spec.get("hard") or ())
        self.resources = frozenset(resource_of(name) for name in self.names)
        self.total: Amounts = {}
        self._each: dict[tuple[str, str], Amounts] = {}

    def count(self, view: ReadView) -> None:
        """Count everything there is."""
        for resource in self.resources:
            for key, obj in zip(
                view.keys(resource, self.namespace), view.list(resource, self.namespace), strict=True
            ):
                self.put(resource, key, obj)

    def put(self, resource: str, key: str, obj: Object | None) -> None:
        """An object is now so, or gone (None)."""
        now = {} if obj is None else charge(self._quota, resource, obj)
        before = self._each.pop((resource, key), {})
        if now:
            self._each[resource, key] = now
        if now != before:
            self.total = added(self.total, added(now, {name: -value for name, value in before.items()}))


def concerns(quota: Object, resource: str, obj: Object) -> bool:
    """Whether the quota limits something that objects of the resource use, and is about this one."""
    hard = (quota.get("spec") or {}).get("hard") or ()
    return any(resource_of(name) == resource for name in hard) and matches(quota, resource, obj)


def charge(quota: Object, resource: str, obj: Object) -> Amounts:
    """What an object uses up of a quota; nothing if the quota is not about it."""
    found = usage(resource, obj, (quota.get("spec") or {}).get("hard") or ())
    return found if found and matches(quota, resource, obj) else {}
