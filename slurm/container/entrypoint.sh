#!/bin/bash
# Runs a command with Effuse's programs on the path, and the libraries they need.
PATH=/opt/effuse-source/.deps/python/bin:$PATH
# shellcheck source=/dev/null  # made by scripts/bundle
source /opt/effuse/environment.sh
exec "$@"
