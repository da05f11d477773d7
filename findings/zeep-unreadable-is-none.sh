#!/usr/bin/env bash
# zeep 4.3.3, strict as by default, and an answer with a value that it cannot turn into Python's.
#
# Guess, written down before the run: a value that XML Schema allows is read; one that it does not allow raises an error that names
# the element, as an element in the wrong place does.
#
# Seen: most of them become None, exactly what an absent or empty element becomes, and the call succeeds; one line with a traceback
# goes to a log that the caller does not hear of. So it is with values that the schema allows: midnight written as 24:00:00, a
# year of five digits. In a list such a value leaves a None among its neighbours. What is no boolean ("True", "yes") is read as
# False, without even the line in the log; a whole number may be larger than its type; and a decimal with a comma does raise, though
# Python's own InvalidOperation rather than an error of zeep's.
#
# Whom it hurts: clients that page or count by what they read: "how many are left" that is None is falsy, as 0 is, and ends the loop; a
# date of last change that is None means "never changed", and is written back as empty.
#
# Exits with 0 as long as that is so.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check zeep==4.3.3 isodate==0.7.2 lxml==6.1.3
cat > try.py <<'PYTHON'
"""A service whose one answer holds a value of the type asked for, and the client's reading of it."""

import io
import logging

import requests
import zeep

WSDL = """<definitions targetNamespace="urn:s" xmlns="http://schemas.xmlsoap.org/wsdl/" xmlns:s="urn:s"
  xmlns:soap="http://schemas.xmlsoap.org/wsdl/soap/" xmlns:xs="http://www.w3.org/2001/XMLSchema">
<types><xs:schema targetNamespace="urn:s" elementFormDefault="qualified">
<xs:element name="ask"><xs:complexType><xs:sequence/></xs:complexType></xs:element>
<xs:element name="answer"><xs:complexType><xs:sequence>
<xs:element name="value" type="xs:%s" maxOccurs="unbounded"/><xs:element name="end" type="xs:string"/>
</xs:sequence></xs:complexType></xs:element></xs:schema></types>
<message name="i"><part name="p" element="s:ask"/></message><message name="o"><part name="p" element="s:answer"/></message>
<portType name="P"><operation name="ask"><input message="s:i"/><output message="s:o"/></operation></portType>
<binding name="B" type="s:P"><soap:binding style="document" transport="http://schemas.xmlsoap.org/soap/http"/>
<operation name="ask"><soap:operation soapAction="ask"/><input><soap:body use="literal"/></input>
<output><soap:body use="literal"/></output></operation></binding>
<service name="S"><port name="P" binding="s:B"><soap:address location="http://localhost/"/></port></service></definitions>"""
ANSWER = """<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"><e:Body><answer xmlns="urn:s">%s<end>.</end>
</answer></e:Body></e:Envelope>"""
TRIES = [
    ("int", "12", "n/a", "7"),
    ("int", "99999999999"),
    ("long", "12.0"),
    ("dateTime", "2026-11-28T23:59:59", "2026-11-28T24:00:00"),
    ("date", "12026-01-01", "28.11.2026"),
    ("boolean", "true", "True", "yes"),
    ("double", "1,5"),
    ("decimal", "1,5"),
]


class Answering(zeep.Transport):
    def post(self, address, message, headers):
        response = requests.Response()
        response.status_code = 200
        response.headers["Content-Type"] = "text/xml"
        response._content = (ANSWER % "".join(f"<value>{text}</value>" for text in self.texts)).encode()
        return response


class Count(logging.Handler):
    lines = 0

    def emit(self, record):
        self.lines += 1


count = Count()
log = logging.getLogger("zeep.xsd.types.simple")
log.addHandler(count)
log.propagate = False
for kind, *texts in TRIES:
    transport = Answering()
    transport.texts, count.lines = texts, 0
    try:
        values = zeep.Client(io.BytesIO((WSDL % kind).encode()), transport=transport).service.ask().value
        read = ", ".join(map(str, values))
    except Exception as error:
        read = type(error).__name__
    print(f"{kind} {' | '.join(texts)} -> {read} (logged: {count.lines})")
PYTHON
venv/bin/python try.py | tee seen
diff seen - <<'EXPECTED'
int 12 | n/a | 7 -> 12, None, 7 (logged: 1)
int 99999999999 -> 99999999999 (logged: 0)
long 12.0 -> None (logged: 1)
dateTime 2026-11-28T23:59:59 | 2026-11-28T24:00:00 -> 2026-11-28 23:59:59, None (logged: 1)
date 12026-01-01 | 28.11.2026 -> None, None (logged: 2)
boolean true | True | yes -> True, False, False (logged: 0)
double 1,5 -> None (logged: 1)
decimal 1,5 -> InvalidOperation (logged: 0)
EXPECTED
