"""What a container may use, in the words of the engine's API."""

from __future__ import annotations

import stat
from pathlib import Path

from workers.runtime import gpus
from workers.runtime.docker import limits
from workers.runtime.protocol import ContainerSpec
from workers.runtime.resources import Limits, Resources


def test_gpus_are_asked_for_by_their_ids_and_read_back() -> None:
    spec = ContainerSpec(
        "c", 0, "cuda", resources=Resources(pids=10, oom_score_adj=500, gpus=("GPU-a", "GPU-b"))
    )
    host = limits.host_config(spec)
    assert host == {
        "CpuShares": 2,
        "PidsLimit": 10,
        "OomScoreAdj": 500,
        "DeviceRequests": [{"Driver": "nvidia", "DeviceIDs": ["GPU-a", "GPU-b"], "Capabilities": [["gpu"]]}],
    }
    assert limits.gpus(host) == ("GPU-a", "GPU-b")
    assert limits.gpus({"DeviceRequests": None}) == ()


def test_limits_are_read_back_as_they_were_told() -> None:
    spec = ContainerSpec("c", 0, "x", cpu_request_millis=100, cpu_millis=250, memory_bytes=1 << 26)
    assert limits.shown(limits.host_config(spec)) == spec.limits == Limits(102, 250, 1 << 26)
    assert limits.shown({"CpuShares": 2, "NanoCpus": 1_500_000_000, "Memory": 0}) == Limits(2, 1500, 0)


def test_the_machines_gpus_are_those_that_their_makers_program_lists(tmp_path: Path) -> None:
    program = tmp_path / "nvidia-smi"
    program.write_text("#!/bin/sh\n[ \"$1\" = --query-gpu=uuid ] && printf 'GPU-1\\nGPU-2\\n'\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    assert gpus.found(str(program)) == ("GPU-1", "GPU-2")
    program.write_text("#!/bin/sh\necho 'No devices were found'; exit 6\n")
    assert gpus.found(str(program)) == ()
    assert gpus.found(str(tmp_path / "missing")) == ()
