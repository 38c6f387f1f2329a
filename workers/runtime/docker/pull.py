"""One pull by the engine, which another thread may end."""

from __future__ import annotations

import contextlib
import re
import socket
from typing import Any

import docker
import docker.errors
from docker import auth

from workers.runtime.docker.engine import UNAVAILABLE, translated
from workers.runtime.docker.transfer import Layers
from workers.runtime.image_store import Login, Transfer
from workers.runtime.images import Image
from workers.runtime.protocol import ContainerError

# How long the engine may take to get a first answer from the registry. Seconds.
FIRST_ANSWER = 90.0
# In the engine's words: the registry itself could not be spoken to, so nothing is said about the image.
_UNAVAILABLE = re.compile(
    r"connection refused|i/o timeout|TLS handshake timeout|no route to host|network is unreachable"
    r"|Client\.Timeout exceeded|context deadline exceeded|connection reset by peer"
    r"|50[0234] (?:Internal|Bad Gateway|Service|Gateway)"
)


def pull(client: docker.APIClient, image: Image, login: Login | None, transfer: Transfer) -> None:
    """Have the engine fetch the image. Without a login it asks as nobody, or as its own configuration says.

    Raises:
        ContainerError: ErrImagePull, RegistryUnavailable; RuntimeUnavailable if the engine went away.
    """
    params = {"fromImage": image.name, "tag": image.digest or image.tag}
    headers = {}
    if login is not None:
        shown = {"username": login.username, "password": login.password, "serveraddress": image.registry}
        headers["X-Registry-Auth"] = auth.encode_header(shown)
    else:
        own = auth.get_config_header(client, image.registry)
        if own:
            headers["X-Registry-Auth"] = own
    try:
        with translated("ErrImagePull"):
            _fetch(client, params, headers, transfer)
    except ContainerError as exc:
        if transfer.cancelled:
            raise ContainerError("ErrImagePull", "the pull was cancelled") from exc
        if exc.reason == UNAVAILABLE:
            raise
        raise refusal(exc.message) from exc
    if transfer.cancelled:
        raise ContainerError("ErrImagePull", "the pull was cancelled")


def refusal(said: str) -> ContainerError:
    """The engine's words on a failed pull, as kubelet would pass them on."""
    reason = "RegistryUnavailable" if _UNAVAILABLE.search(said) else "ErrImagePull"
    return ContainerError(reason, f"Error response from daemon: {said}")


def _fetch(
    client: docker.APIClient, params: dict[str, str], headers: dict[str, Any], transfer: Transfer
) -> None:
    # The SDK's own `pull` has no way to be ended from another thread while the registry keeps silent.
    response = client._post(
        client._url("/images/create"), params=params, headers=headers, stream=True, timeout=FIRST_ANSWER
    )
    client._raise_for_status(response)
    stream = client._get_raw_response_socket(response)
    line: socket.socket = getattr(stream, "_sock", stream)
    line.settimeout(None)

    def end() -> None:
        # The engine gives a pull up when nobody listens any more.
        with contextlib.suppress(OSError):
            line.shutdown(socket.SHUT_RDWR)

    layers = Layers()
    transfer.open(end)
    try:
        for said in client._stream_helper(response, decode=True):
            if "error" in said:
                raise ContainerError("ErrImagePull", str(said["error"]))
            layers.hear(said, transfer)
    finally:
        transfer.closed()
        response.close()
