"""The SDK's client, with a limit to each wait: an engine that hangs must not hold a thread for longer than needed."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import docker

# What is only looked up, an engine answers at once; after so long it hangs. Seconds.
QUESTION_TIMEOUT = 15.0
# The ends of the paths of such questions: lists and single objects, and what the machine is.
_QUESTIONS = ("/json", "/info", "/version", "/_ping")


class Client(docker.APIClient):
    """`docker.APIClient`, whose `timeout` is for work; questions have `QUESTION_TIMEOUT`, and all that a thread asks
    `within` some time has that at most."""

    def __init__(self, **options: Any) -> None:
        self._limits = threading.local()
        super().__init__(**options)

    @contextlib.contextmanager
    def within(self, seconds: float) -> Iterator[None]:
        """No single call that this thread makes inside takes longer, but for streams."""
        before = getattr(self._limits, "seconds", None)
        self._limits.seconds = max(seconds, 0.1)
        try:
            yield
        finally:
            self._limits.seconds = before

    def send(self, request: Any, **options: Any) -> Any:
        """What every call of the SDK ends in (`requests.Session`)."""
        url = urlsplit(request.url)
        timeout = options.get("timeout")
        limit = getattr(self._limits, "seconds", None)
        if url.path.endswith("/logs") and parse_qs(url.query).get("follow") == ["1"]:
            # A container may have nothing to say for hours.
            timeout = None
        elif timeout is not None:
            # To tell sizes the engine goes through all that containers have written, which may take long.
            sizes = parse_qs(url.query).get("size") == ["1"]
            if request.method == "GET" and url.path.endswith(_QUESTIONS) and not sizes:
                timeout = min(timeout, QUESTION_TIMEOUT)
            timeout = timeout if limit is None else min(timeout, limit)
        return super().send(request, **{**options, "timeout": timeout})
