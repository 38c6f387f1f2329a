"""The certificate of a node that joined: replaced by a new one long before its time is over.

https://kubernetes.io/docs/reference/access-authn-authz/kubelet-tls-bootstrapping/#certificate-rotation
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path

from app.base.clock import Clock
from app.base.errors import BeanpoleError
from app.base.ids import Ids
from app.trust.authority import write_private
from app.trust.clients import lifetime_of

log = logging.getLogger("beanpole.agent")

# A certificate is renewed when such a part of its time is over, drawn by chance between the two. (kubelet)
FIRST, LAST = 0.7, 0.9
# After a failure, and at the longest, it is looked at again in so many seconds.
AGAIN = 60.0
LONGEST = 3600.0


class Credentials:
    """Keeps a certificate fresh.

    Args:
        obtain: gets a new certificate and key (PEM). Raises BeanpoleError.
        renewed: is told when both lie in their files.
    """

    def __init__(
        self,
        certificate: Path,
        key: Path,
        obtain: Callable[[], tuple[bytes, bytes]],
        renewed: Callable[[], None],
        clock: Clock,
        ids: Ids,
    ) -> None:
        self._certificate, self._key = certificate, key
        self._obtain, self._renewed = obtain, renewed
        self._clock = clock
        self._part = FIRST + (LAST - FIRST) * ids.fraction()

    def look(self) -> float:
        """Renew the certificate if it is time; in how many seconds to look again."""
        now = self._clock.now()
        try:
            begins, ends = lifetime_of(self._certificate.read_bytes())
            due = begins + (ends - begins) * self._part
            if now < due:
                return min(due - now, LONGEST)
            certificate, key = self._obtain()
            self._write(certificate, key)
            self._renewed()
        except (BeanpoleError, OSError, ValueError) as exc:
            log.warning("the node's certificate could not be renewed, trying again: %s", exc)
            return AGAIN
        log.info("the node has a new certificate")
        return AGAIN

    def _write(self, certificate: bytes, key: bytes) -> None:
        """Put both there. A process that dies between the two renames finds a pair that does not fit, and has to
        join anew; so they are one rename after the other, with everything else done before."""
        drafts = [
            (self._key.with_suffix(".new.key"), self._key),
            (self._certificate.with_suffix(".new"), self._certificate),
        ]
        write_private(drafts[0][0], key)
        drafts[1][0].write_bytes(certificate)
        for draft, path in drafts:
            draft.replace(path)
