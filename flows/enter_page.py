"""The page behind the address that `rollcall up` prints: it signs a browser in to Prefect's pages and goes there.

The login stands after the `#` of the address, which browsers neither send nor log. Prefect's pages look for it in the
browser's own storage; put there beforehand, there is no login page and none of its red boxes.
"""

import base64
from hashlib import sha256

_SCRIPT = """
const login = decodeURIComponent(location.hash.slice(1));
history.replaceState(null, "", "/enter");
if (login.includes(":")) {
  localStorage.setItem("prefect-password", btoa(login));
  localStorage.setItem("prefect-show-promotional-content", "false");
}
location.replace("/dashboard");
"""
_DIGEST = base64.b64encode(sha256(_SCRIPT.encode()).digest())
ENTER = (
    '<!doctype html><html lang="en"><meta charset="utf-8"><title>Rollcall</title>'
    f"<p>One moment ...</p><noscript>Prefect's pages need JavaScript.</noscript><script>{_SCRIPT}</script></html>"
).encode()
ENTER_POLICY = {
    b"content-security-policy": b"default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
    b"script-src 'sha256-" + _DIGEST + b"'"
}
