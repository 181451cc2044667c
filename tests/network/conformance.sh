#!/bin/sh
# Builds atproto-devtool, a conformance suite for labelers that nobody here wrote, unless it is there, and prints where it is.
# It takes minutes, and cargo (Rust). Exit code 3: there is no cargo.
set -eu
version=0.1.1
dir=${PLAINSKY_DEVTOOL_DIR:-${XDG_CACHE_HOME:-$HOME/.cache}/plainsky/atproto-devtool}
program=$dir/bin/atproto-devtool

if ! [ -x "$program" ] || [ "$("$program" --version)" != "atproto-devtool $version" ]; then
    if ! command -v cargo >/dev/null; then
        echo "The conformance suite for labelers cannot be built: there is no cargo. Install Rust (https://rustup.rs), or build" \
            "atproto-devtool $version elsewhere and put it at $program." >&2
        exit 3
    fi
    cargo install atproto-devtool --version "$version" --locked --root "$dir" --target-dir "$dir/build" >&2
    rm -rf "$dir/build"
fi
echo "$program"
