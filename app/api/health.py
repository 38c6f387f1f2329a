"""Health, version and metrics: what may be asked of the server itself.

https://kubernetes.io/docs/reference/using-api/health-checks/
"""

from __future__ import annotations

import platform

from app.api.answers import Answer, of_json, text
from app.base.errors import StoreUnavailable
from app.base.version import GIT_VERSION, MAJOR, MINOR
from app.store.store import Store


def version() -> Answer:
    """`/version`."""
    return of_json(
        {
            "major": MAJOR,
            "minor": MINOR,
            "gitVersion": GIT_VERSION,
            "gitCommit": "",
            "gitTreeState": "clean",
            "buildDate": "1970-01-01T00:00:00Z",
            "goVersion": f"python{platform.python_version()}",
            "compiler": platform.python_implementation().lower(),
            "platform": f"{platform.system().lower()}/{ARCHITECTURES.get(platform.machine(), platform.machine())}",
        }
    )


ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}


def alive(name: str, verbose: bool) -> Answer:
    """`/healthz` and `/livez`: the process answers."""
    return _report(name, {"ping": ""}, verbose)


def ready(store: Store, verbose: bool) -> Answer:
    """`/readyz`: requests can be served, for the state store answers too."""
    checks = {"ping": ""}
    try:
        store.revision()
        checks["store"] = ""
    except StoreUnavailable as exc:
        checks["store"] = str(exc)
    return _report("readyz", checks, verbose)


def _report(name: str, checks: dict[str, str], verbose: bool) -> Answer:
    failed = [check for check, why in checks.items() if why]
    if not failed and not verbose:
        return text("ok")
    lines = [f"[-]{check} failed: {why}" if why else f"[+]{check} ok" for check, why in checks.items()]
    verdict = "failed" if failed else "passed"
    return text("\n".join([*lines, f"{name} check {verdict}", ""]), 500 if failed else 200)
