"""The web server that real containers run in these measurements: one that answers, and dies at SIGTERM
at once, in the middle of a request if need be, as many programs do."""

from __future__ import annotations

import io
import shutil
import sys
import tarfile
from typing import Any

IMAGE = "beanpole-bench/web:1"
PORT = 8080
_SCRIPT = "trap 'kill $!; exit 0' TERM; httpd -f -p 8080 -h /www & wait"
_SERVER = """
import http.server, os, signal
class Ok(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200); self.send_header("Content-Length", "3"); self.end_headers(); self.wfile.write(b"ok\\n")
    def log_message(self, *args): pass
class Server(http.server.ThreadingHTTPServer):
    request_queue_size = 1024
signal.signal(signal.SIGTERM, signal.SIG_DFL)
Server((os.environ["POD_IP"], 8080), Ok).serve_forever()
"""


def container(runtime: str) -> dict[str, Any]:
    """The container's spec without a name, with a readiness probe each second."""
    if runtime == "docker":
        what: dict[str, Any] = {"image": IMAGE, "command": ["/bin/sh", "-c", _SCRIPT]}
    else:
        what = {
            "image": IMAGE,
            "command": [sys.executable, "-S", "-c", _SERVER],
            "env": [{"name": "POD_IP", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}}],
        }
    return {
        **what,
        "ports": [{"containerPort": PORT}],
        "readinessProbe": {"httpGet": {"path": "/", "port": PORT}, "periodSeconds": 1},
    }


def make_image() -> None:
    """Have the image in this machine's engine: busybox and one page, imported, so that none is pulled."""
    import docker

    engine = docker.from_env()
    try:
        if not engine.images.list(name=IMAGE):
            engine.api.import_image_from_data(_root(), repository=IMAGE.partition(":")[0], tag="1")
    finally:
        engine.close()


def _root() -> bytes:
    busybox = shutil.which("busybox")
    if busybox is None:
        raise SystemExit("the measurements' image is made of busybox: apt-get install busybox-static")
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w") as tar:
        tar.add(busybox, "bin/busybox")
        for applet in ("sh", "httpd", "sleep", "kill"):
            link = tarfile.TarInfo(f"bin/{applet}")
            link.type, link.linkname = tarfile.SYMTYPE, "busybox"
            tar.addfile(link)
        page = tarfile.TarInfo("www/index.html")
        page.size = 3
        tar.addfile(page, io.BytesIO(b"ok\n"))
    return data.getvalue()
