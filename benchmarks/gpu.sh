#!/usr/bin/env bash
# All checks of the GPU code in one command, on a machine with a GPU:
#
#   benchmarks/gpu.sh --data FOLDER [--bin FOLDER] [--device cuda|cpu] [--steps N] [--rate-steps N]
#                     [--rate-batch-size N] [-- COMPARE...]
#
#   1  the communicator's test suite over NCCL, on one rank
#   2  training on the GPU and on the CPU, fp32, from the same seed: their losses have to agree
#   3  training on the GPU in bf16: images per second
#   4  a stop by SIGUSR1, and the continuation
#   5  images by the trained weights on both, by every sampler: their pixels have to agree
#   6  the other networks with the other optimisers and predictions: losses of both have to agree
#   7  training beside PyTorch, eager, compiled and under DDP with NCCL, at as many GPUs as there are: rates, kernels
#      of a step; the first losses of all have to be those of the CPU. Tuning takes most of its time: half an hour
#   8  statistics of features on both, which have to agree; generation beside diffusers, features beside pytorch-fid
#
# FOLDER is a packed data set; scripts/demo --quick leaves one in demo/quick/packed. The programs are those of
# build/release, or of a bundle (scripts/bundle) whose environment.sh was sourced; python3 needs numpy and pillow,
# and for 7 and 8 also diffusers, and pytorch-fid. COMPARE: arguments of benchmarks/training/compare.py in place of those of 7 below.
# With --device cpu the checks themselves can be tried without a GPU (1 is left out).
set -euo pipefail
repository=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

bin=$repository/build/release/bin data="" device=cuda steps=40 rate_steps=400 rate_batch_size=128
beside=(fashion cifar --batch-size 256 --steps 30 --warm-up 20 --tune --account)
while [ $# -gt 0 ]; do
  case "$1" in
    --data) data=${2:?--data wants a folder}; shift ;;
    --bin) bin=${2:?--bin wants a folder}; shift ;;
    --device) device=${2:?--device wants cuda or cpu}; shift ;;
    --steps) steps=${2:?--steps wants a number}; shift ;;
    --rate-steps) rate_steps=${2:?--rate-steps wants a number}; shift ;;
    --rate-batch-size) rate_batch_size=${2:?--rate-batch-size wants a number}; shift ;;
    --) shift; beside=("$@"); break ;;
    -h|--help) sed -n '2,20s/^# \{0,1\}//p' "$0"; exit 0 ;;
    *) echo "gpu.sh: unknown argument $1 (see benchmarks/gpu.sh --help)" >&2; exit 2 ;;
  esac
  shift
done
if [ ! -e "$data/dataset.json" ]; then
  echo "gpu.sh: --data '$data' is no packed data set; scripts/demo --quick makes demo/quick/packed" >&2
  exit 2
fi
python=$repository/.deps/python/bin/python
[ -x "$python" ] || python=python3
compare() { "$python" "$repository/benchmarks/compare_devices.py" "$@"; }

place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
train() {  # NAME DEVICE COMPUTE [ARGUMENTS...]
  local name=$1 on=$2 compute=$3
  shift 3
  "$bin/effuse-train" --config "$repository/configs/train/fashion-mnist.toml" --data "$data" --runs "$place" \
    --name "$name" --device "$on" --set precision.compute="$compute" --set run.log_every_steps=1 \
    --set preview.every_steps=0 --set metrics.exporter=false "$@" 2>"$place/$name.log" ||
    { local code=$?; [ "$code" = 75 ] || cat "$place/$name.log" >&2; return "$code"; }
}

if [ "$device" = cuda ]; then
  echo "1  communicator over NCCL"
  EFFUSE_TEST_BACKEND=nccl "$bin/test_comm_communicator_test" --gtest_brief=1
fi

echo "2  losses of $device and cpu, fp32, $steps steps"
train cpu cpu fp32 --steps "$steps"
train device "$device" fp32 --steps "$steps"
compare losses "$place/cpu" "$place/device"

echo "3  $device in bf16, $rate_steps steps of $rate_batch_size images"
train rate "$device" bf16 --steps "$rate_steps" --batch-size "$rate_batch_size"
compare rate "$place/rate"

echo "4  stopped and continued on $device"
train stopped "$device" fp32 --steps "$steps" &
job=$!
until [ -e "$place/stopped/outcome.json" ] || ! kill -0 "$job" 2>/dev/null; do sleep 0.05; done
pkill -USR1 -P "$job" -x effuse-train || true
code=0
wait "$job" || code=$?
if [ "$code" != 75 ]; then
  echo "   it ended with exit code $code before it was stopped; give more --steps  FAILED"
  exit 1
fi
train stopped "$device" fp32 --steps "$steps"
echo "   exit code $code, then continued to the end"
compare losses "$place/device" "$place/stopped"

echo "5  images of $device and cpu"
for sampler in ddim ddpm plms dpmpp_2m; do
  for on in cpu "$device"; do
    "$bin/effuse-sample" --weights "$place/device" --output "$place/$sampler-$on" --number 20 --steps 10 \
      --sampler "$sampler" --device "$on" 2>/dev/null
  done
  compare images "$place/$sampler-cpu" "$place/$sampler-$device"
done

echo "6  networks and optimisers on $device and cpu, fp32"
other() {  # NAME [SETTINGS...]
  local name=$1 on
  shift
  for on in cpu "$device"; do
    train "$name-$on-6" "$on" fp32 --steps "$((steps < 10 ? steps : 10))" --set optimizer.lr=1e-4 "$@"
  done
  compare losses "$place/$name-cpu-6" "$place/$name-$device-6"
}
other unet --set model.name=unet --set 'model.channels=[16,32,64,64]' --set optimizer.name=adam
other cspdarkunet --set model.name=cspdarkunet --set 'model.channels=[8,16,32,64,128]' \
  --set optimizer.name=sgd --set diffusion.loss=huber
other unet2d --set diffusion.prediction=v_prediction --set diffusion.zero_terminal_snr=true \
  --set diffusion.min_snr_gamma=5

echo "7  training beside PyTorch on $device"
if "$python" -c 'import tomllib, numpy, PIL' 2>/dev/null; then
  "$python" "$repository/benchmarks/training/compare.py" "${beside[@]}" --device "$device" --bin "$bin" \
    --work "$place/training"
else
  echo "   left out: $python is no Python 3.11 with numpy and pillow"
fi

echo "8  features on $device and the CPU, and evaluation beside others"
for on in cpu device; do
  where=cpu
  if [ "$on" = device ]; then where=$device; fi
  "$bin/effuse-evaluate" --images "$data" --network "$repository/tests/golden/feature_network.pt" --device "$where" \
    --save-statistics "$place/statistics-$on.npz" 2>"$place/evaluate.log" || { cat "$place/evaluate.log" >&2; exit 1; }
done
compare statistics "$place/statistics-cpu.npz" "$place/statistics-device.npz"
beside_others() {  # MODULE SCRIPT [ARGUMENTS...]
  local module=$1
  shift
  if "$python" -c "import $module" 2>/dev/null; then
    "$python" "$repository/benchmarks/$1" --device "$device" --bin "$bin" "${@:2}"
  else
    echo "   left out: $python has no $module"
  fi
}
if [ "$device" != cpu ]; then
  beside_others diffusers sampling/compare.py --tile 512
  beside_others pytorch_fid features/compare.py --images 5000 --tile 256
fi
echo "all checks passed"
