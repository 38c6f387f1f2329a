"""The gate: what every request passes, whatever it asks for: who is it, what came of it, in which words."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from app.api import answers, authz, impersonation
from app.api.answers import Answer
from app.api.audit.keys import ACTING, USER
from app.api.audit.recorder import Recorder
from app.api.authn import ANONYMOUS, Authenticator, User
from app.api.metrics import Metrics
from app.base.clock import Clock
from app.base.errors import ApiError, BadRequest, ServiceUnavailable, StoreUnavailable, Unauthorized
from app.base.ids import Ids
from app.registry.access.access import Access

log = logging.getLogger("beanpole.api")

# What a request without credentials may ask for besides health and version (`anonymous.conditions` of
# kube-apiserver): whoever joins learns the authority from there.
OPEN_PATHS = frozenset({"/api/v1/namespaces/kube-public/configmaps/cluster-info"})


class Gate:
    """Knows users, counts requests, and turns whatever goes wrong into a Status."""

    def __init__(
        self, authenticator: Authenticator, access: Access, metrics: Metrics, clock: Clock, ids: Ids
    ) -> None:
        self.access = access
        self.metrics = metrics
        self.clock = clock
        self.ids = ids
        self.authenticator = authenticator
        # Takes down what is to be audited; None for nothing.
        self.recorder: Recorder | None = None

    def user(self, environ: dict[str, Any]) -> User:
        """Who sends the request.

        Raises:
            Unauthorized: nobody known here. Forbidden: asks to be somebody else, and may not.
        """
        user = self.authenticator.user(environ)
        if user is None:
            if environ["PATH_INFO"] not in OPEN_PATHS or environ["REQUEST_METHOD"] != "GET":
                raise Unauthorized("Unauthorized")
            user = ANONYMOUS
        wanted = impersonation.asked(environ)
        environ[USER] = user
        if wanted is None:
            return user
        # The audit log tells both.
        environ[ACTING], environ[USER] = user, wanted
        authz.authorize_impersonation(self.access, user, impersonation.wishes(environ))
        return wanted

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
        seconds = self.clock.monotonic() - begun
        self.metrics.count(verb, resource, answer.code, None if streaming else seconds)
        if self.recorder is not None:
            self.recorder.record(environ, trace, verb, answer, seconds)
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
