"""What every object carries, and what comes with requests: k8s.io/apimachinery/pkg/apis/meta/v1."""

from __future__ import annotations

from app.schemas.fields import Anything, Boolean, Int64, ListOf, String, StringMap, Struct, Time, Type


class MetaType(Type):
    """Types of this group."""

    package = "io.k8s.apimachinery.pkg.apis.meta.v1"


class ManagedFieldsEntry(MetaType):
    """Which fields one manager set, and when."""

    apiVersion = String("Version of the API that the object is written in.")
    manager = String()
    operation = String(go="v1.ManagedFieldsOperationType")
    time = Time()
    fieldsType = String()
    fieldsV1 = Anything()
    subresource = String()


class OwnerReference(MetaType):
    """An object without which this one has no purpose: it goes when its owner goes."""

    apiVersion = String("Version of the API that the object is written in.", keep_zero=True, needed=True)
    kind = String("Kind of the object.", keep_zero=True, needed=True)
    name = String("Its name.", keep_zero=True, needed=True)
    uid = String("Its uid.", go="types.UID", keep_zero=True, needed=True)
    controller = Boolean(keep_zero=True)
    blockOwnerDeletion = Boolean(keep_zero=True)


class ObjectMeta(MetaType):
    """Name, labels and bookkeeping of an object."""

    name = String("Unique in its namespace among objects of the kind.")
    generateName = String("Start of a name that the server completes.")
    namespace = String("Where the object lives.")
    selfLink = String()
    uid = String("Unique over all time, set by the server.", go="types.UID")
    resourceVersion = String("Changes with every write; for conflicts and watches.")
    generation = Int64("Counts changes of the spec.")
    creationTimestamp = Time("When the server made it.")
    deletionTimestamp = Time("When it is to be gone.")
    deletionGracePeriodSeconds = Int64("Time it has to end gracefully.", keep_zero=True)
    labels = StringMap("What selectors look at.")
    annotations = StringMap("Free notes of tools and people.")
    ownerReferences = ListOf(
        Struct(OwnerReference), "Objects without which this one is deleted.", merge_key="uid"
    )
    finalizers = ListOf(
        String(),
        "Who must have done their part before the object is gone.",
        merge_strategy="merge",
        list_type="set",
    )
    managedFields = ListOf(Struct(ManagedFieldsEntry), "Who owns which fields.", keep_zero=True)


class LabelSelectorRequirement(MetaType):
    """One condition on a label."""

    key = String("The label.", keep_zero=True, needed=True)
    operator = String(
        "In, NotIn, Exists or DoesNotExist.", go="v1.LabelSelectorOperator", keep_zero=True, needed=True
    )
    values = ListOf(String())


class LabelSelector(MetaType):
    """Which labels an object must carry; all conditions hold together."""

    matchLabels = StringMap("Labels with exactly these values.")
    matchExpressions = ListOf(Struct(LabelSelectorRequirement), "Conditions on labels.")


class Condition(MetaType):
    """One aspect of what was observed of an object."""

    type = String(required=True, keep_zero=True)
    status = String("What was observed.", go="v1.ConditionStatus", required=True, keep_zero=True)
    observedGeneration = Int64()
    lastTransitionTime = Time(required=True)
    reason = String(required=True, keep_zero=True)
    message = String(required=True, keep_zero=True)


class Preconditions(MetaType):
    """What must be true of an object for it to be deleted."""

    uid = String(go="types.UID", keep_zero=True)
    resourceVersion = String(keep_zero=True)


class DeleteOptions(MetaType):
    """How an object is to be deleted."""

    apiVersion = String("Version of the API that the object is written in.")
    kind = String("Kind of the object.")
    gracePeriodSeconds = Int64(keep_zero=True)
    preconditions = Struct(Preconditions)
    orphanDependents = Boolean(keep_zero=True)
    propagationPolicy = String(go="v1.DeletionPropagation", keep_zero=True)
    dryRun = ListOf(String())
    ignoreStoreReadErrorWithClusterBreakingPotential = Boolean(keep_zero=True)
