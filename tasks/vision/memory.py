"""How much memory is free, and what an exhausted one looks like."""

import psutil
import torch

# A CPU says it with a plain RuntimeError, and some CUDA libraries do too.
PHRASES = ("out of memory", "can't allocate memory", "cublas_status_alloc_failed")


def free_gib(device: torch.device) -> float:
    """GiB that may still be taken on this device."""
    if device.type == "cuda":
        free, _ = torch.cuda.mem_get_info(device)
        return free / 2**30
    return float(psutil.virtual_memory().available) / 2**30


def is_exhaustion(error: RuntimeError) -> bool:
    """Whether an error means that there was not enough memory, and not that something is wrong."""
    return isinstance(error, torch.OutOfMemoryError) or any(phrase in str(error).lower() for phrase in PHRASES)


def release(device: torch.device) -> None:
    """Give cached blocks back, so that a smaller attempt finds whole ones."""
    if device.type == "cuda":
        torch.cuda.empty_cache()
