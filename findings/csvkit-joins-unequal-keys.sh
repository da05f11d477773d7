#!/usr/bin/env bash
# csvkit 2.2.0 (agate 1.14.2): csvjoin, which joins two lists by a key, and csvsort, which sorts one.
#
# Guess, written down before the run: as with join, SQL or a spreadsheet's lookup, rows meet where the keys are the same text, and an empty
# key meets none; sorting changes the order of rows. Numbers may lose leading zeros on the way out.
#
# Seen: where all keys look like numbers, deal 0012 gets the amount of deal 12, as deal 12 does, and both come out as 12. One key with
# letters in one of the lists makes texts of that list's keys only, and then nothing meets anything, 12 and 12 neither. "n/a", ".",
# "none" and an empty key are one key: two of them on each side make four rows, with type inference turned off as well. csvsort makes
# January the first day of the year 1, $50 and €50 both 50, 10:30 ten and a half minutes, and of the sizes 1M and 3D a minute and three days.
# Nothing is said.
#
# Whom it hurts: whoever joins amounts to a list before an upload: sums are doubled, deals get other deals' amounts, and all that have no
# key get each other's; and period costs that were only sorted have no months any more.
#
# Exits with 0 as long as that is so.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check csvkit==2.2.0 agate==1.14.2 parsedatetime==2.6 pytimeparse==1.1.10
join() {
    printf "key,name\n$1" > names.csv
    printf "key,amount\n$2" > amounts.csv
    venv/bin/csvjoin "${@:3}" -c key names.csv amounts.csv
}
(
    echo "numbers:"
    join '0012,Desks\n12,Chairs\n' '12,500\n'
    echo "letters in one key of one list:"
    join '0012,Desks\n12,Chairs\nA-1,Lamps\n' '12,500\n'
    echo "letters in one key of each:"
    join '0012,Desks\n12,Chairs\nA-1,Lamps\n' '12,500\nA-1,70\n'
    echo "no keys:"
    join 'n/a,Desks\n.,Chairs\n' 'none,500\n,70\n'
    echo "no keys, no inference:"
    join ',Desks\n,Chairs\n' ',500\n,70\n' --no-inference
    echo "sorted:"
    printf 'program,month,cost,begins,size\nB,Feb,$50,10:30,1M\nA,Jan,€50,11:00,3D\n' | venv/bin/csvsort -c program
) | tee seen
diff seen - <<'EXPECTED'
numbers:
key,name,amount
12,Desks,500
12,Chairs,500
letters in one key of one list:
key,name,amount
letters in one key of each:
key,name,amount
12,Chairs,500
A-1,Lamps,70
no keys:
key,name,amount
,Desks,500
,Desks,70
,Chairs,500
,Chairs,70
no keys, no inference:
key,name,amount
,Desks,500
,Desks,70
,Chairs,500
,Chairs,70
sorted:
program,month,cost,begins,size
A,0001-01-01,50,0:11:00,"3 days, 0:00:00"
B,0001-02-01,50,0:10:30,0:01:00
EXPECTED
