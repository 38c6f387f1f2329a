"""Helm installs, upgrades, tests and uninstalls a release."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from tests.e2e.cluster import ROOT, Cluster

pytestmark = [pytest.mark.timeout(400), pytest.mark.xdist_group("clients")]

PYTHON = ROOT / ".venv/helm/bin/python"


def test_a_release_lives_through_install_upgrades_test_and_uninstall(
    cluster: Cluster, kubeconfig: str
) -> None:
    if not PYTHON.exists():
        if os.environ.get("CI") == "true":
            pytest.fail(
                "CI must have Helm's package: make test installs it where Python 3.12 or newer is found"
            )
        pytest.skip("Helm's package needs Python 3.12 or newer: `make test` found none")
    done = subprocess.run(
        [str(PYTHON), str(Path(__file__).with_name("helm_release.py")), kubeconfig],
        capture_output=True, text=True, timeout=380,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    said = json.loads(done.stdout.splitlines()[-1])
    assert [entry["version"] for entry in said["history"]] == [1, 2, 3]
    assert [release["name"] for release in said["list"]] == ["web"]
    assert cluster.items("deployments,services,configmaps", "-n", "helm", "-l", "app=web") == []
    assert cluster.items("secrets", "-n", "helm", "-l", "owner=helm") == []
