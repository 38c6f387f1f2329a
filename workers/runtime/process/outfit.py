"""What a container's process is started with: its environment, user, folder and view of the file system."""

from __future__ import annotations

import os
import platform
from dataclasses import dataclass
from pathlib import Path

from workers.runtime.process import launch, rights
from workers.runtime.process.files import ContainerFolder, PodFolder
from workers.runtime.process.holding import entrances
from workers.runtime.process.procfs import MARK
from workers.runtime.protocol import ContainerError, ContainerSpec, Unsupported

# Where every pod finds the token of its ServiceAccount; and the variable that says where it lies instead, if nothing
# can be mounted.
ACCOUNT_MOUNT = "/var/run/secrets/kubernetes.io/serviceaccount"
ACCOUNT_FOLDER = "BEANPOLE_SERVICE_ACCOUNT"


@dataclass(frozen=True, slots=True)
class Outfitter:
    """Fits containers out.

    Attributes:
        node: the node's folder.
        mode: how a private view of the file system is had here (see `launch.detect_mode`); empty: not at all.
    """

    node: Path
    mode: str

    def launch(
        self, parent: PodFolder, sandbox: dict[str, str], folder: ContainerFolder, spec: ContainerSpec
    ) -> launch.Launch:
        """All that starting the container, or a command inside it, takes. Raises ContainerError."""
        address, hostname = sandbox["address"], "" if sandbox.get("in_machine") else sandbox["hostname"]
        env = (
            launch.base_env() | {"HOSTNAME": hostname or platform.node(), "POD_IP": address} | dict(spec.env)
        )
        if spec.tty:
            env.setdefault("TERM", "xterm")
        env |= {"BEANPOLE_POD_IP": address, MARK: folder.id}
        if any("\0" in text for text in (*env, *env.values(), *(spec.command or ()), *(spec.args or ()))):
            raise ContainerError("CreateContainerError", "a NUL byte can't be in a command or an environment")
        work = folder.path / "work"
        if spec.run_as_user is not None and os.geteuid() == 0:
            self._open_to(spec.run_as_user, spec.run_as_group, work)
        mounts = [launch.bind(mount) for mount in spec.mounts]
        if not self.mode:
            # What every pod has must not keep all pods from running: it lies elsewhere, and the pod is told where.
            env.update((ACCOUNT_FOLDER, b.source) for b in mounts if b.target == ACCOUNT_MOUNT)
            mounts = []
        targets = {m.target for m in spec.mounts}
        if self.mode:
            for name in ("resolv.conf", "hosts"):
                source = parent.path / name
                if f"/etc/{name}" not in targets and source.stat().st_size:
                    mounts.append(launch.Bind(str(source), f"/etc/{name}"))
        return launch.Launch(
            mode=self.mode if mounts else "",
            directory=spec.working_dir or str(work),
            command=[*(spec.command or ()), *(spec.args or ())],
            env=env,
            uid=-1 if spec.run_as_user is None else spec.run_as_user,
            gid=-1 if spec.run_as_group is None else spec.run_as_group,
            staging=str(folder.path / "root"),
            mounts=mounts,
            wishes=launch.wishes(spec),
            rights=rights.told(spec, hostname, self.mode),
            entrances=[str(path) for path in entrances(folder)],
            oom_score_adj=spec.resources.oom_score_adj,
            log=spec.log,
        )

    def _open_to(self, uid: int, gid: int | None, work: Path) -> None:
        """Let another user reach its own folder, without letting it list the others."""
        os.chown(work, uid, -1 if gid is None else gid)
        for above in work.parents:
            if above.is_relative_to(self.node):
                above.chmod(above.stat().st_mode | 0o011)

    def refuse(self, spec: ContainerSpec) -> None:
        """What can't be done without an engine, by the field that asks for it."""
        where = f"spec.containers[{spec.name}]"
        if not spec.command:
            raise Unsupported(
                f"{where}.command: required by the process runtime, where an image ({spec.image}) is only a name"
            )
        root = os.geteuid() == 0
        if spec.run_as_user is not None and not root and spec.run_as_user != os.geteuid():
            raise Unsupported(f"{where}.securityContext.runAsUser: needs an agent that runs as root")
        if spec.run_as_group is not None and not root and spec.run_as_group != os.getegid():
            raise Unsupported(f"{where}.securityContext.runAsGroup: needs an agent that runs as root")
        for mount in spec.mounts:
            if mount.volume is not None:
                raise Unsupported(
                    f"{where}.volumeMounts[{mount.target}]: the process runtime has no engine that mounts "
                    f"{mount.volume.driver} volumes"
                )
        mounts = [mount for mount in spec.mounts if mount.target != ACCOUNT_MOUNT and not mount.optional]
        if mounts and not self.mode:
            raise Unsupported(
                f"{where}.volumeMounts[{mounts[0].target}]: needs an agent that runs as root, or user namespaces"
            )
