"""What earlier agents left half done in the state folder is cleared away, and stops nobody."""

from __future__ import annotations

import pytest

from tests.e2e.waiting import until
from tests.faults.node import FaultyNode, pod

pytestmark = [pytest.mark.xdist_group("faults"), pytest.mark.timeout(60)]


def test_rubbish_in_the_state_folder_is_cleared_away(node: FaultyNode) -> None:
    uid = node.started(pod())
    node.end()
    files, volumes = node.folder / "docker" / "n1" / "pods", node.folder / "pods" / "n1"
    later = pod()
    rubbish = [files / "uid-gone", volumes / "uid-gone" / "volumes" / "names" / "..half"]
    for folder in rubbish:
        folder.mkdir(parents=True)
        (folder / "hosts").write_text("127.0")
    # Even a file where the folder of a pod to come has to be.
    (files / later["metadata"]["uid"]).write_text("no folder")
    node.begin()
    node.started(later)
    until(lambda: not rubbish[0].exists() and not (volumes / "uid-gone").exists(), 20, node.tell)
    assert (node.is_ready(uid), node.entry(uid)["restartCount"]) == (True, 0)
    assert (files / uid / "hosts").exists()
