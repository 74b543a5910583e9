#!/usr/bin/env bash
# Installs what the tests need and runs every test. The last line is "N passed, N failed".
set -uo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$root/build/tools.sh"
need_dotnet
need_postgres
need_chromium
need_node
need_openssl
need_openssh
log=$(mktemp)
GATEWAY_REQUIREMENTS=$(mktemp -d)
export GATEWAY_REQUIREMENTS
trap 'rm -rf "$log" "$GATEWAY_REQUIREMENTS"' EXIT
dotnet build "$root/Gateway.sln" -c Release -nologo -v quiet -clp:NoSummary || { echo "0 passed, 1 failed"; exit 1; }
dotnet test "$root/Gateway.sln" -c Release --no-build -nologo 2>&1 | tee "$log"
rc=${PIPESTATUS[0]}
bash "$root/build/traceability.sh" "$GATEWAY_REQUIREMENTS" || rc=1
# What failed once more, where it is seen: at the end.
grep -h '\[FAIL\]' "$log" | sort -u
# A run that selected no test exits 0 too, so the counts decide as well.
awk '/^(Passed|Failed)! +- Failed:/ { gsub(",", ""); for (i = 1; i < NF; i++) { if ($i == "Failed:") f += $(i + 1); if ($i == "Passed:") p += $(i + 1) } }
     END { printf "%d passed, %d failed\n", p, f; exit (p > 0 && f == 0) ? 0 : 1 }' "$log" || rc=1
exit "$rc"
