"""A provider of sign-ins that takes nobody's secret, and tells everybody what it was: for a canary.

Run as `python3 echoing_provider.py PORT HEARD`; it writes what it was shown into the file HEARD. It
needs nothing but Python, so that it runs on a machine without this project's libraries.
"""

from __future__ import annotations

import base64
import json
import sys
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

PORT, HEARD = int(sys.argv[1]), Path(sys.argv[2])
ISSUER = f"http://127.0.0.1:{PORT}"
FACTS = {
    "issuer": ISSUER,
    "authorization_endpoint": f"{ISSUER}/authorize",
    "token_endpoint": f"{ISSUER}/token",
    "jwks_uri": f"{ISSUER}/keys",
    "token_endpoint_auth_methods_supported": ["client_secret_basic"],
}


class Provider(BaseHTTPRequestHandler):
    """Says who it is, and refuses whoever asks for a token with their own words."""

    def do_GET(self) -> None:
        """Say what it is."""
        self._say(200, FACTS)

    def do_POST(self) -> None:
        """Refuse, and repeat the secret."""
        self.rfile.read(int(self.headers.get("content-length", 0)))
        shown = self.headers["authorization"]
        HEARD.write_text(shown)
        login = base64.b64decode(shown.removeprefix("Basic ")).decode()
        self._say(401, {"error": "invalid_client", "error_description": f"{login} is wrong"})

    def _say(self, status: int, form: Mapping[str, object]) -> None:
        body = json.dumps(form).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


if __name__ == "__main__":
    HTTPServer(("127.0.0.1", PORT), Provider).serve_forever()
