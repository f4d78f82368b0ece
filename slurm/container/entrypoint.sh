#!/bin/bash
# Runs a command with Effuse's programs on the path, and the libraries they need.
# shellcheck source=/dev/null  # made by scripts/bundle
PYTHONPATH=/opt/effuse/python source /opt/effuse/environment.sh
exec "$@"
