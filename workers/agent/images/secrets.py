"""The logins that a pod has for an image: those of the Secrets that its `imagePullSecrets` name.

https://kubernetes.io/docs/concepts/containers/images/#specifying-imagepullsecrets-on-a-pod
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from app.objects.change import Object
from workers.agent.configuring.sources import NotYetKnown
from workers.agent.images import words as image_words
from workers.agent.images.keyring import Key, Keyring, NoLogins
from workers.runtime.images import Image


def keys_for(
    pod: Object, image: Image, objects: Mapping[str, Object | None], warn: Callable[[str], None]
) -> tuple[Key, ...]:
    """The logins to try, in order; none means that the registry is asked as nobody.

    Args:
        objects: what is known: `"secrets ns/name"` -> the Secret, or None if there is none. warn: hears of Secrets that
            are missing or can't be read; what others hold is used.

    Raises:
        NotYetKnown: a Secret has not come from the API yet.
    """
    wanted = [str(each["name"]) for each in pod["spec"].get("imagePullSecrets") or () if each.get("name")]
    if not wanted:
        return ()
    namespace = pod["metadata"].get("namespace", "")
    found: list[Object] = []
    missing: list[str] = []
    for name in wanted:
        key = f"secrets {namespace}/{name}"
        if key not in objects:
            raise NotYetKnown(key)
        secret = objects[key]
        if secret is None:
            missing.append(name)
            continue
        try:
            Keyring([secret])
        except NoLogins as exc:
            warn(f"{exc}; attempting to pull the image may not succeed.")
            continue
        found.append(secret)
    if missing:
        warn(image_words.missing_secrets(missing))
    return Keyring(found).fitting(image)
