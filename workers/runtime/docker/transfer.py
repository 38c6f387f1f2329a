"""What the engine says of a pull, line by line (POST /images/create), as bytes done and to do.

https://docs.docker.com/reference/api/engine/version/v1.41/#tag/Image/operation/ImageCreate
"""

from __future__ import annotations

from typing import Any

from workers.runtime.image_store import Transfer

_WORKING = ("Downloading", "Extracting", "Verifying Checksum")
_FETCHED = ("Verifying Checksum", "Download complete", "Extracting", "Pull complete")


class Layers:
    """The layers of one pull. What is here already is not counted."""

    def __init__(self) -> None:
        self._done: dict[str, int] = {}
        self._total: dict[str, int] = {}
        self._at_work: set[str] = set()
        self._shown: dict[str, tuple[str, int]] = {}

    def hear(self, line: dict[str, Any], transfer: Transfer) -> None:
        """Take in a line, and tell if it is news."""
        layer, status = line.get("id"), str(line.get("status") or "")
        detail = line.get("progressDetail") or {}
        if layer is None:
            transfer.tell(transfer.done, transfer.total, transfer.busy)
            return
        seen = (status, int(detail.get("current") or 0))
        if status.startswith("Retrying") or self._shown.get(layer) == seen:
            return
        self._shown[layer] = seen
        if status == "Downloading":
            self._done[layer] = seen[1]
            self._total[layer] = int(detail.get("total") or 0)
        elif status in _FETCHED and layer in self._total:
            self._done[layer] = self._total[layer]
        if status in _WORKING:
            self._at_work.add(layer)
        else:
            self._at_work.discard(layer)
        transfer.tell(sum(self._done.values()), sum(self._total.values()), bool(self._at_work))
