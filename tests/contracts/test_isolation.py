"""What a container may do and as whom: under every runtime that claims it, seen from inside.

Real containers are slow to start, so each test asks much of one.
"""

from __future__ import annotations

import json
import os
import socket
from dataclasses import replace
from pathlib import Path

import pytest

from tests.contracts.runtime_subjects import SLEEPS, Program, Subject, eventually
from workers.runtime.features import Feature
from workers.runtime.mounts import Mount
from workers.runtime.protocol import ContainerError, ContainerState, LogOptions, Runtime, SandboxSpec, State
from workers.runtime.security import HostPort, Seccomp, Security, Shared

NOBODY = 65534
CAPABILITIES = ("CHOWN", "NET_BIND_SERVICE")
STATUS = "grep -E '^(Uid|Gid|Groups|Cap|NoNewPrivs|Seccomp:)' /proc/self/status; "


@pytest.fixture
def subject(real: Subject) -> Subject:
    return real


def claims(runtime: Runtime, *features: Feature) -> None:
    for feature in features:
        if feature not in runtime.features:
            pytest.skip(f"the {runtime.name} runtime has no {feature.value} here")


def begun(
    subject: Subject, runtime: Runtime, script: str, sandbox: SandboxSpec | None = None, **more: object
) -> ContainerState:
    sandbox = sandbox or subject.sandbox(1)
    runtime.start_sandbox(sandbox)
    return runtime.start_container(sandbox.pod, subject.container(Program(script, {}), **more))


def said(
    subject: Subject, runtime: Runtime, script: str, sandbox: SandboxSpec | None = None, **more: object
) -> str:
    """What a script prints in a container of its own."""
    sandbox = sandbox or subject.sandbox(1)
    begun(subject, runtime, script, sandbox, **more)
    eventually(lambda: runtime.pod(sandbox.pod.uid).containers[0].state is State.EXITED, "the script ends")
    return b"".join(runtime.logs(sandbox.pod, "main", LogOptions())).decode()


def status(text: str) -> dict[str, list[str]]:
    """The lines of /proc/self/status, by their names."""
    return {line.split(":")[0]: line.split(":")[1].split() for line in text.splitlines() if ":" in line}


def bits(*names: str) -> int:
    from workers.runtime.process.rights import CAPABILITIES as numbers

    return sum(1 << numbers.index(name) for name in names)


def test_a_restricted_container_can_nothing_that_it_did_not_ask_for(
    subject: Subject, runtime: Runtime
) -> None:
    """What the level `restricted` of PodSecurity asks of a pod, and what is left to it then."""
    claims(runtime, Feature.CAPABILITIES, Feature.NO_NEW_PRIVILEGES, Feature.SECCOMP)
    # An agent that is not root can't give what it has not.
    user, group = (NOBODY, 1234) if Feature.GROUPS in runtime.features else (os.geteuid(), os.getegid())
    groups = (4001, 4002) if Feature.GROUPS in runtime.features else ()
    security = Security(
        drop=("ALL",),
        add=("NET_BIND_SERVICE",),
        no_new_privileges=True,
        seccomp=Seccomp.DEFAULT,
        groups=groups,
        only_groups=True,
    )
    asked = {"run_as_user": user, "run_as_group": group, "security": security}
    state = begun(subject, runtime, STATUS + SLEEPS, **asked)
    pod = subject.sandbox(1).pod
    eventually(lambda: b"Seccomp" in b"".join(runtime.logs(pod, "main", LogOptions())), "it has spoken")
    first = status(b"".join(runtime.logs(pod, "main", LogOptions())).decode())
    shown = runtime.pod(pod.uid).containers[0].user
    assert (shown.uid, shown.gid) == (user, group)
    assert set(groups) <= set(shown.groups)
    # A command that somebody runs inside may do no more.
    second = status(runtime.exec(pod, state.id, ["/bin/sh", "-c", STATUS], 20)[1].decode())
    for seen in (first, second):
        assert seen["Uid"] == [str(user)] * 4
        assert seen["Gid"] == [str(group)] * 4
        assert set(seen["Groups"]) - {str(group)} == {str(each) for each in groups}
        assert int(seen["CapEff"][0], 16) & ~bits("NET_BIND_SERVICE") == 0
        assert int(seen["CapPrm"][0], 16) & ~bits("NET_BIND_SERVICE") == 0
        if user == NOBODY:
            assert int(seen["CapBnd"][0], 16) == bits("NET_BIND_SERVICE")
        assert seen["NoNewPrivs"] == ["1"]
        assert seen["Seccomp"] == ["2"]
    code, words = runtime.exec(pod, state.id, ["/bin/sh", "-c", "mount -t tmpfs none /mnt"], 20)
    assert code != 0, words


def test_root_has_the_usual_capabilities_and_those_it_asks_for(subject: Subject, runtime: Runtime) -> None:
    claims(runtime, Feature.MORE_CAPABILITIES)
    security = Security(add=("NET_ADMIN",), drop=("CHOWN",), unmasked_proc=True)
    text = said(subject, runtime, STATUS + "cat /proc/self/mountinfo", run_as_user=0, security=security)
    assert "/proc/kcore" not in text
    seen = status(text)
    has = int(seen["CapEff"][0], 16)
    assert has & bits("NET_ADMIN", "SETUID", "KILL") == bits("NET_ADMIN", "SETUID", "KILL")
    assert has & bits("CHOWN", "SYS_ADMIN", "SYS_PTRACE", "SYS_MODULE") == 0
    assert seen["NoNewPrivs"] == ["0"]
    with pytest.raises(ContainerError, match="NO_SUCH_THING"):
        begun(subject, runtime, "true", subject.sandbox(2), security=Security(add=("NO_SUCH_THING",)))
    assert runtime.pod(subject.sandbox(2).pod.uid).containers == ()


def test_a_privileged_container_has_everything(subject: Subject, runtime: Runtime) -> None:
    claims(runtime, Feature.PRIVILEGED)
    try:
        text = said(subject, runtime, STATUS, privileged=True, security=Security(seccomp=Seccomp.DEFAULT))
    except ContainerError as exc:
        whole = int(Path("/proc/sys/kernel/cap_last_cap").read_text())
        mine = int(status(Path("/proc/self/status").read_text())["CapBnd"][0], 16)
        if mine == (1 << whole + 1) - 1:
            raise AssertionError(str(exc)) from exc
        pytest.skip("an engine can't give what the machine around it lacks")
    seen = status(text)
    assert int(seen["CapEff"][0], 16) & bits("SYS_ADMIN", "SYS_PTRACE", "NET_ADMIN") == bits(
        "SYS_ADMIN", "SYS_PTRACE", "NET_ADMIN"
    )


def test_a_read_only_root_leaves_the_volumes_to_be_written(
    subject: Subject, runtime: Runtime, tmp_path: Path
) -> None:
    claims(runtime, Feature.READ_ONLY_ROOT, Feature.MOUNTS)
    for name in ("rw", "ro"):
        (tmp_path / name).mkdir()
    mounts = (
        Mount(str(tmp_path / "rw"), "/beanpole-test/rw"),
        Mount(str(tmp_path / "ro"), "/beanpole-test/ro", read_only=True),
    )
    script = (
        "for place in / /etc /tmp /usr . /beanpole-test/ro /beanpole-test/rw /dev/shm; do "
        "touch $place/beanpole-written 2>/dev/null && echo $place; done; "
        "rm -f /dev/shm/beanpole-written; echo x >/dev/null && echo null"
    )
    text = said(subject, runtime, script, read_only_root=True, mounts=mounts)
    assert text.split() == ["/beanpole-test/rw", "/dev/shm", "null"]
    assert not Path("/etc/beanpole-written").exists()


def test_a_profile_of_its_own_forbids_what_it_says(subject: Subject, runtime: Runtime) -> None:
    claims(runtime, Feature.SECCOMP_PROFILES)
    forbidden = {"names": ["mkdir", "mkdirat", "no_such_call"], "action": "SCMP_ACT_ERRNO", "errnoRet": 1}
    profile = {"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [forbidden]}
    security = Security(seccomp=Seccomp.FILE, profile=json.dumps(profile))
    script = "cd /tmp && mkdir beanpole-made 2>&1; touch /dev/null && echo touched"
    text = said(subject, runtime, script, security=security)
    assert "not permitted" in text
    assert "touched" in text
    assert not Path("/tmp/beanpole-made").exists()
    with pytest.raises(ContainerError):
        begun(
            subject, runtime, "true", subject.sandbox(2), security=Security(seccomp=Seccomp.FILE, profile="{")
        )


def test_a_pod_has_a_host_name_of_its_own(subject: Subject, runtime: Runtime) -> None:
    claims(runtime, Feature.HOSTNAME)
    text = said(subject, runtime, "hostname; cat /proc/sys/kernel/hostname; sleep 0.1")
    assert text.split() == ["pod-1", "pod-1"]
    assert socket.gethostname() != "pod-1"


def shared(subject: Subject, shared: Shared, **more: object) -> SandboxSpec:
    plain = subject.sandbox(1)
    return SandboxSpec(
        plain.pod, "127.0.0.1", "pod-1", plain.resolv_conf, plain.hosts, plain.annotations, shared, **more
    )  # type: ignore[arg-type]


NAMESPACES = "for ns in net pid ipc uts; do readlink /proc/self/ns/$ns; done"


def test_a_pod_may_share_the_machines_network_processes_and_ipc(subject: Subject, runtime: Runtime) -> None:
    claims(runtime, Feature.HOST_NETWORK, Feature.HOST_PID, Feature.HOST_IPC)
    everything = Shared(network=True, pid=True, ipc=True)
    text = said(subject, runtime, NAMESPACES, shared(subject, everything), shared=everything)
    machine = [os.readlink(f"/proc/self/ns/{name}") for name in ("net", "pid", "ipc", "uts")]
    assert text.split() == machine
    pod = runtime.pod(subject.sandbox(1).pod.uid)
    assert (pod.address, pod.ready) == ("127.0.0.1", True)
    assert runtime.connections(pod.pod) == 0


def test_containers_may_see_each_others_processes(subject: Subject, runtime: Runtime) -> None:
    claims(runtime, Feature.SHARED_PROCESSES)
    together = Shared(processes=True)
    sandbox = shared(subject, together)
    sandbox = SandboxSpec(sandbox.pod, subject.sandbox(1).address, "pod-1", shared=together)
    begun(subject, runtime, "exec sleep 7654", sandbox, shared=together)
    script = "sh -c 'sleep 0.1 &'; sleep 0.3; cat /proc/[0-9]*/cmdline | tr '\\0' ' '; grep State /proc/[0-9]*/status"
    spec = subject.container(Program(script, {}), shared=together)
    runtime.start_container(sandbox.pod, replace(spec, name="other"))
    eventually(
        lambda: (
            [c.state for c in runtime.pod(sandbox.pod.uid).containers if c.name == "other"] == [State.EXITED]
        ),
        "it has looked",
    )
    text = b"".join(runtime.logs(sandbox.pod, "other", LogOptions())).decode()
    assert "sleep 7654" in text
    if runtime.name == "docker":
        assert "zombie" not in text, "nobody waits for orphans"


def test_kernel_settings_are_the_pods_own(subject: Subject, runtime: Runtime) -> None:
    claims(runtime, Feature.SYSCTLS)
    plain = subject.sandbox(1)
    setting = (("net.ipv4.ip_local_port_range", "20000 20010"),)
    sandbox = SandboxSpec(plain.pod, plain.address, "pod-1", sysctls=setting)
    text = said(subject, runtime, "cat /proc/sys/net/ipv4/ip_local_port_range", sandbox)
    assert text.split() == ["20000", "20010"]
    assert Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split() != ["20000", "20010"]


def test_a_port_of_the_machine_leads_into_the_pod(subject: Subject, runtime: Runtime) -> None:
    claims(runtime, Feature.HOST_PORTS)
    if runtime.name != "docker":
        pytest.skip("the agent itself carries it (tests/network/test_host_ports.py)")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    plain = subject.sandbox(1)
    ports = (HostPort(port, 8099, "TCP", "127.0.0.1"),)
    sandbox = SandboxSpec(plain.pod, plain.address, "pod-1", host_ports=ports)
    begun(subject, runtime, subject.server().script, sandbox)

    def answers() -> bool:
        try:
            with socket.create_connection(("127.0.0.1", port), 5) as line:
                line.sendall(b"hello\n")
                return line.recv(100) == b"hello\n"
        except OSError:
            return False

    eventually(answers, "the port answers")
    runtime.remove_pod(sandbox.pod)
    assert not answers()
