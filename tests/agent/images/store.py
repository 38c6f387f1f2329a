"""A store of images in memory, a registry behind it, and an agent on a runtime that has them."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from pathlib import Path

from app.base.ids import RandomIds
from app.base.settings import Settings
from app.objects.change import Object
from tests.agent.world import World
from workers.agent.agent import Agent
from workers.agent.jobs import SteppedJobs
from workers.runtime.image_store import Disk, Login, StoredImage, Transfer
from workers.runtime.images import Image
from workers.runtime.protocol import ContainerError
from workers.runtime.simulated import SimulatedRuntime

SIZE = 1000


class Store:
    """`ImageStore` in memory.

    Attributes:
        served: what the registry has: reference -> the logins that may pull it, None for everybody. here: reference ->
            what the machine has. pulled: `(reference, username)` of every try. during: called in the middle of a pull.
    """

    def __init__(self) -> None:
        self.served: dict[str, set[tuple[str, str]] | None] = {}
        self.versions: dict[str, int] = {}
        self.here: dict[str, StoredImage] = {}
        self.used: set[str] = set()
        self.kept: set[str] = {"pause:1"}
        self.pulled: list[tuple[str, str]] = []
        self.disk_is: Disk | None = Disk(100_000, 50_000)
        self.during: Callable[[Transfer], None] = lambda transfer: None
        self.fails = ""
        self.refuses: set[str] = set()

    def serve(self, reference: str, *logins: tuple[str, str]) -> None:
        self.served[reference] = set(logins) or None
        self.versions[reference] = self.versions.get(reference, 0) + 1

    def put(self, reference: str, image_id: str = "", size: int = SIZE) -> StoredImage:
        """The machine has it already."""
        image_id = image_id or f"id-{reference}-{self.versions.get(reference, 0)}"
        old = self.here.get(reference)
        if old is not None and old.id != image_id:
            self.here[f"<none>@{old.id}"] = StoredImage(old.id, (), (), old.size)
        self.here[reference] = StoredImage(image_id, (reference,), (), size)
        return self.here[reference]

    def find(self, image: Image) -> StoredImage | None:
        return self.here.get(image.reference)

    def pull(self, image: Image, login: Login | None, transfer: Transfer) -> StoredImage:
        self.pulled.append((image.reference, login.username if login else ""))
        self.during(transfer)
        if transfer.cancelled:
            raise ContainerError("ErrImagePull", "the pull was cancelled")
        if self.fails:
            raise ContainerError(self.fails, "dial tcp: connection refused")
        if image.reference not in self.served:
            raise ContainerError("ErrImagePull", "manifest unknown")
        allowed = self.served[image.reference]
        if allowed is not None and (login is None or (login.username, login.password) not in allowed):
            raise ContainerError("ErrImagePull", "unauthorized")
        return self.put(image.reference)

    def forget(self, image: Image) -> None:
        """Nothing is remembered."""

    def all(self) -> list[StoredImage]:
        return list({image.id: image for image in self.here.values()}.values())

    def in_use(self) -> set[str]:
        return set(self.used)

    def pinned(self) -> set[str]:
        return set(self.kept)

    def remove(self, name: str) -> None:
        if name in self.refuses:
            raise ContainerError("ImageRemoveError", f"conflict: {name} is in use")
        self.here = {key: held for key, held in self.here.items() if name not in (key, held.id)}

    def disk(self) -> Disk | None:
        return self.disk_is


class StoringRuntime(SimulatedRuntime):
    """Simulated containers, whose images are those of a store."""

    images: Store


class ImageWorld(World):
    """One agent on one machine that keeps images."""

    def __init__(self, folder: Path, **settings: object) -> None:
        self.store = Store()
        super().__init__(folder, **settings)

    def begin(self) -> None:
        self.runtime = StoringRuntime(self.clock, "n1", self.machine)
        self.runtime.images = self.store
        self.jobs = SteppedJobs(self.clock)
        settings = Settings(
            node="n1",
            state_dir=self.folder,
            server="https://10.0.0.1:6443",
            **self.settings,
        )
        self.agent = Agent(
            self.api, self.runtime, self.network, self.clock, RandomIds(1), settings, jobs=self.jobs
        )
        self.agent.nudge()

    def put_pod(self, wanted: Object, *secrets: str) -> str:
        """A pod that names these pull secrets."""
        wanted["spec"]["imagePullSecrets"] = [{"name": name} for name in secrets]
        return self.api.put({**wanted, "draws_on": [f"secrets default/{name}" for name in secrets]})

    def said(self, uid: str, reason: str) -> list[str]:
        """The messages of the pod's Events of one reason."""
        return [message for who, why, message in self.api.events if (who, why) == (uid, reason)]


def pull_secret(name: str, **logins: tuple[str, str]) -> Object:
    """A Secret with logins by registry; `_` in a keyword stands for a dot."""
    auths = {
        place.replace("_", "."): {"username": user, "password": password}
        for place, (user, password) in logins.items()
    }
    return secret_of(name, {"auths": auths})


def secret_of(name: str, config: object, uid: str = "") -> Object:
    text = base64.b64encode(json.dumps(config).encode()).decode()
    return {
        "metadata": {"namespace": "default", "name": name, "uid": uid or f"uid-{name}"},
        "type": "kubernetes.io/dockerconfigjson",
        "data": {".dockerconfigjson": text},
    }
