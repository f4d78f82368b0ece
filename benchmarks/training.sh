#!/usr/bin/env bash
# Training by Effuse beside training by PyTorch on this machine's cores, with an account of where the time goes:
#
#   benchmarks/training.sh [--tune] [arguments of training/compare.py]
#
# Some twenty minutes on two cores; they should have nothing else to do. With --tune, as the first time on a machine,
# it first tries what makes each program fastest, compilers included, and remembers it: most of an hour more. The report
# goes to build/benchmarks/training/report.md. Needs the programs of build/release and scripts/setup --references.
set -euo pipefail
case "${1:-}" in -h|--help) sed -n '2,8s/^# \{0,1\}//p' "$0"; exit 0 ;; esac
cd "$(dirname "${BASH_SOURCE[0]}")/.."
mkdir -p build/benchmarks/training
exec .deps/python/bin/python benchmarks/training/compare.py fashion cifar --account \
  --report build/benchmarks/training/report.md "$@"
