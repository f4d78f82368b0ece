"""All C++ is formatted: scripts/format --check."""

import os
import subprocess


def test_sources_are_formatted():
    script = os.path.join(os.environ["EFFUSE_SOURCE"], "scripts", "format")
    done = subprocess.run([script, "--check"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-4000:] + "\nRun scripts/format."
