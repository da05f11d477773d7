#!/usr/bin/env bash
# node-marketo-rest 0.7.8, the public Node client, and an empty page in the middle of a stream of lead activities.
#
# Guess, written down before the run: streamify() "loads all of the pages until it's done", so a page with no result but
# with moreResult true and a nextPageToken is passed over, and the activities behind it come.
# What happens: the stream ends at the first empty page, with "end" and without "error"; the pages behind are never asked
# for. The merged fix for streams that never ended (pull request 42 of its repository) reads "no result" as "no more".
# Whom it hurts: Marketo scans activities in blocks and answers a block without a match with an empty page and a token to
# go on with, so a filter for a rare activity type reads as "there are none", or as fewer than there are.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
echo '{"private":true}' > package.json
npm install --silent --no-fund --no-audit --no-save --cache "$folder/cache" node-marketo-rest@0.7.8
cat > try.js <<'NODE'
const http = require("http");
const Marketo = require("node-marketo-rest");
const { version } = require("node-marketo-rest/package.json");

const pages = {
  start: { result: [{ id: 1 }], moreResult: true, nextPageToken: "second" },
  second: { moreResult: true, nextPageToken: "third" },
  third: { result: [{ id: 2 }], moreResult: false, nextPageToken: "fourth" },
  fourth: { moreResult: false, nextPageToken: "fourth" },
};
const asked = [];
const server = http.createServer((request, response) => {
  request.resume();
  const url = new URL(request.url, "http://127.0.0.1");
  let answer = { access_token: "t", token_type: "bearer", expires_in: 3600, scope: "s" };
  if (!url.pathname.startsWith("/identity/")) {
    const token = url.searchParams.get("nextPageToken");
    asked.push(token);
    answer = { requestId: "r", success: true, ...pages[token] };
  }
  response.setHeader("Content-Type", "application/json");
  response.end(JSON.stringify(answer));
});
server.listen(0, "127.0.0.1", () => {
  const base = `http://127.0.0.1:${server.address().port}`;
  const client = new Marketo({ endpoint: `${base}/rest`, identity: `${base}/identity`, clientId: "i", clientSecret: "s" });
  const got = [];
  let errors = 0;
  const stream = client.streamify("lead", "getActivities", [[], [12], "start"]);
  stream.on("data", (activity) => got.push(activity.id));
  stream.on("error", () => (errors += 1));
  stream.on("end", () => {
    console.log(`node-marketo-rest ${version}: asked for ${asked}; activities ${got} of 1,2; errors ${errors}`);
    process.exit(asked.join() === "start,second" && got.join() === "1" && errors === 0 ? 0 : 1);
  });
});
NODE
timeout 30 node try.js
