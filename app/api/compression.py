"""Compression of large answers, for those who take it.

As kube-apiserver (k8s.io/apiserver/pkg/endpoints/handlers/responsewriters): gzip at its quickest level, of what has more
than 128 KiB. Smaller answers would come later for it, not sooner.
"""

from __future__ import annotations

import zlib
from typing import Any

from app.api.answers import Answer

# Bytes.
LEAST = 128 * 1024
_GZIP = 16 + zlib.MAX_WBITS


def compress(answer: Answer, environ: dict[str, Any]) -> Answer:
    """The answer, its body compressed if it is large and the request's Accept-Encoding has gzip."""
    body = answer.body
    if (
        not isinstance(body, bytes)
        or len(body) <= LEAST
        or not _takes(environ.get("HTTP_ACCEPT_ENCODING", ""))
    ):
        return answer
    work = zlib.compressobj(1, zlib.DEFLATED, _GZIP)
    answer.body = work.compress(body) + work.flush()
    answer.headers += [("Content-Encoding", "gzip"), ("Vary", "Accept-Encoding")]
    return answer


def _takes(accept: str) -> bool:
    """Whether gzip is among the codings listed, and not with a weight of nothing."""
    for item in accept.split(","):
        coding, _, weight = item.replace(" ", "").partition(";")
        if coding.lower() == "gzip":
            return weight not in ("q=0", "q=0.0", "q=0.00", "q=0.000")
    return False
