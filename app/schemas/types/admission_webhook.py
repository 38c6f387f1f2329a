"""admissionregistration.k8s.io/v1: webhooks that are asked before an object is stored."""

from __future__ import annotations

from app.schemas.fields import Bytes, Int32, ListOf, String, Struct
from app.schemas.meta import LabelSelector, ObjectMeta
from app.schemas.types.admission_rule import Admission, MatchCondition, RuleWithOperations


class ServiceReference(Admission):
    """A service that answers for a webhook."""

    namespace = String(keep_zero=True, needed=True)
    name = String(keep_zero=True, needed=True)
    path = String(keep_zero=True)
    port = Int32(keep_zero=True, default=443)


class WebhookClientConfig(Admission):
    """How a webhook is reached: by its address, or as a service."""

    url = String(keep_zero=True)
    service = Struct(ServiceReference)
    caBundle = Bytes("Certificates that its own must be signed by.")


class ValidatingWebhook(Admission):
    """A webhook that may refuse an object."""

    name = String("Fully qualified, as policy.example.com.", keep_zero=True, needed=True)
    clientConfig = Struct(WebhookClientConfig, "How it is reached.", by_value=True, needed=True)
    rules = ListOf(Struct(RuleWithOperations), "Operations it is asked about.")
    failurePolicy = String(
        "Whether a request fails with the webhook: Fail or Ignore.",
        go="v1.FailurePolicyType",
        keep_zero=True,
        default="Fail",
        choices=("Fail", "Ignore"),
    )
    matchPolicy = String(
        go="v1.MatchPolicyType", keep_zero=True, default="Equivalent", choices=("Equivalent", "Exact")
    )
    namespaceSelector = Struct(LabelSelector, "Labels of the object's namespace.", default={})
    objectSelector = Struct(LabelSelector, "Labels of the object.", default={})
    sideEffects = String("None or NoneOnDryRun.", go="v1.SideEffectClass", keep_zero=True, needed=True)
    timeoutSeconds = Int32("How long it may take to answer, 1 to 30.", keep_zero=True, default=10)
    admissionReviewVersions = ListOf(
        String(), "Versions of AdmissionReview that it knows.", keep_zero=True, needed=True
    )
    matchConditions = ListOf(Struct(MatchCondition), "Conditions on requests, in CEL.", merge_key="name")


class MutatingWebhook(ValidatingWebhook):
    """A webhook that may change an object, or refuse it."""

    reinvocationPolicy = String(
        "Whether it is asked again when others changed the object after it.",
        go="v1.ReinvocationPolicyType",
        keep_zero=True,
        default="Never",
        choices=("IfNeeded", "Never"),
    )


class ValidatingWebhookConfiguration(Admission):
    """Webhooks that may refuse objects."""

    apiVersion = String("Version of the API that the object is written in.")
    kind = String("Kind of the object.")
    metadata = Struct(ObjectMeta, "Name, labels and bookkeeping.", by_value=True)
    webhooks = ListOf(Struct(ValidatingWebhook), merge_key="name")


class MutatingWebhookConfiguration(Admission):
    """Webhooks that may change objects."""

    apiVersion = String("Version of the API that the object is written in.")
    kind = String("Kind of the object.")
    metadata = Struct(ObjectMeta, "Name, labels and bookkeeping.", by_value=True)
    webhooks = ListOf(Struct(MutatingWebhook), merge_key="name")
