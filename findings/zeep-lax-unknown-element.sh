#!/usr/bin/env bash
# zeep 4.3.2 with Settings(strict=False) and an answer that holds one element which the WSDL does not know.
#
# Guess, written down before the run: "not strict" means what its name says for an XML client: the unknown element is
# skipped, as lax schema validation and tolerant readers do, and the known elements beside it are read.
# What happens: every known element *behind* the unknown one in the same sequence comes out as None, without an error
# or a warning; one in front of the first element of the answer empties the answer. Only xsd_ignore_sequence_order=True,
# whose name speaks of something else, reads them; and not even that where the element stands next to the part that
# zeep unwraps: then the caller gets the wrapper instead of the part.
# Whom it hurts: clients of a service that grows, as Marketo's did from 2_0 to 3_1. A status, an id or "there is more"
# that reads as None looks like "nothing" and ends paging, or sends a record again.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check zeep==4.3.2 lxml==6.0.2
cat > "$folder/try.py" <<'PYTHON'
import sys
from importlib.metadata import version
from io import BytesIO

from lxml import etree
from zeep import Settings, Transport
from zeep.wsdl import Document

WSDL = b"""<w:definitions targetNamespace="urn:x" xmlns:t="urn:x" xmlns:w="http://schemas.xmlsoap.org/wsdl/"
 xmlns:s="http://schemas.xmlsoap.org/wsdl/soap/" xmlns:xs="http://www.w3.org/2001/XMLSchema">
<w:types><xs:schema targetNamespace="urn:x">
<xs:complexType name="Page"><xs:sequence><xs:element name="count" type="xs:int"/><xs:element name="more" type="xs:boolean"/>
<xs:element name="position" type="xs:string"/></xs:sequence></xs:complexType>
<xs:element name="ask"><xs:complexType><xs:sequence/></xs:complexType></xs:element>
<xs:element name="answer"><xs:complexType><xs:sequence><xs:element name="result" type="t:Page"/></xs:sequence></xs:complexType></xs:element>
</xs:schema></w:types>
<w:message name="In"><w:part name="p" element="t:ask"/></w:message><w:message name="Out"><w:part name="p" element="t:answer"/></w:message>
<w:portType name="P"><w:operation name="ask"><w:input message="t:In"/><w:output message="t:Out"/></w:operation></w:portType>
<w:binding name="B" type="t:P"><s:binding style="document" transport="http://schemas.xmlsoap.org/soap/http"/>
<w:operation name="ask"><s:operation soapAction=""/><w:input><s:body use="literal"/></w:input><w:output><s:body use="literal"/></w:output></w:operation></w:binding>
<w:service name="S"><w:port name="P" binding="t:B"><s:address location="http://127.0.0.1/"/></w:port></w:service></w:definitions>"""
FIELDS = ["<count>2</count>", "<more>true</more>", "<position>abc</position>"]
NEW = "<changedBy>someone</changedBy>"


def read(settings, message):
    operation = Document(BytesIO(WSDL), Transport(), settings=settings).bindings["{urn:x}B"].get("ask")
    envelope = etree.fromstring(
        '<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"><e:Body>'
        f'<a:answer xmlns:a="urn:x">{message}</a:answer></e:Body></e:Envelope>'
    )
    try:
        result = operation.process_reply(envelope)
    except Exception as error:
        return type(error).__name__
    try:
        return result.count, result.more, result.position
    except AttributeError:
        return "another object"


def page(place):
    fields = FIELDS if place is None else [*FIELDS[:place], NEW, *FIELDS[place:]]
    return f"<result>{''.join(fields)}</result>"


seen = {}
for name, settings in (
    ("strict", Settings()),
    ("lax", Settings(strict=False)),
    ("lax, any order", Settings(strict=False, xsd_ignore_sequence_order=True)),
):
    seen[name] = [read(settings, page(place)) for place in (None, 0, 1, 3)] + [read(settings, NEW + page(None))]
print("zeep", version("zeep"))
print("unknown element:       none, first, second, last, next to the result")
for name, values in seen.items():
    print(f"{name:15}", values)
whole = (2, True, "abc")
expected = {
    "lax": [whole, (None, None, None), (2, None, None), whole, "another object"],
    "lax, any order": [whole, whole, whole, whole, "another object"],
}
sys.exit(0 if all(seen[name] == values for name, values in expected.items()) else 1)
PYTHON
"$folder/venv/bin/python" "$folder/try.py"
