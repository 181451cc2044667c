#!/bin/sh
# Installs all that the end-to-end tests need: what is only compiled beside what is downloaded. Only without the network can none of them run.
here=$(cd "$(dirname "$0")" && pwd)
{ "$here/conformance.sh" >/dev/null || echo "make e2e: no conformance suite: its tests cannot run" >&2; } &
{ "$here/jetstream.sh" >/dev/null || echo "make e2e: no Jetstream: its tests cannot run" >&2; } &
"$here/install.sh" || exit
"$here/../browser/install.sh" || echo "make e2e: no browser: its tests cannot run" >&2
wait
