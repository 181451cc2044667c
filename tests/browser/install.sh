#!/usr/bin/env bash
# Installs what the tests of pages in a browser need: Chromium from Debian, axe-core from npm, into a cache folder outside the checkout.
# Quick where it is already there.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
dir=${PLAINSKY_BROWSER_DIR:-${XDG_CACHE_HOME:-$HOME/.cache}/plainsky/browser}
mkdir -p "$dir"
exec 9>"$dir/lock"
flock 9

command -v chromium >/dev/null || "$here/../../scripts/install-debian" chromium
cmp -s "$here/package-lock.json" "$dir/installed" && exit 0
command -v npm >/dev/null || "$here/../../scripts/install-debian" nodejs npm
cp "$here/package.json" "$here/package-lock.json" "$dir/"
(cd "$dir" && npm ci --no-audit --no-fund --loglevel=error >&2)
cp "$here/package-lock.json" "$dir/installed"
