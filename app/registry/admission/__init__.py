"""Admission: may this be done here, and what is it completed with?

https://kubernetes.io/docs/reference/access-authn-authz/admission-controllers/

`Admission` is one request on its way through the chain; the API's verbs make one by `of_create`, `of_update`,
`of_delete` and `of_connect`, workers for what controllers create (`workers.reconcile.admit`).
"""

from __future__ import annotations

from app.registry.admission.admission import (
    CONTESTED,
    OUTDATED,
    Admission,
    of_connect,
    of_create,
    of_delete,
    of_subresource,
    of_update,
)
from app.registry.admission.namespace import beside, check_namespace

__all__ = [
    "CONTESTED",
    "OUTDATED",
    "Admission",
    "beside",
    "check_namespace",
    "of_connect",
    "of_create",
    "of_delete",
    "of_subresource",
    "of_update",
]
