#!/usr/bin/env bash
# Makes the matrix of requirements, tests and results: docs/traceability.csv, from docs/requirements.csv and what the tests have written
# into the folder given; a second argument names another file to write. Fails when a requirement that is due has no test that passed.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
results=$(mktemp)
trap 'rm -f "$results"' EXIT
# One line for each test, whatever data it ran with: failed if once, else skipped if once.
find "$1" -name '*.tsv' -exec cat {} + | awk -F '\t' '
    { test = $1 "\t" $2; if ($3 == "failed" || result[test] == "failed") result[test] = "failed"; else if ($3 == "skipped" || result[test] == "skipped") result[test] = "skipped"; else result[test] = "passed" }
    END { for (test in result) print test "\t" result[test] }' | LC_ALL=C sort > "$results"
awk -v results="$results" '
    BEGIN { while ((getline line < results) > 0) { split(line, f, "\t"); tests[f[1]] = tests[f[1]] f[2] "\t" f[3] "\n"; if (f[3] == "passed") passed[f[1]] = 1; seen[f[1]] = 1 } }
    NR == 1 { print "id,risk,requirement,test,result"; next }
    { match($0, /^[^,]*,[^,]*,[^,]*,[^,]*,/); split(substr($0, 1, RLENGTH), f, ","); text = substr($0, RLENGTH + 1); known[f[1]] = 1
      n = split(tests[f[1]], lines, "\n")
      for (i = 1; i < n; i++) { split(lines[i], t, "\t"); print f[1] "," f[2] "," text "," t[1] "," t[2] }
      if (n < 2) print f[1] "," f[2] "," text ",," (f[4] == "now" ? "no test" : "not due")
      if (f[4] == "now" && !passed[f[1]]) { print "No test that passed proves " f[1] ": " text > "/dev/stderr"; bad = 1 } }
    END { for (id in seen) if (!known[id]) { print "A test names " id ", which is no requirement." > "/dev/stderr"; bad = 1 }
          exit bad }' "$root/docs/requirements.csv" > "${2:-$root/docs/traceability.csv}"
