"""Logs that are longer than what is kept of them, on every runtime that runs processes."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.contracts.runtime_subjects import Program, Subject, eventually
from workers.runtime.log_limits import LogLimits
from workers.runtime.protocol import LogOptions, Runtime, State

# 4,000 numbered lines of 101 bytes, in bursts between which somebody who follows can keep up.
BURSTS = Program(
    """
    i=1000
    fill=$(printf %095d 0)
    while [ $i -lt 5000 ]; do
      echo "$i $fill"
      i=$((i + 1))
      [ $((i % 100)) = 0 ] && sleep 0.02
    done
    echo "the end" >&2
    """,
    {},
)


@pytest.fixture
def subject(real: Subject) -> Subject:
    return real


def test_a_long_log_is_followed_whole_and_kept_in_part(subject: Subject, runtime: Runtime) -> None:
    sandbox = subject.sandbox(1)
    pod = sandbox.pod
    runtime.start_sandbox(sandbox)
    runtime.start_container(pod, subject.container(BURSTS, log=LogLimits(100_000, 3)))

    def said(**options: object) -> bytes:
        return b"".join(runtime.logs(pod, "main", LogOptions(**options)))  # type: ignore[arg-type]

    with ThreadPoolExecutor(2) as pool:
        followed = [pool.submit(said, follow=True) for _ in range(2)]
        numbers = [int(line.split()[0]) for line in followed[0].result(60).splitlines()[:-1]]
        assert numbers == list(range(1000, 5000))
        assert followed[1].result(60).endswith(b"the end\n")

    def exited() -> bool:
        found = runtime.pod(pod.uid)
        return found is not None and found.containers[0].state is State.EXITED

    eventually(exited, "it is seen to have ended")
    kept = said().splitlines()
    assert 100_000 < sum(map(len, kept)) < 300_000
    assert kept[-1] == b"the end"
    assert [int(line.split()[0]) for line in kept[:-1]] == list(range(5000 - len(kept) + 1, 5000))
    assert said(tail=2).splitlines() == kept[-2:]
    stamped = said(tail=1, timestamps=True)
    assert (len(stamped.split(b" ")[0]), stamped[-8:]) == (30, b"the end\n")
    assert said(follow=True, tail=1) == b"the end\n"
