"""The pods of a node's files: started, replaced and ended as the files say, and stood for in the API by mirror pods.

They need the API for nothing but that. An agent that can't reach it when it starts gives its pods addresses of the range
that the node had before; a node that never had one waits for the API.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable
from pathlib import Path

from app.base.clock import rfc3339
from app.base.errors import BeanpoleError
from app.objects.change import Object
from workers.agent.api import AgentApi
from workers.agent.exchange.conversation import Conversation
from workers.agent.jobs import Jobs
from workers.agent.pod import grace
from workers.agent.record import Record
from workers.agent.static import mirrors
from workers.agent.static.manifests import Folder
from workers.agent.surroundings import Surroundings

log = logging.getLogger("beanpole.agent")

# How often the folder is looked at. Seconds.
LOOK = 1.0
# Before a mirror that the API refused is tried again. Seconds.
REFUSED = 10.0
LANE = "node"


class StaticPods:
    """See the module.

    Args:
        api: where mirrors are made. lock: held while the node's records change. wake: look at a pod.
        first: makes the node ready for pods without the API, if it can; called until `told.since` is known.
    """

    def __init__(
        self,
        around: Surroundings,
        told: Conversation,
        api: AgentApi,
        jobs: Jobs,
        lock: threading.RLock,
        wake: Callable[[str], None],
        first: Callable[[], None],
    ) -> None:
        self._around, self._told, self._api, self._jobs = around, told, api, jobs
        self._lock, self._wake, self._first = lock, wake, first
        path = around.settings.static_pods
        self._folder = Folder(Path(path).absolute(), around.node) if path else None
        self._own: dict[str, Record] = {}
        self._followed: dict[str, Object] = {}
        self._ended: set[str] = set()
        self._faults: dict[str, str] = {}
        self._busy: set[str] = set()
        self._range = around.settings.state_dir / f"beanpole-{around.node}.range"

    def start(self) -> None:
        """Read the folder, now and whenever it changes."""
        if self._folder is not None:
            if not self._told.pod_cidr:
                self._told.pod_cidr = self._remembered()
            self._look()

    def heard(self) -> None:
        """An exchange brought news."""
        if self._folder is not None and self._told.pod_cidr != self._remembered():
            self._range.parent.mkdir(parents=True, exist_ok=True)
            self._range.write_text(self._told.pod_cidr)
        if self._own or self._told.mirrors:
            with self._lock:
                self._mirror()

    def dropped(self, uid: str) -> None:
        """Nothing of the pod is left."""
        if uid not in self._own:
            return
        with self._lock:
            self._followed.pop(uid, None)
            if self._own.pop(uid, None) is not None:
                self._reconcile()

    def reported(self, entries: Iterable[Object]) -> list[Object]:
        """What is said of pods, with mirrors in place of the pods for which they stand. What has none yet is left out,
        and said again when it has."""
        if not self._own:
            return list(entries)
        found = []
        for entry in entries:
            uid = entry["uid"]
            if uid not in self._own:
                found.append(entry)
            elif mirror := self._own[uid].mirror:
                found.append({**entry, "uid": mirror})
                if (entry.get("status") or {}).get("phase") in mirrors.FINISHED:
                    self._ended.add(mirror)
        return found

    def removed(self, entries: Iterable[Object]) -> list[Object]:
        """What is said of pods of which nothing is left, without static ones: their mirrors are deleted."""
        return [entry for entry in entries if entry["uid"] not in self._own]

    def used(self, report: Object | None) -> Object | None:
        """What is said of what pods use, with mirrors in place of the pods for which they stand."""
        if report is None or not self._own:
            return report
        return {**report, "pods": self.reported(report["pods"])}

    def _remembered(self) -> str:
        try:
            return self._range.read_text().strip()
        except OSError:
            return ""

    # -- files ----------------------------------------------------------------------------------------

    def _look(self) -> None:
        self._jobs.after(("static", self._around.node), LOOK, self._look, LANE)
        if self._told.since == 0:
            self._first()
        folder = self._folder
        assert folder is not None
        if folder.look(self._around.clock.now()):
            self._tell(folder.faults)
        if {pod["metadata"]["uid"] for pod in folder.pods.values()} != set(self._own):
            self._reconcile()

    def _tell(self, faults: dict[str, str]) -> None:
        """An Event of the node for each file that can't be read, once for each fault."""
        node = {"kind": "Node", "metadata": {"name": self._around.node}}
        for name, fault in faults.items():
            if self._faults.get(name) != fault:
                place = self._around.settings.static_pods + (f"/{name}" if name else "")
                log.warning("%s: static pod file %s: %s", self._around.node, place, fault)
                self._around.notes.tell(node, "FailedStaticPod", f"{place}: {fault}", warning=True)
        self._faults = dict(faults)

    def _reconcile(self) -> None:
        """Begin and end pods as the files say. A pod that is replaced ends before the new one of its name begins."""
        folder = self._folder
        assert folder is not None
        with self._lock:
            wanted = {pod["metadata"]["uid"]: pod for pod in folder.pods.values()}
            for uid, record in self._own.items():
                if uid not in wanted and not record.deleting:
                    _retire(record, self._around.clock.now())
                    self._wake(uid)
            names = {mirrors.name(record.ordered) for record in self._own.values()}
            for uid, pod in wanted.items():
                if uid in self._own or mirrors.name(pod) in names:
                    continue
                names.add(mirrors.name(pod))
                self._own[uid] = self._told.records[uid] = Record(pod)
                self._wake(uid)
            self._mirror()

    # -- mirrors --------------------------------------------------------------------------------------

    def _mirror(self) -> None:
        """Make and delete mirrors, and note which there are."""
        known = self._told.mirrors
        self._ended &= known.keys()
        pods = {uid: record.pod for uid, record in self._own.items()}
        for uid, record in self._own.items():
            standing = [
                each
                for each in known.values()
                if mirrors.stands_for(each, pods[uid]) and not each["metadata"].get("deletionTimestamp")
            ]
            record.mirror = standing[0]["metadata"]["uid"] if standing else ""
            if standing:
                self._follow(record, standing[0])
        node = self._told.standing
        if self._told.since == 0 or node is None:
            return
        # What was said of them by this node is not in what it was told.
        shown = [{**m, "status": {"phase": "Failed"}} if u in self._ended else m for u, m in known.items()]
        todo = mirrors.todo(list(pods.values()), shown)
        for each in todo.delete:
            self._begin(each, self._delete)
        for pod in todo.make:
            self._begin(mirrors.mirror(pod, node["uid"]), self._make)

    def _follow(self, record: Record, mirrored: Object) -> None:
        """What others, or an agent before, wrote into the status of the mirror is taken note of."""
        status = mirrored.get("status")
        # What this agent says itself it is not told again: a mirror shows news only when it comes.
        if self._followed.get(record.uid) is mirrored or status == record.reported:
            return
        self._followed[record.uid] = mirrored
        if status and status.get("phase") not in mirrors.FINISHED:
            record.ordered = {**record.ordered, "status": status}
        record.reported = None
        self._wake(record.uid)

    def _begin(self, pod: Object, work: Callable[[Object], None]) -> None:
        name = mirrors.name(pod)
        if name in self._busy:
            return
        self._busy.add(name)
        self._jobs.after(("mirror", self._around.node, name), 0.0, lambda: self._try(pod, work), LANE)

    def _try(self, pod: Object, work: Callable[[Object], None]) -> None:
        name = mirrors.name(pod)
        try:
            work(pod)
        except BeanpoleError as exc:
            log.warning("%s: mirror pod %s: %s", self._around.node, name, exc)
            key = ("mirror", self._around.node, name)
            self._jobs.after(key, REFUSED, lambda: self._again(name), LANE)
            return
        self._again(name)

    def _again(self, name: str) -> None:
        with self._lock:
            self._busy.discard(name)
            self._mirror()

    def _make(self, pod: Object) -> None:
        made = self._api.create_pod(pod)
        with self._lock:
            self._told.mirrored(made)

    def _delete(self, pod: Object) -> None:
        self._api.delete_pod(pod)
        with self._lock:
            self._told.mirrors.pop(pod["metadata"]["uid"], None)


def _retire(record: Record, now: float) -> None:
    """The file is gone, or says otherwise: the pod ends within its own grace period."""
    seconds = grace(record.ordered)
    meta = {
        **record.ordered["metadata"],
        "deletionTimestamp": rfc3339(now + seconds),
        "deletionGracePeriodSeconds": int(seconds),
    }
    record.ordered = {**record.ordered, "metadata": meta}
