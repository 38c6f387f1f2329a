"""docs/compatibility.md tells which kinds are served; it must be these."""

from __future__ import annotations

import re
from pathlib import Path

from app.schemas import kinds

PAGE = Path(__file__).parents[2] / "docs" / "compatibility.md"
# | `apps/v1` | Deployment | `deploy` | status, scale | ... |
ROW = re.compile(r"^\| `([\w./]+)` \| (\w+) \| (.*?) \| (.*?) \|", re.MULTILINE)


def test_the_page_of_compatibility_lists_every_kind_with_its_subresources():
    told = {(version, kind): (short, subs) for version, kind, short, subs in ROW.findall(PAGE.read_text())}

    assert told == {
        (kind.api_version, kind.kind): (
            ", ".join(f"`{name}`" for name in kind.short_names),
            ", ".join(sorted(kind.subresources)),
        )
        for kind in kinds.ALL
    }
