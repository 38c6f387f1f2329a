"""matchConditions: expressions in CEL that say whether a webhook or policy is asked at all.

https://kubernetes.io/docs/reference/access-authn-authz/extensible-admission-controllers/#matching-requests-matchconditions
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from app.objects.change import Object


class Failed(Exception):
    """A condition could not be evaluated; says why."""


def hold(conditions: Sequence[Object], given: dict[str, Any]) -> bool:
    """Whether all of them hold. One that does not decides, even if others fail.

    Raises:
        Failed: none does not, and some can't be evaluated.
    """
    if not conditions:
        return True
    from app.registry.admission.expressions import CelError, value

    failed = []
    for condition in conditions:
        try:
            if value(str(condition.get("expression") or ""), given, "bool") is not True:
                return False
        except CelError as exc:
            failed.append(f"expression '{condition.get('expression')}' resulted in error: {exc}")
    if failed:
        raise Failed(", ".join(failed))
    return True
