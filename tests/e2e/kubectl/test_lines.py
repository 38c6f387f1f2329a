"""Every command line of the table, with each kubectl that a user may have."""

from __future__ import annotations

import base64
import os
import re
import shlex
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.e2e.cluster import BIN, KUBECTLS, Cluster, running
from tests.e2e.kubectl import stories_apply, stories_cluster, stories_workloads
from tests.e2e.kubectl.line import Line, Story

pytestmark = [pytest.mark.timeout(400)]

STORIES = {
    story.name: story
    for story in (*stories_workloads.STORIES, *stories_cluster.STORIES, *stories_apply.STORIES)
}
# How long a line may take that waits for something, in seconds.
PATIENCE = 30


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    with running("process", BEANPOLE_EXCHANGE="1") as made:
        yield made


@pytest.fixture(scope="module", params=["current", "installed"])
def kubectl(request: pytest.FixtureRequest) -> str:
    """kubectl 1.37, and the older one of the machine."""
    found = dict(zip(("current", "installed"), KUBECTLS, strict=False)).get(request.param)
    if found is None:
        if os.environ.get("CI") == "true":
            pytest.fail("CI must have an older kubectl in /usr/bin")
        pytest.skip("this machine has no second kubectl in /usr/bin")
    return found


def test_the_table_holds_at_least_120_lines() -> None:
    assert sum(len(story.lines) for story in STORIES.values()) >= 120


@pytest.mark.parametrize("story", STORIES.values(), ids=STORIES)
def test_every_line_does_what_it_says(cluster: Cluster, kubectl: str, story: Story, tmp_path: Path) -> None:
    Telling(cluster, kubectl, story, tmp_path).tell()


class Telling:
    """One run of a story."""

    def __init__(self, cluster: Cluster, kubectl: str, story: Story, folder: Path) -> None:
        self._kubectl = kubectl
        self._story = story
        self._folder = folder
        which = "new" if kubectl.startswith(str(BIN)) else "old"
        self._names = {
            "namespace": cluster.namespace(f"{story.name}-{which}"),
            "folder": str(folder),
            "node": cluster.items("nodes")[0]["metadata"]["name"],
        }
        self._environ = {
            **os.environ,
            "KUBECONFIG": str(cluster.state / "kubeconfig"),
            "HOME": str(cluster.folder),
            "KUBE_EDITOR": "sed -i '0,/^  annotations:/s//  annotations:\\n    edited: \"yes\"/'",
        }

    def tell(self) -> None:
        for name, text in (self._story.files or {}).items():
            path = self._folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            text = text.replace("$NAMESPACE", self._names["namespace"])
            if text.startswith("{"):
                # An older kubectl takes what begins so for JSON.
                text = yaml.safe_dump(yaml.safe_load(text))
            path.write_text(text.replace("$REQUEST", _certificate_request()))
        wrong = []
        for line in self._story.lines:
            said = self._run(line)
            if line.awaits and not said:
                wrong.append(f"kubectl {line.words}\n    works now, though the table says: {line.awaits}")
            elif said and not line.awaits:
                wrong.append(f"kubectl {line.words}\n    {said}")
        assert not wrong, "\n".join(wrong)

    def _run(self, line: Line) -> str:
        """What is wrong with what it did, or nothing."""
        end = time.monotonic() + (PATIENCE if line.retry else 0)
        while True:
            said = self._until(line) if line.until else self._once(line)
            if not said or time.monotonic() > end:
                return said

    def _words(self, line: Line) -> list[str]:
        words = line.words
        for name, value in self._names.items():
            words = words.replace("{" + name + "}", value)
        return [self._kubectl, "-n", self._names["namespace"], *shlex.split(words)]

    def _says(self, line: Line) -> re.Pattern[str]:
        return re.compile(line.says.replace("{node}", self._names["node"]), re.MULTILINE)

    def _once(self, line: Line) -> str:
        try:
            done = subprocess.run(
                self._words(line), env=self._environ, input=line.stdin, capture_output=True, text=True,
                timeout=10 if line.awaits else 100, cwd=self._folder,
            )  # fmt: skip
        except subprocess.TimeoutExpired as exc:
            return f"does not end: {exc.stdout!r} {exc.stderr!r}"
        said = done.stdout + done.stderr
        if done.returncode != line.code:
            return f"exit code {done.returncode}, not {line.code}: {said}"
        if not self._says(line).search(said):
            return f"no /{line.says}/ in: {said}"
        return ""

    def _until(self, line: Line) -> str:
        """Run what does not end by itself until it says what it must."""
        path = self._folder / "output"
        with path.open("wb") as output:
            running = subprocess.Popen(
                self._words(line), env=self._environ, stdin=subprocess.DEVNULL, stdout=output,
                stderr=subprocess.STDOUT, cwd=self._folder,
            )  # fmt: skip
        try:
            end = time.monotonic() + PATIENCE
            while not (found := self._says(line).search(path.read_text())):
                if running.poll() is not None or time.monotonic() > end:
                    return f"no /{line.says}/ in: {path.read_text()}"
                _pause(running)
            if line.fetch:
                with urllib.request.urlopen(f"http://127.0.0.1:{found[1]}{line.fetch}", timeout=10) as answer:
                    body = answer.read().decode()
                if line.fetched not in body:
                    return f"no {line.fetched!r} in what it serves: {body[:300]}"
            return ""
        except OSError as exc:
            return f"{exc}: {path.read_text()}"
        finally:
            running.kill()
            running.wait()


def _pause(running: subprocess.Popen[bytes]) -> None:
    """Until it may have said more, or ended."""
    try:
        running.wait(0.05)
    except subprocess.TimeoutExpired:
        return


def _certificate_request() -> str:
    """The PEM of a certificate signing request for the user ann, in base64."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "ann")])
    request = x509.CertificateSigningRequestBuilder().subject_name(name).sign(key, hashes.SHA256())
    return base64.b64encode(request.public_bytes(serialization.Encoding.PEM)).decode()
