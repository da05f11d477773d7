#!/usr/bin/env bash
# csv-parser 3.2.1, one of the most used CSV parsers for Node, and an upload that stands in memory: checked first, then imported, then kept.
#
# Guess, written down before the run: a parser reads. The same bytes parsed twice are the same rows twice, and the file that is kept at
# the end is the one that came.
#
# Seen: where a text holds a doubled quotation mark, the parser takes the second one out in the caller's own buffer and moves what
# follows. The second reading gives other values: the last letters twice, or a name that has swallowed the amount behind it. Nothing
# is said. What is kept is no longer what came, by its checksum. csv-parse 7.0.3 and fast-csv 5.0.8 leave the bytes alone.
# (Pull request 60 of its repository told of it in 2016; its readme has no word.)
#
# Whom it hurts: whoever takes uploads into memory, shows a preview, and imports on "confirm" from the same buffer: the preview is right
# and what is written is not. A file on disk that is opened twice shows nothing, nor does one without quotation marks in its texts.
#
# Needs node and npm. Exits with 0 as long as that is so.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund --save-exact csv-parser@3.2.1 csv-parse@7.0.3 fast-csv@5.0.8 >/dev/null 2>&1
cat > try.js <<'JAVASCRIPT'
const { createHash } = require("crypto");
const { Readable } = require("stream");

const CSV = `key,name,amount
OPP-1,"The ""big"" deal",100
OPP-2,"Screens, 24"" and 27""",200
OPP-3,Chairs,300
OPP-4,"""New"" desks",400
`;
const PARSERS = {
  "csv-parser": require("csv-parser"),
  "csv-parse": () => require("csv-parse").parse({ columns: true }),
  "fast-csv": () => require("fast-csv").parse({ headers: true }),
};
const sum = (buffer) => createHash("sha256").update(buffer).digest("hex");
(async () => {
  for (const [name, parser] of Object.entries(PARSERS)) {
    const upload = Buffer.from(CSV);
    const before = sum(upload);
    for (const step of ["preview", "import"]) {
      const rows = [];
      for await (const row of Readable.from(upload).pipe(parser())) rows.push(Object.values(row));
      console.log(name, step, JSON.stringify(rows));
    }
    console.log(name, "kept", sum(upload) === before ? "as it came" : "changed");
  }
})();
JAVASCRIPT
node try.js | tee seen
diff seen - <<'EXPECTED'
csv-parser preview [["OPP-1","The \"big\" deal","100"],["OPP-2","Screens, 24\" and 27\"","200"],["OPP-3","Chairs","300"],["OPP-4","\"New\" desks","400"]]
csv-parser import [["OPP-1","The \"big\" dealal","100"],["OPP-2","\"Screens, 24\" and 27\"\",200"],["OPP-3","Chairs","300"],["OPP-4","\"New\" desksks","400"]]
csv-parser kept changed
csv-parse preview [["OPP-1","The \"big\" deal","100"],["OPP-2","Screens, 24\" and 27\"","200"],["OPP-3","Chairs","300"],["OPP-4","\"New\" desks","400"]]
csv-parse import [["OPP-1","The \"big\" deal","100"],["OPP-2","Screens, 24\" and 27\"","200"],["OPP-3","Chairs","300"],["OPP-4","\"New\" desks","400"]]
csv-parse kept as it came
fast-csv preview [["OPP-1","The \"big\" deal","100"],["OPP-2","Screens, 24\" and 27\"","200"],["OPP-3","Chairs","300"],["OPP-4","\"New\" desks","400"]]
fast-csv import [["OPP-1","The \"big\" deal","100"],["OPP-2","Screens, 24\" and 27\"","200"],["OPP-3","Chairs","300"],["OPP-4","\"New\" desks","400"]]
fast-csv kept as it came
EXPECTED
