"""Web servers in threads of the tests' own, with and without TLS, and the certificates for them."""

from __future__ import annotations

import contextlib
import socket
import ssl
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Dict, Iterator, List, NamedTuple, Optional


class Certificate(NamedTuple):
    """Files of a certificate that is its own authority."""

    certificate: Path
    key: Path


def make_certificate(folder: Path, name: str, *subjects: str) -> Certificate:
    """A certificate for subjects such as DNS:localhost or IP:127.0.0.1, signed by itself."""
    made = Certificate(folder / f"{name}.pem", folder / f"{name}.key")
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", f"/CN={name}"]
    files = ["-out", str(made.certificate), "-keyout", str(made.key)]
    names = ["-addext", f"subjectAltName={','.join(subjects)}"]
    subprocess.run([*command, *files, *names], check=True, capture_output=True, timeout=60)
    return made


class _Handler(SimpleHTTPRequestHandler):
    site: Site

    def parse_request(self) -> bool:
        self.site.received.append(self.raw_requestline)
        return super().parse_request()

    def do_GET(self) -> None:
        self.site.paths.append(self.path)
        self.site.user_agents.append(self.headers.get("User-Agent", ""))
        target = self.site.redirects.get(self.path)
        if target is None:
            super().do_GET()
            return
        self.send_response(302)
        self.send_header("Location", target)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        pass


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def handle_error(self, *_: Any) -> None:
        """A client that hangs up, or does not trust a certificate, is what the tests are about."""


class Site:
    """A server of the files of a folder, at a free port of loopback. Leaving the ``with`` block stops it."""

    def __init__(self, folder: Path, certificate: Optional[Certificate] = None, address: str = "127.0.0.1") -> None:
        #: The first line of whatever was sent over an established connection.
        self.received: List[bytes] = []
        #: The paths and the programs that were asked with, in the order of the requests.
        self.paths: List[str] = []
        self.user_agents: List[str] = []
        #: Where requests for some paths are sent to.
        self.redirects: Dict[str, str] = {}
        self._scheme = "http" if certificate is None else "https"
        handler = type("Handler", (_Handler,), {"site": self})

        def make_handler(*arguments: Any) -> _Handler:
            return handler(*arguments, directory=str(folder))  # type: ignore[no-any-return]

        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        server_class = type("Server", (_Server,), {"address_family": family})
        self._server = server_class((address, 0), make_handler)
        if certificate is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate.certificate, certificate.key)
            # The handshake is for the thread of the connection: one that hangs must not hold the others up.
            self._server.socket = context.wrap_socket(
                self._server.socket, server_side=True, do_handshake_on_connect=False
            )
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)

    def url(self, path: str, host: str = "127.0.0.1", userinfo: str = "") -> str:
        """The address of a file; ``userinfo`` is USER:PASSWORD@ or nothing."""
        return f"{self._scheme}://{userinfo}{host}:{self._server.server_port}/{path}"

    def __enter__(self) -> Site:
        self._thread.start()
        return self

    def __exit__(self, *_exception: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@contextlib.contextmanager
def answering(content_type: str, body: bytes) -> Iterator[str]:
    """A server that answers every request with the same body and leaves the connection open, as a live source does."""

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", content_type)
            self.end_headers()
            self.wfile.write(body)
            self.wfile.flush()
            self.connection.settimeout(30)
            with contextlib.suppress(OSError):
                self.connection.recv(1)

        def log_message(self, *_: Any) -> None:
            pass

    server = _Server(("127.0.0.1", 0), Answer)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/stream"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
