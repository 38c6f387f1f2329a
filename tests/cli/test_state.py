"""The state folder: who may use it, what is made anew, what stays, what `purge` removes."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml

from app.base.clock import SystemClock
from app.base.errors import UserError
from app.cli.state import RENEW_BEFORE, State
from app.trust import authority as pki

CLOCK = SystemClock()


class LaterClock(SystemClock):
    """So many days from now."""

    def __init__(self, days: float) -> None:
        self.seconds = days * 86400

    def now(self) -> float:
        return time.time() + self.seconds


@pytest.fixture
def state(tmp_path: Path) -> State:
    return State(tmp_path / "state")


def certificates(state: State) -> tuple[bytes, bytes]:
    return state.ca.read_bytes(), state.certificate.read_bytes()


def test_one_process_at_a_time_has_the_folder(state: State) -> None:
    with state.lock(), pytest.raises(UserError, match=f"process {os.getpid()}"):
        state.lock()
    state.lock().close()


def test_the_folder_is_free_again_when_its_process_was_killed(state: State) -> None:
    program = (
        "import sys, pathlib; from app.cli.state import State\n"
        "held = State(pathlib.Path(sys.argv[1])).lock(); print('held', flush=True); sys.stdin.read()"
    )
    other = subprocess.Popen(
        [sys.executable, "-c", program, str(state.folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert other.stdout is not None
    assert other.stdout.readline() == b"held\n"
    with pytest.raises(UserError, match=f"process {other.pid}"):
        state.lock()
    other.kill()
    other.communicate()
    state.lock().close()


def test_agents_share_and_down_wants_none(state: State) -> None:
    first, second = state.lock_agents(alone=False), state.lock_agents(alone=False)
    first.close()
    with pytest.raises(UserError, match="an agent runs"):
        state.lock_agents(alone=True)
    second.close()
    with state.lock_agents(alone=True), pytest.raises(UserError, match="`beanpole down` runs"):
        state.lock_agents(alone=False)


def test_what_is_remembered_comes_back(state: State) -> None:
    state.lock().close()
    assert state.remembered() == {}
    state.remember({"cluster": "c", "runtime": "process"})
    assert State(state.folder).remembered() == {"cluster": "c", "runtime": "process"}


def test_certificates_and_tokens_stay_from_start_to_start(state: State) -> None:
    state.lock().close()
    state.certify(["localhost"], CLOCK)
    before, secrets = certificates(state), state.secrets()
    state.certify(["localhost"], CLOCK)
    assert certificates(state) == before
    assert state.secrets() == secrets
    assert len(set(secrets.values())) == 3


@pytest.mark.parametrize("harm", ["another host", "damaged", "key of another", "soon expired"])
def test_a_server_certificate_that_will_not_do_is_made_anew_by_the_same_authority(
    state: State, harm: str
) -> None:
    state.lock().close()
    state.certify(["localhost"], CLOCK)
    ca, certificate = certificates(state)
    hosts, clock = ["localhost"], CLOCK
    if harm == "another host":
        hosts = ["localhost", "192.0.2.1"]
    elif harm == "damaged":
        state.certificate.write_text("nonsense")
    elif harm == "key of another":
        other = pki.make_authority("other", CLOCK.now())
        state.key.write_bytes(pki.make_server_pair(other, hosts, CLOCK.now())[1])
    else:
        clock = LaterClock(365 * pki.SERVER_YEARS - RENEW_BEFORE + 1)
    state.certify(hosts, clock)
    assert certificates(state)[0] == ca
    assert certificates(state)[1] != certificate


def test_secrets_are_for_their_owner_alone(state: State) -> None:
    state.lock().close()
    state.certify(["localhost"], CLOCK)
    state.write_kubeconfig("https://127.0.0.1:6443", state.secrets()["admin"])
    for path in (
        state.kubeconfig,
        state.tokens,
        state.key,
        state.folder / "secrets.json",
        state.folder / "ca.key",
    ):
        assert path.stat().st_mode & 0o777 == 0o600, path


def test_tokens_that_somebody_added_stay(state: State) -> None:
    state.folder.mkdir()
    first = state.secrets()
    with state.tokens.open("a") as file:
        file.write('joes-token,joe,7,"devs"\n')
    assert state.secrets() == first
    lines = state.tokens.read_text().splitlines()
    assert [line.split(",")[1] for line in lines] == ["kubernetes-admin", "system:node-agent", "joe"]
    (state.folder / "secrets.json").unlink()
    state.secrets()
    assert first["admin"] not in state.tokens.read_text()
    assert lines[-1] in state.tokens.read_text()


def test_the_kubeconfig_has_all_that_kubectl_needs(state: State) -> None:
    state.lock().close()
    state.certify(["localhost"], CLOCK)
    state.write_kubeconfig("https://127.0.0.1:6443", "secret")
    config = yaml.safe_load(state.kubeconfig.read_text())
    assert config["clusters"][0]["cluster"]["server"] == "https://127.0.0.1:6443"
    assert config["users"][0]["user"]["token"] == "secret"
    assert config["current-context"] == config["contexts"][0]["name"]


def test_purge_removes_what_is_ours_and_follows_no_link(state: State, tmp_path: Path) -> None:
    state.lock().close()
    state.certify(["localhost"], CLOCK)
    state.secrets()
    state.remember({"cluster": "c"})
    state.data.mkdir()
    (state.data / "valkey.conf").touch()
    (state.folder / "beanpole-c.lock").touch()
    for log in ("audit.log", "audit.log.1"):
        (state.folder / log).touch()
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "precious").touch()
    (state.folder / "pods").symlink_to(elsewhere)
    assert state.purge() == ["pods"]
    assert [path.name for path in state.folder.iterdir()] == ["pods"]
    assert (elsewhere / "precious").exists()
    (state.folder / "pods").unlink()
    assert state.purge() == []
    assert not state.folder.exists()
