"""Tokens of ServiceAccounts for pods (volume source `serviceAccountToken`): asked of the API, and renewed in time.

https://kubernetes.io/docs/tasks/configure-pod-container/configure-service-account/#serviceaccount-token-volume-projection
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass

from app.base.clock import Clock, parse_rfc3339
from app.base.errors import BeanpoleError
from app.base.ids import Ids
from app.objects.change import Object
from workers.agent.configuring.sources import ConfigError

# A token is renewed when this part of its time is over, and at the latest after a day; a little is drawn by chance,
# so that pods which began together don't ask together. (pkg/kubelet/token)
PART = 0.8
OLDEST = 24 * 3600.0
SPREAD = 10.0
# How long after a failure it is tried again, while the token is still good. Seconds.
AGAIN = 10.0
DEFAULT_SECONDS = 3600

# Asks the API: namespace, account, TokenRequest. Raises BeanpoleError.
Request = Callable[[str, str, Object], Object]
_Key = tuple[str, str, int]


@dataclass(slots=True)
class _Token:
    text: str
    expires: float
    renew_at: float


class AccountTokens:
    """The tokens of a node's pods. Safe to use from many threads."""

    def __init__(self, request: Request, clock: Clock, ids: Ids) -> None:
        self._request = request
        self._clock = clock
        self._ids = ids
        self._lock = threading.Lock()
        self._held: dict[str, dict[_Key, _Token]] = {}

    def get(self, pod: Object, source: Object) -> str:
        """The token that a pod's volume source asks for, at least for some time to come.

        Raises:
            ConfigError: there is none, and why.
        """
        uid, now = pod["metadata"]["uid"], self._clock.now()
        seconds = source.get("expirationSeconds") or DEFAULT_SECONDS
        account = pod["spec"].get("serviceAccountName") or "default"
        key = (account, source.get("audience") or "", seconds)
        with self._lock:
            held = self._held.get(uid, {}).get(key)
        if held is not None and now < held.renew_at:
            return held.text
        try:
            made = self._ask(pod, account, key, now)
        except BeanpoleError as exc:
            if held is not None and now < held.expires:
                held.renew_at = now + AGAIN
                return held.text
            raise ConfigError(f"failed to fetch token: {exc}") from exc
        with self._lock:
            self._held.setdefault(uid, {})[key] = made
        return made.text

    def due(self, uid: str) -> bool:
        """Whether a token of the pod should be renewed."""
        held = self._held.get(uid)
        if not held:
            return False
        now = self._clock.now()
        with self._lock:
            return any(token.renew_at <= now for token in held.values())

    def forget(self, uid: str) -> None:
        """The pod is no more."""
        with self._lock:
            self._held.pop(uid, None)

    def _ask(self, pod: Object, account: str, key: _Key, now: float) -> _Token:
        meta = pod["metadata"]
        _, audience, seconds = key
        spec: Object = {
            "audiences": [audience] if audience else [],
            "expirationSeconds": seconds,
            "boundObjectRef": {"kind": "Pod", "apiVersion": "v1", "name": meta["name"], "uid": meta["uid"]},
        }
        request = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": spec}
        status = self._request(meta.get("namespace", ""), account, request).get("status") or {}
        if not status.get("token"):
            raise ConfigError("the API sent no token")
        expires = parse_rfc3339(status["expirationTimestamp"])
        wait = min((expires - now) * PART, OLDEST) - self._ids.fraction() * SPREAD
        return _Token(status["token"], expires, now + max(wait, AGAIN))
