"""Getting a client certificate from the cluster: by a certificate signing request that a controller approves.

https://kubernetes.io/docs/reference/access-authn-authz/kubelet-tls-bootstrapping/
"""

from __future__ import annotations

import base64
from collections.abc import Sequence

from app.base.clock import Clock
from app.base.errors import UserError
from app.client.http import ApiClient, Object
from app.trust.requests import NODE_CLIENT, make_request

PATH = "/apis/certificates.k8s.io/v1/certificatesigningrequests"
# How often, and how long, one looks for the certificate. Seconds.
POLL = 0.2
PATIENCE = 60.0


def obtain(
    client: ApiClient, user: str, groups: Sequence[str], clock: Clock, patience: float = PATIENCE
) -> tuple[bytes, bytes]:
    """`(certificate, key)` in PEM by which a node is `user` in `groups`. The key never leaves this process.

    Raises:
        UserError: the request was denied, can't be granted, or nobody approved it within `patience` seconds.
        ApiError, Unreachable: the API refuses the request, or does not answer.
    """
    request, key = make_request(user, groups)
    made = client.create(
        PATH,
        {
            "apiVersion": "certificates.k8s.io/v1",
            "kind": "CertificateSigningRequest",
            "metadata": {"generateName": "node-csr-"},
            "spec": {
                "request": base64.b64encode(request).decode(),
                "signerName": NODE_CLIENT,
                "usages": ["digital signature", "client auth"],
            },
        },
    )
    name = made["metadata"]["name"]
    deadline = clock.monotonic() + patience
    while True:
        status = made.get("status") or {}
        if status.get("certificate"):
            return base64.b64decode(status["certificate"]), key
        _check(name, status)
        if clock.monotonic() > deadline:
            raise UserError(
                f"nobody approved the request; try `kubectl certificate approve {name}`, then again"
            )
        clock.sleep(POLL)
        made = client.get(f"{PATH}/{name}")


def _check(name: str, status: Object) -> None:
    for condition in status.get("conditions") or ():
        if condition.get("type") in ("Denied", "Failed"):
            why = condition.get("message") or condition.get("reason") or ""
            raise UserError(f"the request {name} for a certificate was {condition['type'].lower()}: {why}")
