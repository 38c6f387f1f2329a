"""The gate: what every request passes, whatever it asks for: who is it, what came of it, in which words."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from app.api import answers, authz
from app.api.answers import Answer
from app.api.authn import Tokens, User
from app.api.metrics import Metrics
from app.base.clock import Clock
from app.base.errors import ApiError, BadRequest, ServiceUnavailable, StoreUnavailable
from app.base.ids import Ids

log = logging.getLogger("beanpole.api")


class Gate:
    """Knows users, counts requests, and turns whatever goes wrong into a Status."""

    def __init__(self, tokens: Tokens, metrics: Metrics, clock: Clock, ids: Ids) -> None:
        self.metrics = metrics
        self.clock = clock
        self.ids = ids
        self._tokens = tokens

    def user(self, environ: dict[str, Any]) -> User:
        """Who sends the request.

        Raises:
            Unauthorized: nobody known here. Forbidden: asks to be somebody else, and may not.
        """
        user = self._tokens.user(environ.get("HTTP_AUTHORIZATION", ""))
        other = environ.get("HTTP_IMPERSONATE_USER")
        if other:
            return authz.impersonated(user, other, environ.get("HTTP_IMPERSONATE_GROUP", ""))
        return user

    def run(
        self, environ: dict[str, Any], verb: str, resource: str, trace: str, work: Callable[[], Answer]
    ) -> Answer:
        """The answer of `work`, or what its exception means. Never raises."""
        begun = self.clock.monotonic()
        try:
            answer = work()
        except Exception as exc:
            answer = self.refusal(exc, environ, trace)
        streaming = not isinstance(answer.body, bytes)
        seconds = None if streaming else self.clock.monotonic() - begun
        self.metrics.count(verb, resource, answer.code, seconds)
        return answer

    def refusal(self, exc: Exception, environ: dict[str, Any], trace: str) -> Answer:
        """What an exception is to the client. An unexpected one is logged with its trace, under the id that
        the client was told."""
        if isinstance(exc, ApiError):
            return answers.of_error(exc)
        if isinstance(exc, StoreUnavailable):
            return answers.of_error(ServiceUnavailable(str(exc), retry_after=1))
        if isinstance(exc, RecursionError):
            return answers.of_error(BadRequest("the object is nested too deeply"))
        log.error(
            "%s %s failed unexpectedly (Audit-Id %s)",
            environ.get("REQUEST_METHOD"), environ.get("PATH_INFO"), trace, exc_info=exc,
        )  # fmt: skip
        return answers.of_error(ApiError(f"Internal error occurred: see the server's log for {trace}"))
