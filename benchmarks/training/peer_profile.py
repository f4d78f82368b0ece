"""Where a step of peer.py goes, in the form of step_profile's lines: self time by operation, scope and kernel."""

import collections
import time

import torch
from torch.autograd import DeviceType
from torch.profiler import ProfilerActivity
from torch.utils.flop_counter import FlopCounterMode


def scope_of(event):
    """The innermost backward node or scope of our own around the event."""
    while event is not None:
        if event.scope in (1, 7):  # at::RecordScope: BACKWARD_FUNCTION, USER_SCOPE
            return event.name
        event = event.cpu_parent
    return ""


def profile(step, count, device):
    activities = [ProfilerActivity.CPU] + ([ProfilerActivity.CUDA] if device.type == "cuda" else [])
    with torch.profiler.profile(activities=activities, acc_events=True) as record:
        began = time.perf_counter()
        for _ in range(count):
            step()
        if device.type == "cuda":
            torch.cuda.synchronize()
        wall_s = (time.perf_counter() - began) / count
    operations = collections.defaultdict(lambda: [0, 0.0])
    kernels = collections.defaultdict(lambda: [0, 0.0])
    for event in record.events():
        on_host = event.device_type == DeviceType.CPU
        cost = operations[event.name, scope_of(event)] if on_host else kernels[event.name]
        cost[0] += 1
        cost[1] += 1e-6 * (event.self_cpu_time_total if on_host else event.self_device_time_total)
    rows = ([{"op": op, "scope": scope, "calls": n / count, "self_s": s / count}
             for (op, scope), (n, s) in operations.items()]
            + [{"kernel": name, "calls": n / count, "self_s": s / count} for name, (n, s) in kernels.items()])
    return {"wall_s": wall_s, "rows": rows}


def count_flops(step):
    with FlopCounterMode(display=False) as counter:
        step()
    return counter.get_total_flops()
