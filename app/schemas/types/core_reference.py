"""Ways in which one object names another, or a key in it."""

from __future__ import annotations

from app.schemas.fields import Boolean, Int32, Int64, Quantity, String
from app.schemas.formats import file_mode
from app.schemas.types.core_base import Core


class LocalObjectReference(Core):
    """An object of the same namespace, by name."""

    name = String()


class ObjectReference(Core):
    """Any object."""

    apiVersion = String("Version of the API that the object is written in.")
    kind = String("Kind of the object.")
    namespace = String()
    name = String()
    uid = String(go="types.UID")
    resourceVersion = String()
    fieldPath = String()


class TypedLocalObjectReference(Core):
    """An object of some kind in the same namespace."""

    kind = String("Kind of the object.", required=True, keep_zero=True)
    apiGroup = String(keep_zero=True)
    name = String(required=True, keep_zero=True)


class TypedObjectReference(Core):
    """An object of some kind, in this or another namespace."""

    kind = String("Kind of the object.", required=True, keep_zero=True)
    apiGroup = String(keep_zero=True)
    name = String(required=True, keep_zero=True)
    namespace = String(keep_zero=True)


class ConfigMapKeySelector(Core):
    """One key of a ConfigMap."""

    name = String("Its name.")
    key = String(required=True, keep_zero=True)
    optional = Boolean(keep_zero=True)


class SecretKeySelector(Core):
    """One key of a Secret."""

    name = String("Its name.")
    key = String(required=True, keep_zero=True)
    optional = Boolean(keep_zero=True)


class ObjectFieldSelector(Core):
    """A field of the pod itself."""

    apiVersion = String("Version of the API that the object is written in.", default="v1")
    fieldPath = String(required=True, keep_zero=True)


class FileKeySelector(Core):
    """One key of an env file on a volume."""

    volumeName = String(required=True, keep_zero=True)
    path = String(required=True, keep_zero=True)
    key = String(required=True, keep_zero=True)
    optional = Boolean(keep_zero=True)


class ResourceFieldSelector(Core):
    """A resource of a container: its limit or request."""

    containerName = String()
    resource = String(required=True, keep_zero=True)
    divisor = Quantity(default="0")


class KeyToPath(Core):
    """A key, and the file it becomes."""

    key = String(required=True, keep_zero=True)
    path = String(required=True, keep_zero=True)
    mode = Int32(keep_zero=True, check=file_mode)
    user = Int64(keep_zero=True)
