"""The parameters of a storage class whose volumes are made by one of Docker's volume plugins.

`driver` names the plugin, by default Docker's own `local`. `opts` are what `docker volume create --opt` takes, one
`name=value` a line, in which `${pv}`, `${pvc}` and `${namespace}` stand for the names of volume, claim and namespace:

    parameters:
      opts: |
        type=nfs
        o=addr=10.0.0.9,rw
        device=:/exports

https://docs.docker.com/reference/cli/docker/volume/create/
"""

from __future__ import annotations

from collections.abc import Mapping
from string import Template

from app.objects.change import Object
from app.objects.persistent import DOCKER

LOCAL_DRIVER = "local"
# File systems on the network, which Docker's `local` driver mounts on whichever node asks.
OVER_NETWORK = ("nfs", "nfs4", "cifs")
OPTION = "opt."


def source(parameters: Mapping[str, str], claim: Object, name: str) -> tuple[Object, bool]:
    """What the volume is, and whether it is on one node only.

    Raises:
        ValueError: the parameters make no sense; says which.
    """
    unknown = sorted(set(parameters) - {"driver", "opts"})
    if unknown:
        raise ValueError(f"unknown parameters: {', '.join(unknown)}")
    driver = parameters.get("driver") or LOCAL_DRIVER
    options = _options(parameters.get("opts") or "", claim, name)
    attributes = {"driver": driver, **{OPTION + key: value for key, value in options.items()}}
    of_one_node = driver == LOCAL_DRIVER and options.get("type") not in OVER_NETWORK
    return {"csi": {"driver": DOCKER, "volumeHandle": name, "volumeAttributes": attributes}}, of_one_node


def _options(text: str, claim: Object, name: str) -> dict[str, str]:
    names = {"pv": name, "pvc": claim["metadata"]["name"], "namespace": claim["metadata"]["namespace"]}
    options = {}
    for line in filter(None, (line.strip() for line in text.splitlines())):
        key, equals, value = line.partition("=")
        if not equals or not key:
            raise ValueError(f"opts: {line!r} is not name=value")
        try:
            options[key] = Template(value).substitute(names)
        except (KeyError, ValueError) as exc:
            raise ValueError(f"opts: {line!r}: only ${{pv}}, ${{pvc}} and ${{namespace}} are known") from exc
    return options
