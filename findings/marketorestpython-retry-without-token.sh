#!/usr/bin/env bash
# marketorestpython 0.5.25, the public client for Marketo's REST API, and a passing refusal (606, too many calls).
#
# Guess, written down before the run: its documented automatic retry sends the same request again, so a call that Marketo
# refused once for a passing reason succeeds the second time.
# What happens: the second request carries no Authorization header at all. The token is taken out of the arguments for
# the first request, and the retry reuses those arguments. A strict server answers 600, and the caller sees "600" where
# "606" was the news. Where the passing answer was 604 and the write had been applied, the caller is told 600, which by
# Marketo's pages means that nothing was carried out: sent again, a new object is there twice.
# Whom it hurts: everybody who relies on that retry since the token moved from the address to the header.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check marketorestpython==0.5.25 requests==2.32.5 backoff==2.2.1
cat > "$folder/try.py" <<'PYTHON'
import json
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from importlib.metadata import version

from marketorestpython.client import MarketoClient

seen = []


class Marketo(BaseHTTPRequestHandler):
    def do_GET(self):
        if self.path.startswith("/identity/"):
            return self.say({"access_token": "t", "token_type": "bearer", "expires_in": 3600, "scope": "s"})
        token = self.headers.get("Authorization")
        seen.append(token)
        if token is None:
            return self.say({"success": False, "errors": [{"code": "600", "message": "Empty access token"}]})
        if len(seen) == 1:
            return self.say({"success": False, "errors": [{"code": "606", "message": "Max rate limit exceeded"}]})
        return self.say({"success": True, "result": [{"name": "externalOpportunityId"}]})

    do_POST = do_GET

    def say(self, answer):
        body = json.dumps({"requestId": "r", **answer}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json;charset=UTF-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


server = HTTPServer(("127.0.0.1", 0), Marketo)
threading.Thread(target=server.serve_forever, daemon=True).start()
client = MarketoClient("123-ABC-456", "id", "secret", None, None)
base = f"http://127.0.0.1:{server.server_port}"
client.host = base
try:
    got = client.execute(method="describe_opportunity")
except Exception as error:
    got = f"{type(error).__name__}: {getattr(error, 'code', '')} {getattr(error, 'message', error)}"
print(f"marketorestpython {version('marketorestpython')}: headers of the two requests {seen}; the caller got {got}")
sys.exit(0 if seen == ["Bearer t", None] and "600" in str(got) else 1)
PYTHON
"$folder/venv/bin/python" "$folder/try.py"
