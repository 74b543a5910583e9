#!/usr/bin/env bash
# Runs the gateway: without arguments the demonstration, with arguments that verb. Builds when sources changed.
# Writes nothing of its own to standard output.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$root/build/tools.sh"
need_dotnet
need_postgres
out="$root/src/Gateway.Host/bin/Release/net10.0"
stamp="$out/.built"
if [ ! -x "$out/gateway" ] || [ ! -e "$stamp" ] || [ -n "$(find "$root/src" "$root/schemas" "$root/samples" "$root/build" "$root"/Directory.* -newer "$stamp" -type f -not -path '*/bin/*' -not -path '*/obj/*' -not -path '*/wwwroot/_framework/*' -print -quit)" ]; then
  log=$(mktemp)
  started=$(mktemp)
  if ! dotnet build "$root/src/Gateway.Host" -c Release -nologo -v quiet -clp:NoSummary >"$log" 2>&1; then
    cat "$log" >&2
    echo "The build failed; its output is above." >&2
    exit 1
  fi
  rm -f "$log"
  touch -r "$started" "$stamp"
  rm -f "$started"
fi
if [ $# -eq 0 ]; then set -- demo; fi
export GATEWAY_DATA="${GATEWAY_DATA:-$root/data}"
# The runtime fits what it collects first to the processor's cache, which may be hundreds of megabytes.
export DOTNET_GCgen0size="${DOTNET_GCgen0size:-0x1000000}"
exec "$out/gateway" "$@"
