#!/usr/bin/env bash
# node-marketo-rest 0.7.8, the public Node client, told not to retry: retry: {maxRetries: 0}.
#
# Guess, written down before the run: a write whose answer is "timed out" (604) is sent once, and the caller hears 604.
# What happens: 0 reads as "not given" and becomes the default of five retries: the same write is sent six times.
# 1 and 2 are obeyed: two and three writes.
# Whom it hurts: who turns retries off because a write that Marketo timed out may have been applied (createOnly, a
# campaign request): each attempt may apply it again, and the one setting that should stop that does nothing.
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

const server = http.createServer((request, response) => {
  request.resume();
  let answer = { access_token: "t", token_type: "bearer", expires_in: 3600, scope: "s" };
  if (!request.url.startsWith("/identity/")) {
    writes += 1;
    answer = { requestId: "r", success: false, errors: [{ code: "604", message: "Request timed out" }] };
  }
  response.setHeader("Content-Type", "application/json");
  response.end(JSON.stringify(answer));
});
let writes = 0;
async function send(maxRetries) {
  const base = `http://127.0.0.1:${server.address().port}`;
  const retry = { maxRetries, initialDelay: 1, maxDelay: 2 };
  const client = new Marketo({ endpoint: `${base}/rest`, identity: `${base}/identity`, clientId: "i", clientSecret: "s", retry });
  writes = 0;
  try {
    await client.lead.createOrUpdate([{ email: "someone@example.com" }], { action: "createOnly" });
    return "success";
  } catch (error) {
    return `${writes} writes, then ${error.errors ? error.errors[0].code : error.message}`;
  }
}
server.listen(0, "127.0.0.1", async () => {
  const seen = {};
  for (const retries of [0, 1, 2]) seen[retries] = await send(retries);
  console.log(`node-marketo-rest ${version}: by maxRetries`, seen);
  process.exit(seen[0] === "6 writes, then 604" && seen[1] === "2 writes, then 604" && seen[2] === "3 writes, then 604" ? 0 : 1);
});
NODE
timeout 30 node try.js
