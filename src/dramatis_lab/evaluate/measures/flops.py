"""How many floating-point operations a piece of work takes, whatever machine does it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch.utils.flop_counter import FlopCounterMode, sdpa_flop_count


def _attention(query: Any, key: Any, value: Any, *_: Any, **__: Any) -> int:
    return int(sdpa_flop_count(query, key, value))


# The CPU's own attention kernel is missing from torch's list; without it attention would count as free.
_ATTENTION = {torch.ops.aten._scaled_dot_product_flash_attention_for_cpu: _attention}  # noqa: SLF001 - no other name


def count_flops(work: Callable[[], Any]) -> float:
    """Operations of matrix products, convolutions and attention while `work` runs in this thread.

    A multiplication and its addition count as two.
    """
    with FlopCounterMode(display=False, custom_mapping=_ATTENTION) as counter:
        work()
    return float(counter.get_total_flops())
