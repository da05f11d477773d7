#!/usr/bin/env bash
# Ten helpers that send a refused request again (axios-retry 4.5.0, retry-axios 4.0.3, got 14.6.6, undici 7.30.2, fetch-retry 6.0.0,
# ky 1.14.3, urllib3 2.8.0 under requests 2.34.2, niquests 3.21.2, aiohttp-retry 2.9.1, httpx-retries 0.6.0), a file uploaded as a stream, and a 503.
#
# Guess, written down before the run: the second attempt sends the whole file; a helper that cannot wind the stream back says so and
# leaves it at the 503.
#
# Seen: seven of them send the second request with nothing in it, get 200, and report success: axios-retry and retry-axios with the
# stream of a file, got with a generator, undici's fetch and retry interceptor with a stream, urllib3's Retry (under requests) and
# niquests with a generator, aiohttp-retry with a BytesIO. ky and, with an open file, urllib3 send the whole again; got and
# fetch-retry with a stream and httpx-retries with a generator raise. No setting beyond the documented ones is used.
#
# Whom it hurts: whoever uploads lists in the night, to a bulk import or a file store: on the one night on which the server was
# busy for a second the list is empty, "success" is logged, and what syncs from it takes everything for deleted.
#
# Needs node and npm. Exits with 0 as long as that is so.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check requests==2.34.2 urllib3==2.8.0 aiohttp==3.14.5 aiohttp-retry==2.9.1 \
    httpx==0.28.1 httpx-retries==0.6.0
python3 -m venv another # niquests brings an urllib3 of its own.
another/bin/pip install --quiet --disable-pip-version-check niquests==3.21.2
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund --save-exact \
    axios@1.21.1 axios-retry@4.5.0 retry-axios@4.0.3 got@14.6.6 undici@7.30.2 fetch-retry@6.0.0 ky@1.14.3 >/dev/null 2>&1
cat > server.py <<'PYTHON'
"""Answers 503 to the first request for an address and 200 to the others; GET gives how many bytes each of them had."""

from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

seen = {}


class Store(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_PUT(self):
        size = int(self.headers.get("Content-Length") or 0)
        if size:
            self.rfile.read(size)
        elif "chunked" in self.headers.get("Transfer-Encoding", ""):
            while piece := int(self.rfile.readline(), 16):
                size += len(self.rfile.read(piece))
                self.rfile.readline()
            self.rfile.readline()
        seen.setdefault(self.path, []).append(size)
        self.answer(503 if len(seen[self.path]) == 1 else 200, b"{}")

    def do_GET(self):
        self.answer(200, ", ".join(map(str, seen.get(self.path, []))).encode())

    def answer(self, status, body):
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *words):
        pass

    def handle(self):
        try:
            super().handle()
        except (OSError, ValueError):  # A client that gave up.
            pass


server = ThreadingHTTPServer(("127.0.0.1", 0), Store)
print(server.server_port, flush=True)
server.serve_forever()
PYTHON
cat > attempts.py <<'PYTHON'
import sys
from urllib.request import urlopen


def pieces():
    with open("deals.csv", "rb") as file:
        yield from file


def attempt(name, put, body):
    address = f"http://127.0.0.1:{sys.argv[1]}/{name.replace(' ', '-')}"
    try:
        result = put(address, body)
    except Exception as error:
        result = type(error).__name__
    print(f"{name}: [{urlopen(address).read().decode()}] {result}")
PYTHON
cat > niquests_try.py <<'PYTHON'
import niquests
from attempts import attempt, pieces


def put_niquests(address, body):
    retries = niquests.RetryConfiguration(2, status_forcelist=[503])
    return niquests.Session(retries=retries).put(address, data=body).status_code


attempt("niquests generator", put_niquests, pieces())
PYTHON
cat > try.py <<'PYTHON'
import asyncio
import io

import aiohttp_retry
import httpx
import httpx_retries
import requests
from attempts import attempt, pieces
from requests.adapters import HTTPAdapter
from urllib3.util import Retry


def put_requests(address, body):
    session = requests.Session()
    session.mount("http://", HTTPAdapter(max_retries=Retry(2, status_forcelist=[503])))
    return session.put(address, data=body).status_code


def put_aiohttp(address, body):
    async def put():
        async with aiohttp_retry.RetryClient() as client, client.put(address, data=body) as answer:
            return answer.status

    return asyncio.run(put())


def put_httpx(address, body):
    return httpx.Client(transport=httpx_retries.RetryTransport()).put(address, content=body).status_code


attempt("requests generator", put_requests, pieces())
attempt("requests file", put_requests, open("deals.csv", "rb"))
with open("deals.csv", "rb") as deals:
    attempt("aiohttp-retry BytesIO", put_aiohttp, io.BytesIO(deals.read()))
attempt("httpx-retries generator", put_httpx, pieces())
PYTHON
cat > try.mjs <<'JAVASCRIPT'
import { createReadStream } from "fs";
import { Readable } from "stream";
import axios from "axios";
import axiosRetry from "axios-retry";
import fetchRetry from "fetch-retry";
import got from "got";
import ky from "ky";
import * as rax from "retry-axios";
import { Agent, fetch as undiciFetch, interceptors } from "undici";

const file = () => createReadStream("deals.csv");
const web = () => Readable.toWeb(file());
const attempt = async (name, put) => {
  const address = `http://127.0.0.1:${process.argv[2]}/${name.replaceAll(" ", "-")}`;
  let result;
  try {
    const answer = await put(address);
    result = answer.status ?? answer.statusCode;
  } catch (error) {
    result = "an error";
  }
  console.log(`${name}: [${await (await fetch(address)).text()}] ${result}`);
};
await attempt("axios-retry stream", (address) => {
  const client = axios.create();
  axiosRetry(client);
  return client.put(address, file());
});
await attempt("retry-axios stream", (address) => {
  const client = axios.create();
  rax.attach(client);
  return client.put(address, file(), { raxConfig: { retry: 2 } });
});
await attempt("got generator", (address) =>
  got.put(address, { body: (async function* () { yield* file(); })() }),
);
await attempt("got stream", (address) => got.put(address, { body: file() }));
await attempt("undici stream", (address) =>
  undiciFetch(address, {
    method: "PUT", body: web(), duplex: "half", dispatcher: new Agent().compose(interceptors.retry()),
  }),
);
await attempt("fetch-retry stream", (address) =>
  fetchRetry(fetch)(address, { method: "PUT", body: web(), duplex: "half", retryOn: [503] }),
);
await attempt("ky stream", (address) => ky.put(address, { body: web(), duplex: "half" }));
process.exit(0);
JAVASCRIPT
printf 'OPP-%05d\n' $(seq 1000) > deals.csv
python3 server.py > port &
server=$!
trap 'kill $server; rm -rf "$folder"' EXIT
until [ -s port ]; do sleep 0.1; done
(
    node try.mjs "$(cat port)"
    venv/bin/python try.py "$(cat port)"
    another/bin/python niquests_try.py "$(cat port)"
) | tee seen
diff seen - <<'EXPECTED'
axios-retry stream: [10000, 0] 200
retry-axios stream: [10000, 0] 200
got generator: [10000, 0] 200
got stream: [10000] an error
undici stream: [10000, 0] 200
fetch-retry stream: [10000] an error
ky stream: [10000, 10000] 200
requests generator: [10000, 0] 200
requests file: [10000, 10000] 200
aiohttp-retry BytesIO: [10000, 0] 200
httpx-retries generator: [10000] StreamConsumed
niquests generator: [10000, 0] 200
EXPECTED
