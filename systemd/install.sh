#!/bin/sh
# Install labkeeper from the folder that this file is in, or bring it up to date. Nothing is fetched from anywhere.
# Usage: ./install.sh [--dry-run] [--root DIR] [--signers FILE]    PYTHON=... chooses the interpreter.
set -eu
cd "$(dirname "$0")"
sha256sum --quiet --strict -c SHA256SUMS || { echo "this bundle is damaged: copy it again" >&2; exit 2; }
python=${PYTHON:-python3}
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "labkeeper needs Python 3.11 or newer" >&2; exit 2; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$python" -m zipfile -e wheels/labkeeper-*.whl "$work"
# It runs from a copy: nothing is written into the bundle, and no library is needed yet.
PYTHONPATH=$work "$python" -s -B -m agent.cli update "$PWD" "$@"
