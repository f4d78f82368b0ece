"""What the comparisons of sampling/ and features/ have in common: their options, and programs that take turns."""

import argparse
import json
import pathlib
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parent / "training"))

import machine  # noqa: E402


def parser(description):
    """With the options of every comparison but those that say what is compared."""
    found = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    found.add_argument("--side", type=int, default=32, help="of the images, in pixels")
    found.add_argument("--rounds", type=int, default=5)
    found.add_argument("--threads", type=int, default=len(machine.cores()))
    found.add_argument("--device", choices=["cpu", "cuda"], default="cpu")
    found.add_argument("--quick", action="store_true")
    found.add_argument("--bin", type=pathlib.Path, default=machine.REPOSITORY / "build/release/bin")
    return found


class Program:
    """A process that answers each line with a line of JSON, and waits while the other has its turn."""

    def __init__(self, command, threads):
        self.process = subprocess.Popen(list(map(str, command)), stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        text=True, env=machine.environment(threads, OMP_WAIT_POLICY="passive"))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.wait()

    def ask(self, line):
        self.process.stdin.write(f"{line}\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        if not answer:
            sys.exit(f"{self.process.args[0]} failed")
        return json.loads(answer)


def require_modules(*names):
    missing = machine.missing_modules(*names)
    if missing:
        sys.exit(f"{sys.executable} has no {', '.join(missing)}. scripts/setup --references installs them.")
