"""ComponentStatus: how the parts of the control plane are doing. It is made up when asked for, never stored."""

from __future__ import annotations

from app.schemas.fields import ListOf, String, Struct
from app.schemas.meta import ObjectMeta
from app.schemas.types.core_base import Core


class ComponentCondition(Core):
    """One aspect of a part; there is one, Healthy."""

    type = String(go="v1.ComponentConditionType", required=True, keep_zero=True)
    status = String(go="v1.ConditionStatus", required=True, keep_zero=True)
    message = String()
    error = String()


class ComponentStatus(Core):
    """How a part of the control plane is doing. Kubernetes has deprecated it: ask /readyz instead."""

    apiVersion = String("Version of the API that the object is written in.")
    kind = String("Kind of the object.")
    metadata = Struct(ObjectMeta, "Name, labels and bookkeeping.", by_value=True)
    conditions = ListOf(Struct(ComponentCondition), "What was observed.", merge_key="type")
