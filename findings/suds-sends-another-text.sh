#!/usr/bin/env bash
# suds-community 1.2.0, the fork of the old SOAP client for Python that is still kept up, and texts that hold HTML: read and sent back.
#
# Guess, written down before the run: a text is a text. Its &, < and > are escaped on the way out and come back on the way in, whatever the
# text says; what was read and is sent unchanged is what was there. An empty text stays empty.
#
# Seen: a text that holds &amp; &lt; &gt; &quot; or &apos; is sent as if it were escaped already, so the server gets another text: "a &lt; b"
# becomes "a < b", "AT&amp;T" "AT&T", and each further round takes one more layer off. "AT&T" and &nbsp; arrive as they are. Reading is
# right. Of a list that was read with an empty text in it, the texts behind that move up when it is sent back. zeep 4.3.3 sends the texts
# as they are, and refuses to send the empty one that it has read, with an error.
#
# Whom it hurts: whoever copies e-mails, landing pages or notes with HTML from one record or instance to another by SOAP: "a < b" hides the
# rest of the page, links with &amp; change, and what looked right in the first copy is wrong in the second.
#
# Exits with 0 as long as that is so.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check suds-community==1.2.0 zeep==4.3.3 lxml==6.1.3 requests==2.34.2
cat > try.py <<'PYTHON'
"""A service that keeps the texts it is sent and answers with them, and two clients that read and send back."""

import io
from xml.sax.saxutils import escape

import requests
import suds.client
import suds.transport
import zeep
from lxml import etree

WSDL = b"""<definitions targetNamespace="urn:s" xmlns="http://schemas.xmlsoap.org/wsdl/" xmlns:s="urn:s"
  xmlns:soap="http://schemas.xmlsoap.org/wsdl/soap/" xmlns:xs="http://www.w3.org/2001/XMLSchema">
<types><xs:schema targetNamespace="urn:s" elementFormDefault="qualified">
<xs:complexType name="Texts"><xs:sequence><xs:element name="text" type="xs:string" minOccurs="0" maxOccurs="unbounded"/></xs:sequence></xs:complexType>
<xs:element name="put"><xs:complexType><xs:sequence><xs:element name="all" type="s:Texts"/></xs:sequence></xs:complexType></xs:element>
<xs:element name="got"><xs:complexType><xs:sequence><xs:element name="all" type="s:Texts"/></xs:sequence></xs:complexType></xs:element>
</xs:schema></types>
<message name="i"><part name="p" element="s:put"/></message><message name="o"><part name="p" element="s:got"/></message>
<portType name="P"><operation name="put"><input message="s:i"/><output message="s:o"/></operation></portType>
<binding name="B" type="s:P"><soap:binding style="document" transport="http://schemas.xmlsoap.org/soap/http"/>
<operation name="put"><soap:operation soapAction="put"/><input><soap:body use="literal"/></input>
<output><soap:body use="literal"/></output></operation></binding>
<service name="S"><port name="P" binding="s:B"><soap:address location="http://localhost/"/></port></service></definitions>"""
ANSWER = """<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"><e:Body><got xmlns="urn:s"><all>%s</all></got>
</e:Body></e:Envelope>"""
kept = []


def serve(message):
    kept[:] = [element.text or "" for element in etree.fromstring(message).iter("{urn:s}text")]
    return (ANSWER % "".join(f"<text>{escape(text)}</text>" for text in kept)).encode()


class SudsTransport(suds.transport.Transport):
    def open(self, request):
        return io.BytesIO(WSDL)

    def send(self, request):
        return suds.transport.Reply(200, {"Content-Type": "text/xml"}, serve(request.message))


class ZeepTransport(zeep.Transport):
    def post(self, address, message, headers):
        response = requests.Response()
        response.status_code = 200
        response.headers["Content-Type"] = "text/xml"
        response._content = serve(message)
        return response


def attempt(name, client, texts):
    client.service.put({"text": texts})
    rounds = [list(kept)]
    for _ in range(2):
        answer = client.service.put({"text": rounds[-1]})
        try:
            client.service.put({"text": list(getattr(answer, "text", answer))})
        except Exception as error:
            rounds.append(type(error).__name__)
            break
        rounds.append(list(kept))
    print(f"{name} {texts}:", "as it was" if rounds == [texts] * 3 else "; ".join(map(str, rounds)))


clients = {
    "suds": suds.client.Client("http://localhost/wsdl", transport=SudsTransport(), cache=None),
    "zeep": zeep.Client(io.BytesIO(WSDL), transport=ZeepTransport()),
}
for name, client in clients.items():
    attempt(name, client, ["a &lt; b"])
    attempt(name, client, ["AT&amp;amp;T"])
    attempt(name, client, ["AT&T, a < b&nbsp;"])
    attempt(name, client, ["first", "", "third"])
PYTHON
venv/bin/python try.py | tee seen
diff seen - <<'EXPECTED'
suds ['a &lt; b']: ['a < b']; ['a < b']; ['a < b']
suds ['AT&amp;amp;T']: ['AT&amp;T']; ['AT&T']; ['AT&T']
suds ['AT&T, a < b&nbsp;']: as it was
suds ['first', '', 'third']: ['first', '', 'third']; ['first', 'third']; ['first', 'third']
zeep ['a &lt; b']: as it was
zeep ['AT&amp;amp;T']: as it was
zeep ['AT&T, a < b&nbsp;']: as it was
zeep ['first', '', 'third']: ['first', '', 'third']; ValidationError
EXPECTED
