"""Where a webhook is reached: its `clientConfig` as an address, through the endpoints of its Service."""

from __future__ import annotations

import base64
import binascii
from urllib.parse import urlsplit

from app.client.webhooks import Endpoint
from app.objects.change import Object, ReadView

SLICES = "endpointslices.discovery.k8s.io"


def endpoint(config: Object, view: ReadView, seconds: int) -> Endpoint | str:
    """The endpoint, or why there is none. `seconds` is what the webhook is told of its time."""
    ca = _pem(config.get("caBundle"))
    if config.get("url"):
        return _of_url(str(config["url"]), ca, seconds)
    service = config.get("service") or {}
    namespace, name = str(service.get("namespace") or ""), str(service.get("name") or "")
    port = int(service.get("port") or 443)
    path = "/" + str(service.get("path") or "").lstrip("/")
    path = f"{path}?timeout={seconds}s"
    host = f"{name}.{namespace}.svc"
    shown = f"https://{host}:{port}{path}"
    found = view.get("services", f"{namespace}/{name}")
    if found is None:
        return f'service "{name}" not found'
    spec = found.get("spec") or {}
    if spec.get("type") == "ExternalName":
        return Endpoint(str(spec.get("externalName") or ""), port, host, path, shown, ca)
    named = next((p for p in spec.get("ports") or () if p.get("port") == port), None)
    if named is None:
        return f'no service port {port} found for service "{name}"'
    for slice_ in view.owned(SLICES, str(found["metadata"].get("uid"))) or _labelled(view, namespace, name):
        place = _ready(slice_, str(named.get("name") or ""))
        if place is not None:
            return Endpoint(place[0], place[1], host, path, shown, ca)
    return f'no endpoints available for service "{name}"'


def _of_url(url: str, ca: str, seconds: int) -> Endpoint | str:
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port or 443
    except ValueError as exc:
        return f'parse "{url}": {exc}'
    if parts.scheme != "https" or not host:
        return f'the address "{url}" is not one of https'
    path = f"{parts.path or '/'}?{parts.query + '&' if parts.query else ''}timeout={seconds}s"
    return Endpoint(host, port, host, path, f"https://{parts.netloc}{path}", ca)


def _labelled(view: ReadView, namespace: str, name: str) -> list[Object]:
    """Slices that nobody owns, for a service without a selector."""
    return [
        each
        for each in view.list(SLICES, namespace)
        if (each["metadata"].get("labels") or {}).get("kubernetes.io/service-name") == name
    ]


def _ready(slice_: Object, port_name: str) -> tuple[str, int] | None:
    ports = slice_.get("ports") or ()
    port = next((p.get("port") for p in ports if (p.get("name") or "") == port_name), None)
    for each in slice_.get("endpoints") or ():
        if (each.get("conditions") or {}).get("ready") is not False and each.get("addresses") and port:
            return str(each["addresses"][0]), int(port)
    return None


def _pem(bundle: object) -> str:
    if not isinstance(bundle, str) or not bundle:
        return ""
    try:
        return base64.b64decode(bundle).decode("ascii")
    except (binascii.Error, UnicodeDecodeError, ValueError):
        return ""
