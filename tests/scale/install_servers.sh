#!/bin/sh
# The servers that the tests start, from Debian's packages where they are missing. None of them is
# started as a service: tests start their own, in folders of their own.
set -eu

missing=""
command -v java >/dev/null 2>&1 || missing="$missing openjdk-17-jre-headless"
[ -n "$(ls -d /usr/lib/postgresql/*/bin/initdb 2>/dev/null)" ] || missing="$missing postgresql"
[ -x /usr/lib/rabbitmq/bin/rabbitmq-server ] || missing="$missing rabbitmq-server"
[ -n "$missing" ] || exit 0

if [ "$(id -u)" != 0 ]; then
  echo "error: these tests need$missing: install them with your package manager, then try again." >&2
  exit 1
fi
echo "installing$missing"
export DEBIAN_FRONTEND=noninteractive
policy=/usr/sbin/policy-rc.d
made=""
if [ ! -e "$policy" ]; then
  printf '#!/bin/sh\nexit 101\n' >"$policy"
  chmod +x "$policy"
  made=1
fi
trap '[ -z "$made" ] || rm -f "$policy"' EXIT
log=$(mktemp)
# shellcheck disable=SC2086 - names of packages, one word each
if ! { apt-get update -qq && apt-get install -y --no-install-recommends $missing; } >"$log" 2>&1; then
  tail -n 20 "$log" >&2
  echo "error: installing$missing failed: see above." >&2
  exit 1
fi
rm -f "$log"
