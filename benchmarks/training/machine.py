"""What this machine has, and the surroundings in which each program is started."""

import glob
import importlib.util
import os
import pathlib
import platform
import shutil
import subprocess

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]


def cores():
    """Those that this process may use."""
    return sorted(os.sched_getaffinity(0))


def gpus():
    """By nvidia-smi, so that asking does not occupy one."""
    if shutil.which("nvidia-smi") is None:
        return []
    asked = subprocess.run(["nvidia-smi", "--query-gpu=name", "--format=csv,noheader"], capture_output=True,
                           text=True, check=False)
    return asked.stdout.splitlines() if asked.returncode == 0 else []


def cpu_name():
    for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.split(": ")[1]
    return platform.processor()


def has_bf16(device):
    """Whether products of bf16 matrices are no slower here than in fp32. x86 processors without AVX-512 take over ten
    times as long."""
    return device == "cuda" or platform.machine() != "x86_64" or "avx512f" in pathlib.Path("/proc/cpuinfo").read_text()


def describe(device):
    words = [f"{len(cores())} cores of {cpu_name()}"]
    if not has_bf16(device):
        words.append("without instructions for bf16, so all is in fp32")
    if device == "cuda":
        names = gpus()
        words.append(f"{len(names)} GPU{'s' if len(names) > 1 else ''} ({', '.join(sorted(set(names)))})")
    return ", ".join(words)


def load():
    """Processes that want a core, on average of the last minute."""
    return os.getloadavg()[0]


# glibc's malloc told to keep what was freed, as Effuse tells it, rather than give it back and take new pages in every
# step.
KEEPING = "malloc keeping memory"
KEEP = {"MALLOC_MMAP_THRESHOLD_": str(1 << 25), "MALLOC_TRIM_THRESHOLD_": str(1 << 34)}


def allocators():
    """glibc's that keeps memory, and the libraries that PyTorch's tuning guide advises to preload, where they are
    installed."""
    found = [KEEPING]
    for name in ("libjemalloc.so.2", "libtcmalloc_minimal.so.4", "libtcmalloc.so.4"):
        found += glob.glob(f"/usr/lib/*/{name}")[:1]
    return found


def environment(threads, allocator="", **more):
    """That of a program, with nothing of a launcher that may have started this one."""
    kept = {name: value for name, value in os.environ.items()
            if not name.startswith(("OMPI_", "PMIX_", "PMI_", "SLURM_", "OMP_NUM", "OMP_PROC", "OMP_PLACES", "GOMP_"))}
    preload = KEEP if allocator == KEEPING else {"LD_PRELOAD": allocator} if allocator else {}
    return {**kept, "OMP_NUM_THREADS": str(threads), "OMPI_ALLOW_RUN_AS_ROOT": "1",
            "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1", "PYTHONDONTWRITEBYTECODE": "1", **preload, **more}


def cores_of_rank(rank, threads):
    """A share of the cores for each rank, or all where there are not enough."""
    own = cores()[rank * threads:(rank + 1) * threads]
    return own if len(own) == threads else cores()


def missing_modules(*names):
    """Which of them this Python has not."""
    return [name for name in names if importlib.util.find_spec(name) is None]
