#!/usr/bin/env bash
# marketorestpython 0.5.25, the public client for Marketo's REST API, and one key that holds a space.
#
# Guess, written down before the run: get_opportunities(filterValues="ACME 2026 renewal") asks for the one opportunity of
# that external id, as the same text in a list does.
# What happens: text is split at its spaces and joined with commas, so Marketo is asked for three other keys, "ACME",
# "2026" and "renewal". The one that was meant does not come, those that bear a part of its key do, without an error.
# Roles of opportunities and leads by filter are read by the same rule.
# Whom it hurts: whoever looks a deal up by its key before an update or a deletion: "not there" leads to a second one,
# and the ids in the answer are other deals'.
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
from urllib.parse import parse_qs

from marketorestpython.client import MarketoClient

KEY = "ACME 2026 renewal"
HELD = {KEY: "meant", "ACME": "another", "2026": "a third"}
asked = []


class Marketo(BaseHTTPRequestHandler):
    def do_GET(self):
        self.say({"access_token": "t", "token_type": "bearer", "expires_in": 3600, "scope": "s"})

    def do_POST(self):
        form = self.rfile.read(int(self.headers["Content-Length"])).decode()
        values = parse_qs(form)["filterValues"][0]
        asked.append(values)
        found = [{"externalOpportunityId": key, "name": HELD[key]} for key in values.split(",") if key in HELD]
        self.say({"success": True, "result": found})

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
client.host = f"http://127.0.0.1:{server.server_port}"


def names(method, values):
    found = client.execute(method=method, filterType="externalOpportunityId", filterValues=values)
    return [one["name"] for one in found]


methods = ("get_opportunities", "get_opportunity_roles", "get_multiple_leads_by_filter_type")
seen = {method: (names(method, KEY), names(method, [KEY])) for method in methods}
print("marketorestpython", version("marketorestpython"), "asked for", asked)
for method, (as_text, as_list) in seen.items():
    print(f"{method}: as text {as_text}, in a list {as_list}")
expected = (["another", "a third"], ["meant"])
sys.exit(0 if all(found == expected for found in seen.values()) else 1)
PYTHON
"$folder/venv/bin/python" "$folder/try.py"
