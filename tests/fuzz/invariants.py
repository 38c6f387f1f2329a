"""What must hold after every request, whatever was asked."""

from __future__ import annotations

import json
from typing import Any

from app.schemas.kind import Kind
from tests.fuzz.parameters import PARTIAL, TABLE
from tests.fuzz.targets import Target
from tests.fuzz.watches import Watches
from tests.fuzz.world import Answered, Sent, World, as_admin, collection

READS = ("GET", "HEAD", "OPTIONS", "TRACE")
# Errors of the server that are answers: what is behind it can't be reached, a stream that nobody reads (503); a revision that
# is yet to come, an agent that is silent, or a timeout that was asked for (504). Nodes have no port to pass requests on to (501).
INTO_PODS = ("/log", "/exec", "/attach", "/portforward", "/proxy")
ANSWERS = {
    501: ("/proxy",),
    503: (*INTO_PODS, "/streams/"),
    504: (*INTO_PODS, "resourceVersion=", "timeout="),
}
# Configurations that concern all later requests. They are taken back at once.
FAR_REACHING = (
    "webhookconfigurations",
    "admissionpolic",
    "customresourcedefinitions",
    "limitranges",
    "resourcequotas",
)


class Broken(AssertionError):
    """Something does not hold."""


class Judge:
    """Sends requests to a world, and looks at what comes of them."""

    def __init__(self, world: World, watches: Watches) -> None:
        self._world = world
        self._watches = watches
        self._at = world.position()

    def restore(self) -> None:
        """The world as it was in the beginning."""
        self._world.restore()
        self._at = self._world.position()

    def __call__(self, sent: Sent) -> Answered:
        """Raises Broken."""
        try:
            return self._judge(sent)
        except Exception as exc:
            raise Broken(f"{type(exc).__name__}: {exc}\nafter {sent!r}") from exc

    def _judge(self, sent: Sent) -> Answered:
        before = self._at
        answered = self._world.ask(sent)
        after = self._at = self._world.position()
        self._check_code(sent, answered)
        if answered.stream is not None:
            self._watches.follow(sent, answered)
            assert after == before, "a watch changed something"
            return answered
        if answered.code >= 400:
            self._check_refusal(sent, answered)
        if answered.code >= 400 or sent.method in READS:
            assert after == before, f"{answered.code}, and yet {after - before} changes: {self._last(before)}"
        elif sent.method in ("POST", "PUT", "PATCH", "DELETE"):
            self._check_accepted(sent, answered, before, after)
        return answered

    # -- answers -----------------------------------------------------------------------------------

    def _check_code(self, sent: Sent, answered: Answered) -> None:
        where = f"{sent.path}?{sent.query}"
        excused = any(part in where for part in ANSWERS.get(answered.code, ()))
        assert answered.code < 500 or excused, f"{answered.code}: {answered.body[:1000]!r}"
        for name, value in answered.headers.items():
            assert not {"\n", "\r"}.intersection(value), (name, value)
            value.encode("latin-1")

    def _check_refusal(self, sent: Sent, answered: Answered) -> None:
        if sent.method == "HEAD":
            assert answered.body == b"", answered.body
            return
        if answered.headers["Content-Type"] != "application/json":
            assert (answered.code, answered.body) == (404, b"404 page not found\n") or sent.path.startswith(
                "/readyz"
            )
            return
        status = answered.json
        assert (status["kind"], status["apiVersion"], status["status"]) == ("Status", "v1", "Failure"), status
        assert status["code"] == answered.code, status
        assert status["reason"], status
        assert status["message"], status

    # -- what was accepted -------------------------------------------------------------------------

    def _check_accepted(self, sent: Sent, answered: Answered, before: int, after: int) -> None:
        if "exchange" in sent.path or "/streams/" in sent.path:
            return
        value = answered.json
        moved = after - before
        if _dry(sent):
            assert moved == 0, f"a dry run made {moved} changes"
            return
        if sent.method == "DELETE":
            items = len(value.get("items") or ())
            assert moved <= (items if "items" in value else 1), f"{moved} changes by one deletion of {items}"
            return
        # A namespace is made together with its ServiceAccount.
        if (
            moved == 2
            and sent.path.startswith("/api/v1/namespaces")
            and "/namespaces/default" not in sent.path
        ):
            moved, after = 1, before + 1
        version = (value.get("metadata") or {}).get("resourceVersion")
        if value["kind"].endswith("Review") or value["kind"] == "TokenRequest":
            assert moved == 0, "a question changed something"
            return
        if value["kind"] in ("Status", "Table") or version is None:
            assert moved <= 1, moved
            return
        assert moved in (0, 1), f"{moved} changes: {self._last(before)}"
        if moved:
            assert int(version) == after, f"the answer is of {version}, the change was {after}"
        else:
            assert int(version) <= before, version
        if (
            moved
            and value["kind"] != "PartialObjectMetadata"
            and "/scale" not in sent.path
            and "/finalize" not in sent.path
        ):
            self._read_back(sent, value)
        if moved and any(part in sent.path for part in FAR_REACHING):
            self.restore()

    def _read_back(self, sent: Sent, made: Any) -> None:
        """What is stored can be read in every form, and is accepted as it is."""
        target = self._place_of(made)
        if target is None:
            return
        path, ask = target.path, self._world.ask
        got = ask(as_admin("GET", path))
        if got.code == 404 and sent.method != "POST":
            return  # the last finalizer is gone, and it with it
        assert (got.code, got.json) == (200, made), (got.code, got.body, made)
        for form, kind in ((TABLE, "Table"), (PARTIAL, "PartialObjectMetadata")):
            shown = ask(as_admin("GET", path, Accept=form))
            assert (shown.code, shown.json["kind"]) == (200, kind), shown.body
            if kind == "Table":
                (row,) = shown.json["rows"]
                assert len(row["cells"]) == len(shown.json["columnDefinitions"]), row
        for each in (*_versions(self._world, target.kind), target.kind):
            path = f"{collection(each, made['metadata'].get('namespace', ''))}/{target.name}"
            shown = ask(as_admin("GET", path))
            assert (shown.code, shown.json["apiVersion"]) == (200, each.api_version), shown.body
            if each.api_version == "autoscaling/v1":
                # It moves the processor's metric to the end, as in Kubernetes. What was put back once is settled.
                for there in (path, f"{path}/status"):
                    shown = ask(as_admin("PUT", there, body=ask(as_admin("GET", path)).body))
                self._at = self._world.position()
            self._same(path, shown.body)
            if "status" in each.subresources:
                self._same(f"{path}/status", shown.body)

    def _same(self, path: str, body: bytes) -> None:
        """Putting what was read changes nothing."""
        back = self._world.ask(as_admin("PUT", path, body=body))
        assert back.code == 200, f"what is stored is refused at {path}: {back.body!r}; {body!r}"
        now = self._world.position()
        assert now == self._at, f"what was read and put back changed: {_difference(body, back.body)}"

    def _place_of(self, made: Any) -> Target | None:
        for kind in self._world.registry.catalog.all():
            if (kind.api_version, kind.kind) == (made["apiVersion"], made["kind"]):
                meta = made["metadata"]
                return Target(
                    kind, f"{collection(kind, meta.get('namespace', ''))}/{meta['name']}", meta["name"]
                )
        return None

    def _last(self, before: int) -> Any:
        return self._world.store.wire.call("XRANGE", self._world.store.keys.log, f"({before}-0", "+")


def _dry(sent: Sent) -> bool:
    return "dryRun=All" in sent.query or b'"dryRun": ["All"]' in sent.body


def _versions(world: World, kind: Kind) -> list[Kind]:
    """The other versions that a kind is served in."""
    return [
        each
        for each in world.registry.catalog.all()
        if each.storage is kind.storage and each is not kind and each.verbs != ("create",)
    ]


def _difference(first: bytes, second: bytes) -> list[str]:
    return _differences(json.loads(first), json.loads(second), "")


def _differences(old: Any, new: Any, at: str) -> list[str]:
    if isinstance(old, dict) and isinstance(new, dict):
        return [each for n in {**old, **new} for each in _differences(old.get(n), new.get(n), f"{at}.{n}")]
    if isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        return [each for i in range(len(old)) for each in _differences(old[i], new[i], f"{at}[{i}]")]
    return [] if old == new else [f"{at}: {old!r} -> {new!r}"]
