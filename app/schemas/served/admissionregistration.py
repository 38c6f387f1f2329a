"""API group admissionregistration.k8s.io."""

from __future__ import annotations

from app.schemas.columns import admission as columns_admission
from app.schemas.kind import Kind
from app.schemas.types import admission_policy, admission_webhook

_GROUP = "admissionregistration.k8s.io"

KINDS: tuple[Kind, ...] = (
    Kind(
        _GROUP, "v1", "MutatingAdmissionPolicy", "mutatingadmissionpolicies", "mutatingadmissionpolicy", False,
        admission_policy.MutatingAdmissionPolicy, categories=("api-extensions",),
        columns=columns_admission.MUTATING_POLICY,
    ),
    Kind(
        _GROUP, "v1", "MutatingAdmissionPolicyBinding", "mutatingadmissionpolicybindings",
        "mutatingadmissionpolicybinding", False, admission_policy.MutatingAdmissionPolicyBinding,
        categories=("api-extensions",), columns=columns_admission.POLICY_BINDING,
    ),
    Kind(
        _GROUP, "v1", "MutatingWebhookConfiguration", "mutatingwebhookconfigurations",
        "mutatingwebhookconfiguration", False, admission_webhook.MutatingWebhookConfiguration,
        categories=("api-extensions",), columns=columns_admission.WEBHOOK_CONFIGURATION,
    ),
    Kind(
        _GROUP, "v1", "ValidatingAdmissionPolicy", "validatingadmissionpolicies", "validatingadmissionpolicy",
        False, admission_policy.ValidatingAdmissionPolicy, categories=("api-extensions",),
        subresources=frozenset({"status"}), columns=columns_admission.VALIDATING_POLICY,
    ),
    Kind(
        _GROUP, "v1", "ValidatingAdmissionPolicyBinding", "validatingadmissionpolicybindings",
        "validatingadmissionpolicybinding", False, admission_policy.ValidatingAdmissionPolicyBinding,
        categories=("api-extensions",), columns=columns_admission.POLICY_BINDING,
    ),
    Kind(
        _GROUP, "v1", "ValidatingWebhookConfiguration", "validatingwebhookconfigurations",
        "validatingwebhookconfiguration", False, admission_webhook.ValidatingWebhookConfiguration,
        categories=("api-extensions",), columns=columns_admission.WEBHOOK_CONFIGURATION,
    ),
)  # fmt: skip
