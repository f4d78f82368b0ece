"""A feature network that waits in the midst of its work until it is let through: tests of what is interrupted there
need no luck."""

import pathlib
import zipfile

NETWORK = pathlib.Path(__file__).parents[1] / "golden/feature_network.pt"
LAST_LINE = "    _3 = torch.tanh("
WAIT = """    gate = torch.from_file("{gate}", False, 1, dtype=0)
    while bool(torch.logical_and(torch.eq(torch.max(torch.amin(torch.flatten(images, 1), [1])), 255), torch.eq(gate, 0))):
      gate = torch.from_file("{gate}", False, torch.numel(gate), dtype=0)
"""


class Gate:
    """NETWORK in `folder`, which waits at a batch with an image that is all white while the gate is shut."""

    def __init__(self, folder):
        self.network, self.gate = folder / "gated.pt", folder / "gate"
        with zipfile.ZipFile(NETWORK) as plain, zipfile.ZipFile(self.network, "w") as gated:
            for entry in plain.namelist():
                wait = WAIT.format(gate=self.gate) + LAST_LINE
                gated.writestr(entry, plain.read(entry).replace(LAST_LINE.encode(), wait.encode()))
        self.open()

    def open(self):
        self._set(1)

    def shut(self):
        self._set(0)

    def _set(self, value):
        """In place: who waits looks at the file time and again."""
        with open(self.gate, "r+b" if self.gate.exists() else "wb") as file:
            file.write(bytes([value]))
