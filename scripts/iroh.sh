#!/bin/sh
# Builds rust/kez-iroh once and prints the path of the program. KEZ_IROH names one that somebody built already. The build lies outside
# the tree, so that every clone of this machine shares it. Exits with 2 for another option, with 3 without cargo or with one that is
# too old, with 4 in a tree without rust/kez-iroh.
# --find: prints the path of a program that is there, builds nothing, exits with 3 if there is none.
# --able: says whether it could be built here, and builds nothing.
# --check: format, lint, and everything that is built for --test, which runs the tests of the workspace instead.

case $0 in */*) root=${0%/*}/.. ;; *) root=.. ;; esac

case $#:$1 in
  0: | 1:--find | 1:--able | 1:--check | 1:--test) ;;
  *)
    echo "kez: Cannot run sh scripts/iroh.sh $*: expected nothing, --find, --able, --check or --test. Nothing was built" >&2
    exit 2
    ;;
esac

if [ -n "$KEZ_IROH" ] && { [ $# -eq 0 ] || [ "$1" = --find ]; }; then
  if ! [ -x "$KEZ_IROH" ]; then
    echo "kez: Cannot use KEZ_IROH: expected a program at $KEZ_IROH" >&2
    exit 2
  fi
  printf '%s\n' "$KEZ_IROH"
  exit
fi

manifest=$root/rust/kez-iroh/Cargo.toml
if ! [ -f "$manifest" ]; then
  echo "kez: Cannot build kez-iroh: there is no rust/kez-iroh in this tree. KEZ_IROH names a built program" >&2
  exit 4
fi

: "${CARGO_TARGET_DIR:=${XDG_CACHE_HOME:-$HOME/.cache}/kez/rust-iroh}"
export CARGO_TARGET_DIR
program=$CARGO_TARGET_DIR/release/kez-iroh

if [ "$1" = --find ]; then
  if [ -x "$program" ]; then
    printf '%s\n' "$program"
    exit
  fi
  echo "kez: Files are off: kez-iroh is not built. sh scripts/iroh.sh builds it where cargo is; KEZ_IROH names a built program" >&2
  exit 3
fi

# rustup puts it where only a login shell looks.
if ! command -v cargo >/dev/null 2>&1 && [ -x "$HOME/.cargo/bin/cargo" ]; then
  PATH=$PATH:$HOME/.cargo/bin
  export PATH
fi
if ! command -v cargo >/dev/null 2>&1; then
  echo "kez: Cannot build kez-iroh: cargo is missing. https://rustup.rs installs it; KEZ_IROH names a built program" >&2
  exit 3
fi
minor=$(cargo --version | sed -n 's/^cargo 1\.\([0-9]*\).*/\1/p')
if [ "${minor:-0}" -lt 91 ]; then
  echo "kez: Cannot build kez-iroh: it needs cargo 1.91, here is $(cargo --version). rustup update brings it; KEZ_IROH names a built program" >&2
  exit 3
fi
[ "$1" != --able ] || exit 0

# The relay and the liar of the tests change what the crates below them are built with. Whoever runs the tests builds both, always, so that nothing
# is built twice; who only uses it builds the program alone. Clippy compiles our crates there instead of looking at them a second time:
# cargo clippy would have to check 340 crates for that.
case $1:${CI:-} in
  --*:* | :true | :1)
    scope=--workspace
    if clippy=$(command -v clippy-driver); then
      export RUSTC_WORKSPACE_WRAPPER="$clippy" CLIPPY_ARGS='-Dwarnings__CLIPPY_HACKERY__'
    fi
    ;;
  *) scope='--package kez-iroh' ;;
esac

case $1 in
  # Most of them wait; more at once would take the time from each other.
  --test) exec cargo test --quiet --locked --release --no-fail-fast --workspace --manifest-path "$manifest" -- --format pretty --test-threads 4 ;;
  --check)
    cargo fmt --check --all --manifest-path "$manifest" >&2 || exit 1
    cargo test --quiet --locked --release --no-run --workspace --manifest-path "$manifest" >&2 || exit 1
    ;;
esac

# Splitting is wanted.
# shellcheck disable=SC2086
cargo build --quiet --locked --release $scope --manifest-path "$manifest" >&2 || exit 1
printf '%s\n' "$program"
