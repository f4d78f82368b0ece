"""What kind of work an operation of libtorch is, by its name and by the scope around it."""

UPDATE = "clipping, optimiser, average"
OUTSIDE = "outside of operations"

# In this order; the first word found decides.
BY_SCOPE = {
    "::update": UPDATE, "optimizer": UPDATE,
    "::draws": "noise and time steps",
    "accumulategrad": "gradients into buffers",
}
BY_NAME = {
    "allreduce": "communication", "all_reduce": "communication", "gloo": "communication", "nccl": "communication",
    "conv": "convolutions",
    "attention": "attention", "softmax": "attention", "bmm": "attention",
    "norm": "normalisation",
    "silu": "activation", "gelu": "activation", "mish": "activation", "relu": "activation",
    "sigmoid": "activation",
    "mm": "linear layers", "linear": "linear layers",
    "copy": "casts and copies", "aten::to": "casts and copies", "clone": "casts and copies",
    "contiguous": "casts and copies", "aten::cat": "casts and copies",
}
REST = "other operations"
ORDER = list(dict.fromkeys([*BY_NAME.values(), *BY_SCOPE.values(), REST, OUTSIDE]))


def category(op, scope):
    words = f"{op} {scope}".lower()
    for word, kind in BY_SCOPE.items():
        if word in words:
            return kind
    for word, kind in BY_NAME.items():
        if word in op.lower():
            return kind
    return REST


def by_category(rows):
    """Seconds a step of each category, of the host's rows of a profile."""
    seconds = {}
    for row in rows:
        if "op" in row:
            kind = category(row["op"], row["scope"])
            seconds[kind] = seconds.get(kind, 0.0) + row["self_s"]
    return seconds
