"""Whether two programs train the same: the losses of their first steps, from equal weights, images, time steps and
noise."""

# Largest relative difference of a step's loss. Products in bf16 keep eight bits, and the steps add up.
TOLERANCE = {"fp32": 1e-3, "bf16": 1e-2}


def difference(reference, losses):
    """The largest over the steps that both have, relative to the reference."""
    return max(abs(a - b) / abs(a) for a, b in zip(reference, losses))


def tolerance(*variants):
    fp32 = all("fp32" in (getattr(v, "compute", ""), getattr(v, "precision", "")) for v in variants)
    return TOLERANCE["fp32" if fp32 else "bf16"]
