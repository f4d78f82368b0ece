"""Whether two programs train the same: the losses of their first steps, from equal weights, images, time steps and
noise."""

# Largest relative difference of a step's loss. Products in bf16 keep eight bits, and the steps add up.
TOLERANCE = {"fp32": 1e-3, "bf16": 1e-2}


def difference(ours, theirs):
    """The largest over the steps that both have."""
    return max(abs(a - b) / abs(b) for a, b in zip(ours, theirs))


def tolerance(*variants):
    fp32 = all("fp32" in (getattr(v, "compute", ""), getattr(v, "precision", "")) for v in variants)
    return TOLERANCE["fp32" if fp32 else "bf16"]
