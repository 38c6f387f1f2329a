"""The chain: which plugins see a request, and in which order (`AllOrderedPlugins` in kube-apiserver).

First those that change the object, webhooks last among them; then, when it is complete and valid, those that may
only refuse it. The quota comes last of all, beside the commit (`admission.Admission.charged`): nothing is charged
that another refuses.
"""

from __future__ import annotations

from collections.abc import Callable

from app.registry.admission import (
    classes,
    expansion,
    in_use,
    limit_ranger,
    priority,
    service_account,
    tolerations,
)
from app.registry.admission.attributes import Attributes, Surroundings
from app.registry.admission.pod_security import plugin as pod_security
from app.registry.admission.policies import plugin as policies
from app.registry.admission.quota import plugin as quota
from app.registry.admission.webhooks import mutating, validating

Plugin = Callable[[Attributes, Surroundings], None]

# What each resource is changed by, in order.
_MUTATORS: dict[str, tuple[Plugin, ...]] = {
    "pods": (
        tolerations.complete,
        limit_ranger.mutate,
        service_account.mutate,
        priority.mutate,
        tolerations.mutate,
        classes.runtime,
    ),
    "persistentvolumeclaims": (classes.storage, in_use.mutate),
    "persistentvolumes": (in_use.mutate,),
    "ingresses.networking.k8s.io": (classes.ingress,),
}
# What may refuse a resource. Pod security concerns whatever holds a pod template.
_VALIDATORS: dict[str, tuple[Plugin, ...]] = {
    "pods": (limit_ranger.validate, pod_security.validate),
    "persistentvolumeclaims": (limit_ranger.validate, expansion.validate),
    "namespaces": (pod_security.validate_namespace,),
    "priorityclasses.scheduling.k8s.io": (priority.validate_class,),
    **dict.fromkeys(pod_security.TEMPLATED, (pod_security.validate,)),
}
_NONE: tuple[Plugin, ...] = ()


def mutate(attributes: Attributes, around: Surroundings) -> None:
    """Let plugins and webhooks change the object. Raises Forbidden, or what a webhook answers."""
    resource = attributes.kind.resource
    with around.lock:
        for plugin in _MUTATORS.get(resource, _NONE):
            plugin(attributes, around)
        hooks = mutating.due(attributes, around)
    if hooks:
        mutating.call(attributes, around, hooks)


def validate(attributes: Attributes, around: Surroundings) -> None:
    """Let plugins, policies and webhooks refuse the request. Raises Forbidden, or what a webhook answers."""
    resource = attributes.kind.resource
    with around.lock:
        for plugin in _VALIDATORS.get(resource, _NONE):
            plugin(attributes, around)
        policies.validate(attributes, around)
        hooks = validating.due(attributes, around)
    if hooks:
        validating.call(attributes, around, hooks)


def concerns(resource: str, namespace: str, around: Surroundings) -> bool:
    """Whether anything in the chain could have to do with a resource. For those who write much that nothing has."""
    view = around.view
    return (
        resource in _MUTATORS
        or resource in _VALIDATORS
        or mutating.any_hooks(view)
        or validating.any_hooks(view)
        or policies.any_policies(view)
        or bool(view.keys(quota.RESOURCE, namespace))
    )
