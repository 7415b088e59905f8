#!/bin/sh
# Installs the real servers that tests run against, with apt and npm, as far as they are missing:
# sh scripts/setup-test-servers.sh
# Without them the tests that need them are skipped on a person's machine, and fail where CI=true.
set -eu

# One line a program: its name, its package, and "needed" or "optional".
servers='
knotd knot needed
unbound unbound needed
kdig knot-dnsutils optional
gh gh needed
postgres postgresql needed
nginx nginx needed
chromium chromium needed
wrk wrk needed
'

say() { printf 'kez: %s\n' "$1" >&2; }

# Servers from npm, each with a lock file of its own in test/peers, so that nobody who uses KEZ installs them.
for lock in "$(dirname "$0")"/../test/peers/*/package-lock.json; do
  peer=$(dirname "$lock")
  [ -f "$lock" ] || continue
  if cmp -s "$lock" "$peer/node_modules/.kez-lock.json"; then continue; fi
  say "installing test server: $(basename "$peer")"
  (cd "$peer" && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error) >&2 || {
    say "could not install: test/peers/$(basename "$peer")"
    exit 1
  }
  cp "$lock" "$peer/node_modules/.kez-lock.json"
done

# nats-server as the product itself finds or fetches it: on PATH, or into the cache by pinned checksums.
sh "$(dirname "$0")/node.sh" "$(dirname "$0")/nats-server.ts" >/dev/null || {
  say 'could not install: nats-server'
  exit 1
}

# Other people's code in Go: that of the checksum database, which our log is compared with, Docker Compose's loader, and croc, which
# gives files from person to person. Pinned by go.sum. `ldflags`: what would ask the network when it starts is set here.
for go_sum in "$(dirname "$0")"/../test/peers/*/go.sum; do
  peer=$(cd "$(dirname "$go_sum")" && pwd)
  name=$(basename "$peer")
  peer_program=$peer/../../../.cache/test-servers/$name-peer
  if ! command -v go >/dev/null 2>&1; then
    say "went on without: test/peers/$name, which needs Go"
  elif [ ! -x "$peer_program" ] || [ "$peer/main.go" -nt "$peer_program" ] || [ "$peer/go.sum" -nt "$peer_program" ]; then
    say "building test server: $name"
    flags=''
    if [ -f "$peer/ldflags" ]; then flags=$(cat "$peer/ldflags"); fi
    (cd "$peer" && GOFLAGS=-mod=readonly GOWORK=off go build -trimpath -buildvcs=false -ldflags "$flags" -o "$peer_program" .) >&2 || {
      say "could not build: test/peers/$name"
      exit 1
    }
  fi
done

# b3sum hashes files on one processor, which ours are moved beside. Pinned, with the lock that it comes with.
b3sum_version=1.8.2
servers_folder=$(cd "$(dirname "$0")/.." && pwd)/.cache/test-servers
if ! command -v cargo >/dev/null 2>&1 && [ -x "$HOME/.cargo/bin/cargo" ]; then PATH=$PATH:$HOME/.cargo/bin; fi
if ! command -v cargo >/dev/null 2>&1; then
  say 'went on without: b3sum, which needs cargo'
elif ! "$servers_folder/bin/b3sum" --version 2>/dev/null | grep -Fqx "b3sum $b3sum_version"; then
  say 'building test server: b3sum'
  CARGO_TARGET_DIR=${XDG_CACHE_HOME:-$HOME/.cache}/kez/rust-b3sum \
    cargo install --quiet --locked --root "$servers_folder" --version "$b3sum_version" b3sum >&2 || {
    say 'could not build: b3sum'
    exit 1
  }
fi

missing_needed='' missing_optional='' names=''
PATH=$PATH:/usr/sbin:/usr/local/sbin
# Debian keeps each version of PostgreSQL in a folder of its own.
for bin in /usr/lib/postgresql/*/bin; do PATH=$PATH:$bin; done
while read -r program package need; do
  if [ -z "$program" ] || command -v "$program" >/dev/null 2>&1; then continue; fi
  names="$names $program"
  if [ "$need" = needed ]; then missing_needed="$missing_needed $package"; else missing_optional="$missing_optional $package"; fi
done <<EOT
$servers
EOT

if [ -z "$names" ]; then
  say 'all test servers are installed'
  exit 0
fi
if ! command -v apt-get >/dev/null 2>&1; then
  say "missing test servers:$names. This script knows apt only; install them with your system's own tool"
  exit 1
fi
if [ "$(id -u)" -eq 0 ]; then
  sudo=''
elif command -v sudo >/dev/null 2>&1; then
  sudo=sudo
else
  say "missing test servers:$names. Run this script as root, or install sudo"
  exit 1
fi

log=$(mktemp)
trap 'rm -f "$log"' EXIT

# apt PACKAGE...: no questions, no recommended extras, its words only when it fails.
apt() {
  if $sudo env DEBIAN_FRONTEND=noninteractive apt-get -qq -o Dpkg::Use-Pty=0 "$@" </dev/null >"$log" 2>&1; then return; fi
  tail -n 20 "$log" >&2
  return 1
}

say "installing test servers:$names"
apt update || say 'apt-get update failed; trying with the package lists that are here'
# The package names hold no spaces; splitting is wanted.
# shellcheck disable=SC2086
if [ -n "$missing_needed" ]; then
  apt install -y --no-install-recommends $missing_needed || {
    say "could not install:$missing_needed"
    exit 1
  }
fi
# shellcheck disable=SC2086
if [ -n "$missing_optional" ]; then
  apt install -y --no-install-recommends $missing_optional || say "went on without:$missing_optional"
fi
