"""What controllers need of the cluster's keys, handed in by whoever runs them: plans do no I/O, and tests have none."""

from __future__ import annotations

from dataclasses import dataclass

from workers.controllers import account_tokens, certificates


@dataclass(frozen=True, slots=True)
class Signing:
    """Functions that sign. What is missing is not signed here.

    Attributes:
        token: signs a ServiceAccount's claims. certificate: grants a certificate signing request.
        authority: whom pods are to trust, in PEM; empty: nobody is named to them.
    """

    token: account_tokens.Sign | None = None
    certificate: certificates.Sign | None = None
    authority: str = ""


NONE = Signing()
