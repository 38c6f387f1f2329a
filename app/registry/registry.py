"""The registry: what every verb works with, and the verbs under one roof.

Each verb is a function in a module of its own; here they only come together, for those who call
them. All take and give JSON in wire form; whatever goes wrong is an `ApiError`.
"""

from __future__ import annotations

from typing import Any

from app.base.clock import Clock
from app.base.ids import Ids
from app.base.settings import Settings
from app.client.webhooks import WebhookClient
from app.objects.change import Object, Trace, Write
from app.objects.quota_ledger import Ledger
from app.registry import (
    apply,
    binding,
    components,
    conversion_webhook,
    create,
    evict,
    exchange,
    finalize,
    listing,
    patch,
    read,
    remove,
    replace,
    scale,
    token_request,
    usage,
)
from app.registry.access.access import Access
from app.registry.admission.quota.turns import Turns
from app.registry.admission.webhooks.calls import Caller
from app.registry.apply import Outcome
from app.registry.catalog import Catalog
from app.registry.causes import Causes
from app.registry.listing import Listing
from app.registry.presence import Presence
from app.registry.remove import Removed
from app.registry.request import DeleteOptions, ListOptions, Request
from app.schemas.kinds import Kind
from app.store.agents import AgentState
from app.store.store import Committed, Rejected, Store
from app.store.usage import UsageState
from app.store.view import View
from app.trust import loading


class Registry:
    """One cluster's objects, as the API serves them.

    `namespace` is empty for kinds that live in none; `subresource` is "" or "status".
    """

    def __init__(self, store: Store, view: View, clock: Clock, ids: Ids, settings: Settings) -> None:
        self.store = store
        self.view = view
        self.clock = clock
        self.ids = ids
        self.settings = settings
        self.agents = AgentState(store)
        self.usage = UsageState(store)
        self.presence = Presence()
        self.causes = Causes()
        self.quota_ledger = Ledger(view)
        self.quota_turns = Turns()
        self.webhooks: Caller = WebhookClient("kube-apiserver-admission")
        self.access = Access(view, clock)
        self.catalog = Catalog(view, conversion_webhook.webhooks(self))
        self.trust = loading.load(settings)

    def commit(self, request: Request, writes: list[Write]) -> list[Committed | Rejected]:
        """Make the writes in this request's name."""
        try:
            return self.store.commit(
                writes, actor=request.user, trace=Trace(request.trace), now=self.clock.now()
            )
        finally:
            self.access.note(writes)

    def create(self, request: Request, kind: Kind, namespace: str, raw: Any) -> bytes:
        """POST of an object to its collection."""
        return create.create(self, request, kind, namespace, raw)

    def get(self, request: Request, kind: Kind, namespace: str, name: str) -> bytes:
        """GET of one object."""
        if kind is components.KIND:
            return components.get(self, name)
        if kind.group == usage.GROUP:
            return usage.get(self, kind, namespace, name)
        return read.get(self, kind, namespace, name)

    def list(self, request: Request, kind: Kind, namespace: str, options: ListOptions) -> Listing:
        """GET of a collection; an empty namespace means all of them."""
        if kind is components.KIND:
            return components.listing(self, options)
        if kind.group == usage.GROUP:
            return usage.listing(self, kind, namespace, options)
        return listing.list_objects(self, kind, namespace, options)

    def replace(
        self, request: Request, kind: Kind, namespace: str, name: str, raw: Any, subresource: str = ""
    ) -> bytes:
        """PUT of an object or its status."""
        return replace.replace(self, request, kind, namespace, name, raw, subresource)

    def patch(
        self,
        request: Request,
        kind: Kind,
        namespace: str,
        name: str,
        body: Any,
        content_type: str,
        subresource: str = "",
    ) -> bytes:
        """PATCH of an object or its status; `body` is the decoded patch."""
        return patch.patch(self, request, kind, namespace, name, body, content_type, subresource)

    def apply(
        self, request: Request, kind: Kind, namespace: str, name: str, config: Any, subresource: str = ""
    ) -> Outcome:
        """Server-side apply to an object, its status or its scale."""
        if subresource == "scale":
            return scale.apply_scale(self, request, kind, namespace, name, config)
        return apply.apply(self, request, kind, namespace, name, config, subresource)

    def delete(
        self, request: Request, kind: Kind, namespace: str, name: str, options: DeleteOptions
    ) -> Removed:
        """DELETE of one object."""
        return remove.remove(self, request, kind, namespace, name, options)

    def delete_collection(
        self, request: Request, kind: Kind, namespace: str, which: ListOptions, options: DeleteOptions
    ) -> bytes:
        """DELETE of a collection: the list of what was deleted."""
        return remove.remove_collection(self, request, kind, namespace, which, options)

    def get_scale(self, request: Request, kind: Kind, namespace: str, name: str) -> bytes:
        return scale.get(self, kind, namespace, name)

    def replace_scale(self, request: Request, kind: Kind, namespace: str, name: str, raw: Any) -> bytes:
        return scale.replace(self, request, kind, namespace, name, raw)

    def patch_scale(
        self, request: Request, kind: Kind, namespace: str, name: str, body: Any, content_type: str
    ) -> bytes:
        return scale.patch(self, request, kind, namespace, name, body, content_type)

    def bind(self, request: Request, namespace: str, name: str, raw: Any) -> bytes:
        """POST of a pod's binding."""
        return binding.bind(self, request, namespace, name, raw)

    def evict(self, request: Request, namespace: str, name: str, raw: Any) -> bytes:
        """POST of a pod's eviction."""
        return evict.evict(self, request, namespace, name, raw)

    def request_token(self, request: Request, namespace: str, name: str, raw: Any) -> bytes:
        """POST of a ServiceAccount's token request."""
        return token_request.request_token(self, request, namespace, name, raw)

    def finalize(self, request: Request, name: str, raw: Any) -> bytes:
        """PUT of a namespace's finalize."""
        return finalize.finalize(self, request, name, raw)

    def exchange(self, said: Any) -> Object:
        """What nodes' agents say and are told, see `exchange.exchange`."""
        return exchange.exchange(self, said)

    def exchange_json(self, said: Any) -> bytes:
        """`exchange` in wire form, spliced from bytes: for the API."""
        return exchange.exchange_json(self, said)
