#!/usr/bin/env bash
# npm's soap 1.13.0, the most used SOAP client for Node: read a record, hand the same object back, unchanged.
#
# Guess, written down before the run: numbers beyond what JavaScript holds are rounded, as anybody knows who counts in it; a date becomes
# a Date, and a Date that is sent becomes the date again, by the type that the WSDL gives the element.
#
# Seen: each Date is sent as an empty element, <close></close>, without an error, though the client made it a Date itself when it read
# it. Spaces around a text are gone as well, and so is the one behind a CDATA section. strong-soap 6.0.1, its fork, sends the date,
# and loses the spaces. The id and the amount are rounded in both.
#
# Whom it hurts: whoever changes one field of what was read and writes the record back, to a service that takes an empty value for "clear
# it": the close dates of all records that pass are gone, and the answer is "updated". A test that passes dates as text shows nothing.
#
# Needs node and npm. Exits with 0 as long as that is so.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund --save-exact soap@1.13.0 strong-soap@6.0.1 >/dev/null 2>&1
cat > try.js <<'JAVASCRIPT'
const http = require("http");

const field = (name, type) => `<xs:element name="${name}" type="xs:${type}" minOccurs="0"/>`;
const element = (name, content) => `<xs:element name="${name}"><xs:complexType><xs:sequence>${content}</xs:sequence></xs:complexType></xs:element>`;
const message = (name) => `<message name="${name}"><part name="p" element="t:${name}"/></message>`;
const operation = (name, ends) => `<operation name="${name}">${ends}</operation>`;
const body = '<s:operation soapAction=""/><input><s:body use="literal"/></input><output><s:body use="literal"/></output>';
const ends = (name) => `<input message="t:${name}"/><output message="t:${name}Response"/>`;
const wsdl = (port) => `<definitions targetNamespace="urn:t" xmlns:t="urn:t" xmlns="http://schemas.xmlsoap.org/wsdl/"
 xmlns:s="http://schemas.xmlsoap.org/wsdl/soap/" xmlns:xs="http://www.w3.org/2001/XMLSchema">
<types><xs:schema targetNamespace="urn:t" elementFormDefault="qualified">
<xs:complexType name="Record"><xs:sequence>${field("id", "long")}${field("amount", "decimal")}${field("close", "date")}${field("at", "dateTime")}
${field("name", "string")}${field("note", "string")}</xs:sequence></xs:complexType>
${element("read", field("key", "string"))}${element("readResponse", '<xs:element name="record" type="t:Record"/>')}
${element("write", '<xs:element name="record" type="t:Record"/>')}${element("writeResponse", field("status", "string"))}
</xs:schema></types>${["read", "readResponse", "write", "writeResponse"].map(message).join("")}
<portType name="P">${["read", "write"].map((name) => operation(name, ends(name))).join("")}</portType>
<binding name="B" type="t:P"><s:binding style="document" transport="http://schemas.xmlsoap.org/soap/http"/>
${["read", "write"].map((name) => operation(name, body)).join("")}</binding>
<service name="S"><port name="P" binding="t:B"><s:address location="http://127.0.0.1:${port}/"/></port></service></definitions>`;
const RECORD =
  "<id>123456789012345678</id><amount>10.10</amount><close>2026-11-28</close><at>2026-11-28T14:30:00Z</at>" +
  "<name>  Big deal </name><note><![CDATA[R&D]]> budget</note>";
let written;
const server = http.createServer((request, response) => {
  let sent = "";
  request.on("data", (piece) => (sent += piece));
  request.on("end", () => {
    response.setHeader("Content-Type", "text/xml");
    if (request.method === "GET") return response.end(wsdl(server.address().port));
    const isWrite = /<\/\w+:write>/.test(sent);
    if (isWrite) written = sent;
    const answer = isWrite
      ? '<t:writeResponse xmlns:t="urn:t"><t:status>updated</t:status></t:writeResponse>'
      : `<t:readResponse xmlns:t="urn:t"><t:record>${RECORD.replace(/<(\/?)(\w)/g, "<$1t:$2")}</t:record></t:readResponse>`;
    response.end(`<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"><e:Body>${answer}</e:Body></e:Envelope>`);
  });
});
const promised = (start) => new Promise((done, failed) => start((error, found) => (error ? failed(error) : done(found))));
server.listen(0, "127.0.0.1", async () => {
  for (const [name, soap] of [["soap", require("soap")], ["strong-soap", require("strong-soap").soap]]) {
    const client = await promised((done) => soap.createClient(`http://127.0.0.1:${server.address().port}/?wsdl`, {}, done));
    const { record } = await promised((done) => client.read({ key: "OPP-1" }, done));
    const kinds = [record.close, record.at].map((value) => value.constructor.name);
    const { status } = await promised((done) => client.write({ record }, done));
    console.log(`${name} read ${kinds.join(", ")}; wrote, ${status}:`);
    for (const field of ["id", "amount", "close", "at", "name", "note"]) {
      const [, value] = written.match(new RegExp(`<\\w+:${field}(?:/>|>([^<]*)<)`));
      console.log(`  ${field} [${value ?? ""}]`);
    }
  }
  process.exit(0);
});
JAVASCRIPT
timeout 60 node try.js | tee seen
diff seen - <<'EXPECTED'
soap read Date, Date; wrote, updated:
  id [123456789012345680]
  amount [10.1]
  close []
  at []
  name [Big deal]
  note [R&amp;Dbudget]
strong-soap read Date, Date; wrote, updated:
  id [123456789012345680]
  amount [10.1]
  close [2026-11-28Z]
  at [2026-11-28T14:30:00.000Z]
  name [Big deal]
  note [R&amp;Dbudget]
EXPECTED
