# Sourced by run.sh and test.sh: makes sure that the tools they need are there, or says in one sentence what to do.

need_dotnet() {
  command -v dotnet >/dev/null || { echo "The .NET 10 SDK is missing: install it and put dotnet on the PATH." >&2; exit 1; }
  case $(dotnet --version) in 1[0-9].*) ;; *) echo "The .NET SDK is $(dotnet --version): version 10 is needed." >&2; exit 1 ;; esac
  # In English whatever the account speaks: test.sh reads the counts.
  export DOTNET_NOLOGO=1 DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_CLI_UI_LANGUAGE=en
}

# install PACKAGE WHAT: Debian's package, when this account may install.
install() {
  if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    echo "Installing $1 ..." >&2
    { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$1"; } >&2 2>&1 \
      || { echo "$2 is missing and could not be installed: install Debian's package $1." >&2; exit 1; }
  else
    echo "$2 is missing: install Debian's package $1." >&2
    exit 1
  fi
}

need_postgres() {
  [ -n "${ConnectionStrings__Gateway:-}" ] && return 0
  ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || command -v initdb >/dev/null || [ -n "${GATEWAY_POSTGRES_BIN:-}" ] || install postgresql "PostgreSQL"
}

# Another implementation of the signatures that the audit trail is sealed with.
need_openssl() {
  command -v openssl >/dev/null || install openssl "OpenSSL"
}

# Partners' SFTP servers of the tests, and the program by which the gateway speaks with them. The server is started by the tests only,
# so where its package would start it as a service, that is kept from happening.
need_openssh() {
  command -v sftp >/dev/null || install openssh-client "OpenSSH's sftp"
  [ -x /usr/sbin/sshd ] && return 0
  if [ "$(id -u)" = 0 ] && [ ! -e /usr/sbin/policy-rc.d ]; then
    printf '#!/bin/sh\nexit 101\n' > /usr/sbin/policy-rc.d && chmod +x /usr/sbin/policy-rc.d
    (install openssh-server "OpenSSH's server"); rc=$?
    rm -f /usr/sbin/policy-rc.d
    [ "$rc" = 0 ] || exit "$rc"
  else
    install openssh-server "OpenSSH's server"
  fi
}

need_chromium() {
  CHROMIUM="${CHROMIUM:-$(command -v chromium || true)}"
  if [ -z "$CHROMIUM" ]; then
    install chromium "Chromium"
    CHROMIUM=$(command -v chromium)
  fi
  export CHROMIUM
}

# Node.js with ajv, which gives the reference verdicts of JSON Schemas. Without ajv all other tests can run, so its absence
# stops nothing here: the tests that need it fail and say so.
need_node() {
  command -v node >/dev/null || install nodejs "Node.js"
  command -v npm >/dev/null || install npm "npm"
  ajv="$root/tests/Epcis.Tests/Schemas/ajv"
  if [ ! "$ajv/node_modules/.package-lock.json" -nt "$ajv/package-lock.json" ]; then
    (cd "$ajv" && npm ci --ignore-scripts --loglevel=error >&2) \
      || echo "ajv could not be installed: the tests that take their reference verdicts from it WILL FAIL." >&2
  fi
}
