#!/bin/sh
# Builds the workspace rust/ once and prints the folder of its binaries: kez-rs, kez-lines.
# KEZ_RUST_BIN names a folder of binaries that somebody built already. The build lies outside the tree, so that every clone
# of this machine shares what cargo can share. Exits with 3 without cargo, with 4 in a tree without rust/.
# --check: format, lint, and everything that is built for --test, which runs the tests of the workspace instead.

case $0 in */*) root=${0%/*}/.. ;; *) root=.. ;; esac

if [ $# -eq 0 ] && [ -n "$KEZ_RUST_BIN" ]; then
  if ! [ -x "$KEZ_RUST_BIN/kez-rs" ] || ! [ -x "$KEZ_RUST_BIN/kez-lines" ]; then
    echo "kez: Cannot use KEZ_RUST_BIN: expected kez-rs and kez-lines in $KEZ_RUST_BIN" >&2
    exit 2
  fi
  printf '%s\n' "$KEZ_RUST_BIN"
  exit
fi

if ! [ -f "$root/rust/Cargo.toml" ]; then
  echo "kez: Cannot build the second implementation: there is no rust/Cargo.toml in this tree" >&2
  exit 4
fi

# rustup puts it where only a login shell looks.
if ! command -v cargo >/dev/null 2>&1 && [ -x "$HOME/.cargo/bin/cargo" ]; then
  PATH=$PATH:$HOME/.cargo/bin
  export PATH
fi
if ! command -v cargo >/dev/null 2>&1; then
  echo "kez: Cannot build the second implementation: cargo is missing. https://rustup.rs installs it; KEZ_RUST_BIN names a folder of built binaries" >&2
  exit 3
fi

: "${CARGO_TARGET_DIR:=${XDG_CACHE_HOME:-$HOME/.cache}/kez/rust-target}"
export CARGO_TARGET_DIR
manifest=$root/rust/Cargo.toml

case $1 in
  --test) exec cargo test --quiet --locked --release --no-fail-fast --manifest-path "$manifest" -- --format pretty ;;
  --check)
    cargo fmt --check --all --manifest-path "$manifest" >&2 || exit 1
    # Checked as it is built for the tests, so that no dependency is compiled twice for nothing.
    cargo clippy --quiet --locked --release --all-targets --manifest-path "$manifest" -- -D warnings >&2 || exit 1
    cargo test --quiet --locked --release --no-run --manifest-path "$manifest" >&2 || exit 1
    ;;
esac

cargo build --quiet --locked --release --manifest-path "$manifest" >&2 || exit 1
printf '%s\n' "$CARGO_TARGET_DIR/release"
