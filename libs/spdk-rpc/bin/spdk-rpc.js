#!/usr/bin/env sh
":" //; node="$(dirname "$(readlink -f "$0")")/../../../node_modules/.bin/node"; [ -x "$node" ] || node=node; exec "$node" "$0" "$@"
// Both a shell script and a module: in the workspace, Linux runs it with the Node.js that npm installed there, however
// old the machine's own is; elsewhere with the one in PATH.
import "../dist/cli.js";
