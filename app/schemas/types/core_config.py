"""Namespaces, configuration, secrets and service accounts."""

from __future__ import annotations

from app.schemas.fields import Boolean, Bytes, ListOf, MapOf, String, StringMap, Struct, Time
from app.schemas.meta import ObjectMeta
from app.schemas.types.core_base import Core
from app.schemas.types.core_reference import LocalObjectReference, ObjectReference


class NamespaceSpec(Core):
    """What has to be done before a namespace is gone."""

    finalizers = ListOf(String(go="v1.FinalizerName"))


class NamespaceCondition(Core):
    """One aspect of a namespace that is being deleted."""

    type = String(go="v1.NamespaceConditionType", required=True, keep_zero=True)
    status = String("What was observed.", go="v1.ConditionStatus", required=True, keep_zero=True)
    lastTransitionTime = Time()
    reason = String()
    message = String()


class NamespaceStatus(Core):
    """Whether a namespace is in use or going."""

    phase = String(go="v1.NamespacePhase", default="Active")
    conditions = ListOf(
        Struct(NamespaceCondition), "Aspects of what was observed, one of each type.", merge_key="type"
    )


class Namespace(Core):
    """A room for names: most objects live in one."""

    apiVersion = String("Version of the API that the object is written in.")
    kind = String("Kind of the object.")
    metadata = Struct(ObjectMeta, "Name, labels and bookkeeping.", by_value=True)
    spec = Struct(NamespaceSpec, "What is wanted.", by_value=True)
    status = Struct(NamespaceStatus, "What was observed.", by_value=True, default={})


class ConfigMap(Core):
    """Settings for pods, as text."""

    apiVersion = String("Version of the API that the object is written in.")
    kind = String("Kind of the object.")
    metadata = Struct(ObjectMeta, "Name, labels and bookkeeping.", by_value=True)
    immutable = Boolean("If true, data can not be changed any more.", keep_zero=True)
    data = StringMap("Settings as text.")
    binaryData = MapOf(Bytes(), "Settings as bytes, in base64.")


class Secret(Core):
    """Settings for pods that are not for everyone's eyes."""

    apiVersion = String("Version of the API that the object is written in.")
    kind = String("Kind of the object.")
    metadata = Struct(ObjectMeta, "Name, labels and bookkeeping.", by_value=True)
    immutable = Boolean("If true, data can not be changed any more.", keep_zero=True)
    data = MapOf(Bytes(), "Values in base64.")
    stringData = StringMap("Values as text; they end up in data.")
    type = String("What the secret is for.", go="v1.SecretType", default="Opaque", immutable=True)


class ServiceAccount(Core):
    """Who the programs of a pod are, towards the API."""

    apiVersion = String("Version of the API that the object is written in.")
    kind = String("Kind of the object.")
    metadata = Struct(ObjectMeta, "Name, labels and bookkeeping.", by_value=True)
    secrets = ListOf(Struct(ObjectReference), merge_key="name")
    imagePullSecrets = ListOf(Struct(LocalObjectReference))
    automountServiceAccountToken = Boolean(keep_zero=True)
