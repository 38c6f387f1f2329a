"""apiextensions.k8s.io/v1: CustomResourceDefinitions, by which users make kinds of their own.

https://kubernetes.io/docs/reference/kubernetes-api/extend-resources/custom-resource-definition-v1/
"""

from __future__ import annotations

from app.schemas.fields import Boolean, Bytes, Int32, Int64, ListOf, String, Struct, Time
from app.schemas.meta import ObjectMeta
from app.schemas.types.apiextensions_schema import Apiextensions, Empty, JSONSchemaProps


class CustomResourceDefinitionNames(Apiextensions):
    """What a kind of object is called."""

    plural = String("Name of the resource, as in paths.", required=True)
    singular = String("Name of one; the kind in lower case if empty.")
    shortNames = ListOf(String(), "Short names.", list_type="atomic")
    kind = String("What objects call themselves.", required=True)
    listKind = String("What lists of them call themselves.")
    categories = ListOf(String(), "Groups of kinds that it belongs to, such as `all`.", list_type="atomic")


class ServiceReference(Apiextensions):
    """A Service that answers a webhook."""

    namespace = String("Namespace of the service.", required=True)
    name = String("Name of the service.", required=True)
    path = String("Path of the URL.", keep_zero=True)
    port = Int32("Port of the service.", keep_zero=True, default=443)


class WebhookClientConfig(Apiextensions):
    """Where a webhook is, and whom to trust there."""

    url = String("Where it is.", keep_zero=True)
    service = Struct(ServiceReference, "The service that it is.")
    caBundle = Bytes("Certificates that its own is checked against, PEM.")


class WebhookConversion(Apiextensions):
    """How to ask a webhook for conversion."""

    clientConfig = Struct(WebhookClientConfig, "Where it is.")
    conversionReviewVersions = ListOf(
        String(), "Versions of ConversionReview that it knows.", required=True, list_type="atomic"
    )


class CustomResourceConversion(Apiextensions):
    """How objects get from one version to another."""

    strategy = String("None or Webhook.", required=True, choices=("None", "Webhook"))
    webhook = Struct(WebhookConversion, "How to ask the webhook.")


class CustomResourceValidation(Apiextensions):
    """The schema of a version."""

    openAPIV3Schema = Struct(JSONSchemaProps, "The schema.")


class CustomResourceSubresourceScale(Apiextensions):
    """That there is a subresource `scale`, and where its numbers are."""

    specReplicasPath = String("Where the wanted number is, as `.spec.replicas`.", required=True)
    statusReplicasPath = String("Where the present number is, as `.status.replicas`.", required=True)
    labelSelectorPath = String("Where the selector is, as text.", keep_zero=True)


class CustomResourceSubresources(Apiextensions):
    """Which subresources there are."""

    status = Empty("That there is a status.", keep_zero=True)
    scale = Struct(CustomResourceSubresourceScale, "That it scales.")


class CustomResourceColumnDefinition(Apiextensions):
    """A column of the table that `kubectl get` prints."""

    name = String("Its heading.", required=True)
    type = String("integer, number, string, boolean or date.", required=True)
    format = String("How the value is written.")
    description = String("What it shows.")
    priority = Int32("0: always shown; more: with `-o wide`.")
    jsonPath = String("Where its value is in the object.", required=True)


class SelectableField(Apiextensions):
    """A field that field selectors may name."""

    jsonPath = String("Where it is in the object.", required=True)


class CustomResourceDefinitionVersion(Apiextensions):
    """One version of a kind."""

    name = String("Its name, as `v1beta1`.", required=True)
    served = Boolean("Whether it is served.", required=True, keep_zero=True)
    storage = Boolean("Whether objects are stored in it.", required=True, keep_zero=True)
    deprecated = Boolean("Whether clients are warned of it.")
    deprecationWarning = String("The warning.", keep_zero=True)
    schema = Struct(CustomResourceValidation, "Its fields.")
    subresources = Struct(CustomResourceSubresources, "Its subresources.")
    additionalPrinterColumns = ListOf(
        Struct(CustomResourceColumnDefinition), "Columns of its table.", list_type="atomic"
    )
    selectableFields = ListOf(
        Struct(SelectableField), "Fields that field selectors may name.", list_type="atomic"
    )


class CustomResourceDefinitionSpec(Apiextensions):
    """A kind as its author wants it."""

    group = String("API group.", required=True)
    names = Struct(CustomResourceDefinitionNames, "What it is called.", by_value=True, required=True)
    scope = String("Namespaced or Cluster.", required=True, choices=("Cluster", "Namespaced"))
    versions = ListOf(
        Struct(CustomResourceDefinitionVersion), "Its versions.", required=True, list_type="atomic"
    )
    conversion = Struct(CustomResourceConversion, "How objects get from one version to another.")
    preserveUnknownFields = Boolean("Must be false.")


class CustomResourceDefinitionCondition(Apiextensions):
    """One thing that is said of a definition."""

    type = String("What it is about: Established, NamesAccepted.", required=True)
    status = String("True, False or Unknown.", required=True)
    lastTransitionTime = Time("When it last changed.")
    reason = String("Why, in one word.")
    message = String("Why, for people.")
    observedGeneration = Int64("The generation that it is about.")


class CustomResourceDefinitionStatus(Apiextensions):
    """A kind as it is."""

    conditions = ListOf(
        Struct(CustomResourceDefinitionCondition), "What is said of it.", list_type="map", map_keys=("type",)
    )
    acceptedNames = Struct(CustomResourceDefinitionNames, "What it is called in fact.", by_value=True)
    storedVersions = ListOf(
        String(), "Versions in which objects may lie in the store.", list_type="atomic", keep_zero=True
    )
    observedGeneration = Int64("The generation that was last looked at.")


class CustomResourceDefinition(Apiextensions):
    """A kind of object that a user made."""

    apiVersion = String("Version of the API that the object is written in.")
    kind = String("Kind of the object.")
    metadata = Struct(ObjectMeta, "Name, labels and bookkeeping.", by_value=True)
    spec = Struct(CustomResourceDefinitionSpec, "What is wanted.", required=True, by_value=True)
    status = Struct(CustomResourceDefinitionStatus, "What is.")
