"""What pods draw on: the objects that the credential of their node may read for them."""

from __future__ import annotations

from app.objects.change import Object
from app.objects.pods import MIRROR
from app.objects.references import references
from app.store.records import Record
from app.store.view import View

Pair = tuple[str, str]
# Secrets that a volume's driver is handed, in PersistentVolumes and in pods' own volumes.
_DRIVER_SECRETS = (
    "nodePublishSecretRef", "nodeStageSecretRef", "nodeExpandSecretRef", "controllerPublishSecretRef", "secretRef",
)  # fmt: skip


class Drawn:
    """Remembers what each pod draws on, so that asking about a node decodes only the pods that changed."""

    def __init__(self, view: View) -> None:
        self._view = view
        self._known: dict[str, tuple[int, frozenset[Pair]]] = {}

    def on(self, node: str | None, resource: str, key: str) -> bool:
        """Whether a pod on the node (None: on any) draws on `resource` `key`."""
        with self._view.lock:
            pods = self._records(node)
            wanted = (resource, key)
            if any(wanted in self._of(pod) for pod in pods):
                return True
            if resource == "persistentvolumes":
                return self._volume(pods, key)
            return resource == "secrets" and self._through_volumes(pods, key)

    def _records(self, node: str | None) -> list[Record]:
        if node is not None:
            return self._view.records_on(node) if node else []
        return [record for record in self._view.records("pods") if record.node]

    def _of(self, pod: Record) -> frozenset[Pair]:
        known = self._known.get(pod.key)
        if known is None or known[0] != pod.revision:
            if len(self._known) > 2 * len(self._view.keys("pods")) + 100:
                self._known.clear()
            known = self._known[pod.key] = (pod.revision, frozenset(drawn_on(pod.obj)))
        return known[1]

    def _claims(self, pods: list[Record]) -> set[str]:
        return {
            key for pod in pods for resource, key in self._of(pod) if resource == "persistentvolumeclaims"
        }

    def _volume(self, pods: list[Record], name: str) -> bool:
        """A PersistentVolume is drawn on through the claim that it is bound to."""
        volume = self._view.get("persistentvolumes", name)
        ref = ((volume or {}).get("spec") or {}).get("claimRef") or {}
        return f"{ref.get('namespace')}/{ref.get('name')}" in self._claims(pods)

    def _through_volumes(self, pods: list[Record], secret: str) -> bool:
        for key in self._claims(pods):
            claim = self._view.get("persistentvolumeclaims", key)
            name = ((claim or {}).get("spec") or {}).get("volumeName")
            volume = self._view.get("persistentvolumes", name) if name else None
            if volume is not None and secret in _secrets_of(volume):
                return True
        return False


def drawn_on(pod: Object) -> set[Pair]:
    """`(resource, key)` of all that a pod draws on. A mirror pod, which its node made up itself, draws on nothing."""
    meta, spec = pod["metadata"], pod.get("spec") or {}
    if MIRROR in (meta.get("annotations") or {}):
        return set()
    namespace = meta.get("namespace", "")
    found = set(references(pod)) | set(
        references({**pod, "spec": {"containers": spec.get("ephemeralContainers")}})
    )
    names = [("serviceaccounts", spec.get("serviceAccountName") or "")]
    for volume in spec.get("volumes") or ():
        for source in volume.values():
            if isinstance(source, dict):
                refs = [source.get(field) for field in _DRIVER_SECRETS]
                names += [("secrets", ref.get("name") or "") for ref in refs if isinstance(ref, dict)]
    return found | {(resource, f"{namespace}/{name}") for resource, name in names if name}


def _secrets_of(volume: Object) -> set[str]:
    spec = volume.get("spec") or {}
    default = (spec.get("claimRef") or {}).get("namespace") or ""
    sources = [source for source in spec.values() if isinstance(source, dict)]
    refs = [source.get(field) for source in sources for field in _DRIVER_SECRETS]
    return {
        f"{ref.get('namespace') or default}/{ref['name']}"
        for ref in refs
        if isinstance(ref, dict) and ref.get("name")
    }
