"""Health, version and metrics: what may be asked of the server itself.

https://kubernetes.io/docs/reference/using-api/health-checks/
"""

from __future__ import annotations

import platform
from dataclasses import dataclass
from urllib.parse import parse_qsl

from app.api.answers import Answer, of_json, text
from app.base.errors import StoreUnavailable
from app.base.version import GIT_VERSION, MAJOR, MINOR
from app.store.store import Store


@dataclass(frozen=True, slots=True)
class Asked:
    """How a check was asked for. `verbose`: with each check's result. `exclude`: checks that don't count."""

    verbose: bool = False
    exclude: tuple[str, ...] = ()

    @classmethod
    def of(cls, query: str) -> Asked:
        """Out of a query string, where `exclude` may stand more than once."""
        given = parse_qsl(query, keep_blank_values=True)
        return cls(any(k == "verbose" for k, _ in given), tuple(v for k, v in given if k == "exclude"))


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


def alive(name: str, asked: Asked, only: str = "") -> Answer:
    """`/healthz` and `/livez`: the process answers. `only`: of one check, as in `/livez/ping`."""
    return _report(name, {"ping": ""}, asked, only)


def ready(store: Store, asked: Asked, only: str = "") -> Answer:
    """`/readyz`: requests can be served, for the state store answers too."""
    checks = {"ping": ""}
    if "store" not in asked.exclude and only in ("", "store"):
        try:
            store.revision()
            checks["store"] = ""
        except StoreUnavailable as exc:
            checks["store"] = str(exc)
    else:
        checks["store"] = ""
    return _report("readyz", checks, asked, only)


def _report(name: str, checks: dict[str, str], asked: Asked, only: str) -> Answer:
    if only:
        if only not in checks:
            return text("404 page not found\n", 404)
        why = checks[only]
        return text(f"internal server error: {why}\n", 500) if why else text("ok")
    failed = [check for check, why in checks.items() if why]
    if not failed and not asked.verbose:
        return text("ok")
    lines = []
    for check, why in checks.items():
        if check in asked.exclude:
            lines.append(f"[+]{check} excluded: ok")
        else:
            lines.append(f"[-]{check} failed: {why}" if why else f"[+]{check} ok")
    unknown = ", ".join(f'"{each}"' for each in asked.exclude if each not in checks)
    if unknown:
        lines.append(f"warn: some health checks cannot be excluded: no matches for {unknown}")
    verdict = "failed" if failed else "passed"
    return text("\n".join([*lines, f"{name} check {verdict}", ""]), 500 if failed else 200)
