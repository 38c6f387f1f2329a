"""Limits of a namespace: what one pod may ask for (LimitRange), and all objects together (ResourceQuota)."""

from __future__ import annotations

from app.schemas.fields import ListOf, MapOf, Quantity, String, Struct
from app.schemas.meta import ObjectMeta
from app.schemas.types.core_base import Core


class LimitRangeItem(Core):
    """Limits of one type of thing: pods, containers or claims."""

    type = String("Pod, Container or PersistentVolumeClaim.", go="v1.LimitType", keep_zero=True, needed=True)
    max = MapOf(Quantity(), "The most that may be asked for.")
    min = MapOf(Quantity(), "The least that must be asked for.")
    default = MapOf(Quantity(), "The limit of containers that name none.")
    defaultRequest = MapOf(Quantity(), "The request of containers that name none.")
    maxLimitRequestRatio = MapOf(Quantity(), "How many times the request the limit may be.")


class LimitRangeSpec(Core):
    """Limits, one item for each type of thing."""

    limits = ListOf(Struct(LimitRangeItem), "The limits.", keep_zero=True, needed=True)


class LimitRange(Core):
    """What each pod, container or claim of a namespace may ask for, and gets if it asks for nothing."""

    apiVersion = String("Version of the API that the object is written in.")
    kind = String("Kind of the object.")
    metadata = Struct(ObjectMeta, "Name, labels and bookkeeping.", by_value=True)
    spec = Struct(LimitRangeSpec, "What is wanted.", by_value=True)


class ScopedResourceSelectorRequirement(Core):
    """One condition on what a quota counts."""

    scopeName = String(go="v1.ResourceQuotaScope", keep_zero=True, needed=True)
    operator = String(go="v1.ScopeSelectorOperator", keep_zero=True, needed=True)
    values = ListOf(String())


class ScopeSelector(Core):
    """Conditions on what a quota counts; all of them hold together."""

    matchExpressions = ListOf(Struct(ScopedResourceSelectorRequirement))


class ResourceQuotaSpec(Core):
    """How much there may be of everything."""

    hard = MapOf(Quantity(), "The most there may be, by the name of the resource.")
    scopes = ListOf(String(go="v1.ResourceQuotaScope"), "What is counted; all of them hold together.")
    scopeSelector = Struct(ScopeSelector, "Conditions on what is counted.")


class ResourceQuotaStatus(Core):
    """How much there is of what is limited."""

    hard = MapOf(Quantity())
    used = MapOf(Quantity())


class ResourceQuota(Core):
    """How much all objects of a namespace may ask for together, and how many there may be."""

    apiVersion = String("Version of the API that the object is written in.")
    kind = String("Kind of the object.")
    metadata = Struct(ObjectMeta, "Name, labels and bookkeeping.", by_value=True)
    spec = Struct(ResourceQuotaSpec, "What is wanted.", by_value=True)
    status = Struct(ResourceQuotaStatus, "What was observed.", by_value=True)
