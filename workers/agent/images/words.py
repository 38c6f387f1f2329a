"""What users are told of images, in kubelet's words.

https://kubernetes.io/docs/concepts/containers/images/ and the Events of kubelet's image manager.
"""

from __future__ import annotations

_UNITS = ("B", "kB", "MB", "GB", "TB")


def pulling(image: str) -> str:
    return f'Pulling image "{image}"'


def present(image: str) -> str:
    return f'Container image "{image}" already present on machine and can be accessed by the pod'


def pulled(image: str, seconds: float, waited: float, size: int) -> str:
    """`seconds`: the pull alone; `waited`: from when the container needed it."""
    return (
        f'Successfully pulled image "{image}" in {duration(seconds)} ({duration(waited)} including waiting). '
        f"Image size: {size} bytes."
    )


def progress(image: str, done: int, total: int) -> str:
    """How far a pull is. Its total is known once the registry has told the size of every part."""
    if not total:
        return f'Pulling image "{image}": waiting for data'
    return f'Pulling image "{image}": {amount(done)} of {amount(total)}'


def never(image: str) -> str:
    return f'Container image "{image}" is not present with pull policy of Never'


def not_for_this_pod(image: str) -> str:
    return (
        f'Container image "{image}" is present, but was pulled with credentials that the pod does not have, '
        "and its pull policy is Never"
    )


def unavailable(image: str, said: str) -> str:
    return f"image pull failed for {image} because the registry is unavailable: {said}"


def back_off(image: str) -> str:
    return f'Back-off pulling image "{image}"'


def missing_secrets(names: list[str]) -> str:
    return (
        f"Unable to retrieve some image pull secrets ({', '.join(names)}); "
        "attempting to pull the image may not succeed."
    )


def duration(seconds: float) -> str:
    """As Go prints it, to the millisecond: `405ms`, `1.893s`, `1m45.457s`."""
    millis = int(seconds * 1000)
    if millis < 1000:
        return f"{millis}ms" if millis else "0s"
    minutes, rest = divmod(millis, 60_000)
    shown = f"{rest / 1000:.3f}".rstrip("0").rstrip(".") + "s"
    if not minutes:
        return shown
    hours, minutes = divmod(minutes, 60)
    return (f"{hours}h" if hours else "") + f"{minutes}m{shown}"


def amount(size: float) -> str:
    """Bytes in the engine's units: `123MB`, `1.2GB`."""
    unit = 0
    while size >= 1000 and unit < len(_UNITS) - 1:
        size, unit = size / 1000, unit + 1
    return f"{size:.3g}{_UNITS[unit]}" if size < 100 else f"{size:.0f}{_UNITS[unit]}"
