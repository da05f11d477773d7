#!/usr/bin/env bash
# airbyte-source-marketo 2.1.3, the connector that copies Marketo into warehouses, and a lead's note of two lines.
#
# Guess, written down before the run: the bulk extract is CSV in which such a note stands in quotation marks, the connector reads it
# with Python's csv module, so the note arrives with its line break; at worst the row is refused.
#
# Seen: the line break is gone and nothing stands in its place: "Gate 1" above "5th floor" becomes "Gate 15th floor", 120 above 30
# becomes 12030. Empty lines go as well. The connector cuts the answer into lines, takes their ends off, and hands them to the
# csv module, which joins the pieces of a quoted text as they are. No row is refused, nothing is logged.
#
# Whom it hurts: whoever reports on notes, addresses or "comments" in a warehouse, or writes them back to Marketo from there: each text
# of several lines returns as one word-gluing line, and sums that were read out of such texts are other sums.
#
# Exits with 0 as long as that is so.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check airbyte-source-marketo==2.1.3 airbyte-cdk==2.3.0
cat > try.py <<'PYTHON'
"""A Marketo with one bulk extract, the connector on it, and Python's csv module on the same bytes."""

import csv
import io
import json
import sys
import threading
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from source_marketo.source import Leads, MarketoAuthenticator

LEADS = [
    {"id": "1", "address": "Gate 1\n5th floor"},
    {"id": "2", "address": "120\r\n30"},
    {"id": "3", "address": "Do not call\n\nbefore noon"},
    {"id": "4", "address": "one line"},
]
DAY = (datetime.now(UTC) - timedelta(days=2)).strftime("%Y-%m-%dT%H:%M:%SZ")
FIELDS = ["id", "address", "createdAt", "updatedAt"]
KINDS = {"id": "integer", "address": "text", "createdAt": "datetime", "updatedAt": "datetime"}
text = io.StringIO()
writer = csv.DictWriter(text, FIELDS, lineterminator="\n")
writer.writeheader()
writer.writerows({**lead, "createdAt": DAY, "updatedAt": DAY} for lead in LEADS)
EXTRACT = text.getvalue().encode()
ANSWERS = {
    "token": {"access_token": "t", "expires_in": 3600},
    "describe.json": {"success": True, "result": [{"dataType": KINDS[name], "rest": {"name": name}} for name in FIELDS]},
    "create.json": {"success": True, "result": [{"exportId": "e1", "status": "Created", "format": "CSV"}]},
    "status.json": {"success": True, "result": [{"exportId": "e1", "status": "Completed"}]},
}


class Marketo(BaseHTTPRequestHandler):
    def do_GET(self):
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        last = self.path.partition("?")[0].rpartition("/")[2]
        body = EXTRACT if last == "file.json" else json.dumps(ANSWERS[last]).encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/csv" if last == "file.json" else "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_GET

    def log_message(self, *words):
        pass


server = ThreadingHTTPServer(("127.0.0.1", 0), Marketo)
threading.Thread(target=server.serve_forever, daemon=True).start()
config = {"domain_url": f"http://127.0.0.1:{server.server_port}", "client_id": "c", "client_secret": "s", "start_date": DAY}
leads = Leads({**config, "authenticator": MarketoAuthenticator(config)})
copied = [lead for slice_ in leads.stream_slices(None) for lead in leads.read_records(None, stream_slice=slice_)]
plain = list(csv.DictReader(io.StringIO(EXTRACT.decode(), newline="")))
for own, lead in zip(plain, copied, strict=True):
    print(f"{own['address']!r}: {lead['address']!r}", file=sys.stderr)
PYTHON
venv/bin/python try.py 2> seen > log
cat seen
diff seen - <<'EXPECTED'
'Gate 1\n5th floor': 'Gate 15th floor'
'120\r\n30': '12030'
'Do not call\n\nbefore noon': 'Do not callbefore noon'
'one line': 'one line'
EXPECTED
if grep -iE "WARN|ERROR" log; then exit 1; fi
