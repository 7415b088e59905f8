# Sourced by scripts/runtime.sh on a first start or after package-lock.json changed: kez_install runs npm ci,
# chooses a Node and writes the stamp. All words go to stderr, so that stdout stays the command's own.

kez_say() { printf 'kez: %s\n' "$1" >&2; }

# kez_fail STATUS MESSAGE [HINT...]: exit statuses are those of the kez command (SPEC, "Exit codes").
kez_fail() {
  kez_status=$1
  kez_say "$2"
  shift 2
  for kez_hint; do printf 'hint: %s\n' "$kez_hint" >&2; done
  exit "$kez_status"
}

# The PATH without this clone's own node_modules: npm must not run on the Node that it is about to replace.
kez_outer_path() {
  kez_rest=$PATH: kez_path=
  while [ -n "$kez_rest" ]; do
    kez_entry=${kez_rest%%:*} kez_rest=${kez_rest#*:}
    case $kez_entry in
      */node_modules/.bin | "$root"/node_modules/*) ;;
      *) kez_path=$kez_path${kez_path:+:}$kez_entry ;;
    esac
  done
  printf '%s\n' "$kez_path"
}

# Prints the Node to use, first the bundled one; fails when there is none that runs.
kez_choose_node() {
  for kez_file in "$root"/node_modules/node-*/bin/node "$root"/node_modules/node-*/bin/node.exe; do
    if [ -f "$kez_file" ] && "$kez_file" -e 0 >/dev/null 2>&1 </dev/null; then
      printf '%s\n' "${kez_file#"$root"/}"
      return
    fi
  done
  kez_outer_node
}

# Prints the path of a Node >= 24.12 from PATH. Node itself says where it is: version managers put shims on PATH.
kez_outer_node() {
  kez_found=$(cd "$root" && PATH=$(kez_outer_path) && node -p 'process.versions.node + " " + process.execPath' 2>/dev/null) ||
    return 1
  kez_version=${kez_found%% *} kez_major=${kez_found%%.*}
  kez_minor=${kez_version#*.} kez_minor=${kez_minor%%.*}
  [ "$kez_major" -gt 24 ] || { [ "$kez_major" -eq 24 ] && [ "$kez_minor" -ge 12 ]; } || return 1
  printf '%s\n' "${kez_found#* }"
}

kez_no_node() {
  kez_found=$(PATH=$(kez_outer_path) && node -v 2>/dev/null) || kez_found='no Node'
  kez_fail 2 "KEZ needs Node 24; this machine has $kez_found and $1" \
    "install Node 24.12 or newer (https://nodejs.org/en/download), then start kez again"
}

# Is there a packaged Node for this machine? Where there is none, say so before a long download.
kez_has_package() {
  case $(uname -s)-$(uname -m) in
    Linux-x86_64 | Linux-amd64 | Linux-aarch64 | Linux-arm64) ;;
    MINGW*-x86_64 | MSYS*-x86_64 | CYGWIN*-x86_64) ;;
    *) return 1 ;;
  esac
}

kez_alive() { kill -0 "$1" 2>/dev/null || [ -d "/proc/$1" ]; }

# Stale: its process is gone, or it has had no process written into it for ten seconds.
kez_stale() {
  kez_owner=
  if [ -f "$kez_lock/pid" ]; then read -r kez_owner <"$kez_lock/pid" || kez_owner=; fi
  if [ -n "$kez_owner" ]; then
    kez_unowned=0
    ! kez_alive "$kez_owner"
  else
    [ "$kez_unowned" -ge 10 ]
  fi
}

# One installer at a time. mkdir decides who; only the holder of the second directory may remove a dead one's lock,
# so that nobody removes a lock that has just been taken anew.
kez_take_lock() {
  kez_waited=0 kez_unowned=0
  while ! mkdir "$kez_lock" 2>/dev/null; do
    [ -d "$kez_lock" ] || kez_fail 1 "cannot write to $kez_dir, so packages cannot be installed"
    if kez_stale && mkdir "$kez_lock.takeover" 2>/dev/null; then
      if kez_stale; then rm -rf "$kez_lock"; fi
      rmdir "$kez_lock.takeover"
      continue
    fi
    if [ "$kez_waited" -eq 1 ]; then kez_say 'another start is installing the packages; waiting for it'; fi
    if [ "$kez_waited" -ge 900 ]; then
      kez_fail 1 "process ${kez_owner:-unknown} has been installing for 15 minutes" \
        "if it does not run any more, remove $kez_lock and $kez_lock.takeover"
    fi
    sleep 1
    kez_waited=$((kez_waited + 1)) kez_unowned=$((kez_unowned + 1))
  done
  trap 'rm -rf "$kez_lock"' EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM HUP
  printf '%s\n' "$$" >"$kez_lock/pid"
}

kez_release_lock() {
  rm -rf "$kez_lock"
  trap - EXIT INT TERM HUP
}

# npm reads no stdin: it belongs to the command. Short retries: a machine without network should hear so in seconds.
kez_npm() {
  (
    cd "$root" && PATH=$(kez_outer_path) && export PATH &&
      npm "$@" --include=dev --include=optional --engine-strict=false --progress=false --color=false \
        --loglevel=warn --fetch-retry-mintimeout=500 --fetch-retry-maxtimeout=2000 </dev/null >"$kez_log" 2>&1
  )
}

kez_explain_npm() {
  kez_cause=$(grep -oE 'ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ENETUNREACH|EHOSTUNREACH|ETIMEDOUT|ERR_SOCKET_TIMEOUT|ERR_PROXY[A-Z_]*|SELF_SIGNED_CERT[A-Z_]*|UNABLE_TO_[A-Z_]*|CERT_[A-Z_]+' "$kez_log" | head -n 1)
  if [ -n "$kez_cause" ]; then
    kez_fail 5 "could not reach the npm registry ($kez_cause)" \
      'behind a proxy? npm config set proxy http://HOST:PORT && npm config set https-proxy http://HOST:PORT' \
      "npm's own words: $kez_log"
  fi
  tail -n 15 "$kez_log" >&2
  kez_fail 1 "npm could not install the packages; all it said is in $kez_log"
}

kez_run_npm() {
  if kez_npm ci; then return; fi
  grep -q 'EUSAGE' "$kez_log" || kez_explain_npm
  mv "$kez_log" "$kez_dir/install-ci.log"
  kez_say 'npm ci does not accept the lock file here (EUSAGE); trying npm install --no-save once'
  kez_npm install --no-save || kez_explain_npm
}

# The stamp comes last and in one rename: an install that was cut short leaves none and is done again.
kez_write_stamp() {
  rm -rf "$root/node_modules/.kez.new"
  mkdir -p "$root/node_modules/.kez.new" && mv "$kez_lock/package-lock.json" "$root/node_modules/.kez.new/lock" &&
    printf '%s\n' "$node" >"$root/node_modules/.kez.new/node" &&
    mv "$root/node_modules/.kez.new" "$root/node_modules/.kez" ||
    kez_fail 1 "cannot write to $root/node_modules"
}

kez_is_installed() {
  [ -f "$root/node_modules/.kez/node" ] && cmp -s "$root/package-lock.json" "$root/node_modules/.kez/lock"
}

kez_install() {
  kez_dir=$root/.cache
  kez_lock=$kez_dir/install.lock kez_log=$kez_dir/install.log
  PATH=$(kez_outer_path) command -v npm >/dev/null 2>&1 ||
    kez_fail 2 'npm is missing, and KEZ needs it to fetch its packages' \
      'install Node 24, npm comes with it: https://nodejs.org/en/download'
  command -v cmp >/dev/null 2>&1 || kez_fail 2 'the command cmp is missing; install the package diffutils'
  kez_has_package || kez_outer_node >/dev/null || kez_no_node 'no package of Node 24 exists for this system'
  mkdir -p "$kez_dir" 2>/dev/null || kez_fail 1 "cannot write to $root, so packages cannot be installed"

  kez_take_lock
  if kez_is_installed; then
    read -r node <"$root/node_modules/.kez/node" || node=
  fi
  case $node in node_modules/*) node=$root/$node ;; esac
  if [ -z "$node" ] || ! [ -x "$node" ]; then kez_install_locked; fi
  kez_release_lock
  case $node in node_modules/*) node=$root/$node ;; esac
}

kez_install_locked() {
  if ! [ -d "$root/node_modules" ]; then
    kez_say 'first start: fetching the packages and Node 24 with npm, once'
  elif [ -d "$root/node_modules/.kez" ] && ! kez_is_installed; then
    kez_say 'package-lock.json has changed; installing'
  else
    kez_say 'the installed packages are incomplete; installing again'
  fi
  kez_began=$(date +%s)
  cp "$root/package-lock.json" "$kez_lock/package-lock.json" || kez_fail 1 "cannot read $root/package-lock.json"
  rm -rf "$root/node_modules/.kez"
  kez_run_npm
  node=$(kez_choose_node) || kez_no_node 'the packaged Node 24 is not there or does not run'
  kez_write_stamp
  kez_say "installed in $(($(date +%s) - kez_began)) s"
}
