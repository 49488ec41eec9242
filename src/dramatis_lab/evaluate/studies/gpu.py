"""Measure the network of the public weights on a GPU: time against diffusers' stock Wan, memory against the estimate.

    python -m dramatis_lab.evaluate.studies.gpu                      # the 14B networks; one H100, main memory of 80 GB
    python -m dramatis_lab.evaluate.studies.gpu --compiled --attention flash
    python -m dramatis_lab.evaluate.studies.gpu --bits float8        # time in another format; memory in any case of all
    python -m dramatis_lab.evaluate.studies.gpu --tiny               # small networks on the processor, to try it out

The time is that of one evaluation; the memory is the peak of every profile, beside what `dramatis estimate` foretells.
Random numbers stand for the weights, so nothing has to be downloaded. Prints rows for RESULTS.md, with the command and
the machine; those that miss their bar are marked as failing, and then the exit code is 1.
"""

from __future__ import annotations

import platform
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from importlib.util import find_spec
from typing import Annotated, Any, get_args

import torch
import typer
from diffusers import AutoencoderKLWan, WanTransformer3DModel
from diffusers.models.transformers.transformer_wan import WanRotaryPosEmbed
from torch.profiler import ProfilerActivity, profile

from dramatis.backbones.geometry import Geometry
from dramatis.backbones.gpu_budget import memory_needs, placements
from dramatis.backbones.multitalk_profile import MultiTalkProfile
from dramatis.backbones.profile_files import PROFILES, read_profile
from dramatis.models.dit import AudioDiT
from dramatis.models.placement.device import Placement, WeightFormat, place_on_device
from dramatis.models.placement.footprint import RESERVED_BYTES, default_dtype, example_inputs
from dramatis.models.published.official import empty_network
from dramatis.models.published.wan_autoencoder import WanAutoencoder
from dramatis_lab.evaluate.report import BenchmarkRun, Entry, Row, judged_row, markdown

STOCK_OPTIONS = (
    "patch_size", "num_attention_heads", "attention_head_dim", "in_channels", "out_channels", "text_dim", "freq_dim",
    "ffn_dim", "num_layers", "eps", "image_dim", "rope_max_seq_len",
)  # fmt: skip
"""Options that the config of the stock transformer has under the same names as ours."""
TINY_CONFIG = {"num_attention_heads": 4, "attention_head_dim": 32, "ffn_dim": 512, "num_layers": 3, "text_dim": 64}
MEMORY_TOLERANCE = 0.1
"""Share by which the measured peak may differ from the estimate."""


@dataclass(frozen=True)
class Scale:
    """What is measured.

    config: of `AudioDiT`.  clip: (frames, height, width) of the timed evaluation.
    """

    device: torch.device
    dtype: torch.dtype
    config: dict[str, Any]
    clip: tuple[int, int, int]
    profiles: tuple[MultiTalkProfile, ...]


def full_scale(device: torch.device) -> Scale:
    """The 14B networks, and all profiles."""
    return Scale(device, torch.bfloat16, dict(empty_network({}).config), (81, 480, 832), tuple(_profiles()))


def tiny_scale() -> Scale:
    """Small networks for the processor, and one profile with pictures and clips of that size."""
    small = {"low.area": 32 * 32, "geometry": Geometry(clip_steps=24, seam_reach=8, seam_given=4)}
    profiles = (next(_profiles()).changed(small),)
    return Scale(torch.device("cpu"), torch.bfloat16, dict(empty_network(TINY_CONFIG).config), (9, 32, 48), profiles)


def _profiles() -> Iterator[MultiTalkProfile]:
    for path in sorted(PROFILES.glob("*.yaml")):
        profile = read_profile(path)
        assert isinstance(profile, MultiTalkProfile)
        yield profile


def random_network(kind: type[Any], scale: Scale, config: dict[str, Any], device: torch.device, *, filled: bool) -> Any:
    """A network with random weights, made on its device. filled: False leaves whatever is in that memory."""
    with torch.device("meta"), default_dtype(scale.dtype):
        net = kind.from_config(config)
    net.to_empty(device=device)
    net.rope = WanRotaryPosEmbed(net.config.attention_head_dim, net.config.patch_size, net.config.rope_max_seq_len)
    net.rope.to(device)
    for weights in net.parameters() if filled else ():
        weights.data.normal_(0, 0.02)
    return net.eval().requires_grad_(requires_grad=False)


def random_inputs(scale: Scale, clip: tuple[int, int, int]) -> dict[str, Any]:
    """Arguments of `AudioDiT.forward`."""
    with torch.device(scale.device):
        inputs = example_inputs(empty_network(scale.config), *clip, scale.dtype)
    random = {name: value.normal_() for name, value in inputs.items() if value is not None and name != "timestep"}
    return inputs | random


@torch.no_grad()
def median_seconds(call: Callable[[], object], device: torch.device, repeats: int) -> float:
    """Median wall time of repeated calls, after one that is not timed."""
    times = []
    for _ in range(1 + repeats):
        started = time.perf_counter()
        call()
        if device.type == "cuda":
            torch.cuda.synchronize(device)
        times.append(time.perf_counter() - started)
    return statistics.median(times[1:])


def time_ours(scale: Scale, repeats: int, *, compiled: bool, attention: str | None, bits: WeightFormat) -> float:
    """Seconds of an evaluation of our network, sound included."""
    net = random_network(AudioDiT, scale, scale.config, scale.device, filled=True)
    place_on_device(net, Placement(bits), scale.device, scale.dtype, compiled=compiled, attention=attention)
    inputs = random_inputs(scale, scale.clip)
    return median_seconds(lambda: net(**inputs), scale.device, repeats)


def time_stock(scale: Scale, repeats: int, *, compiled: bool, attention: str | None) -> float:
    """Seconds of an evaluation of diffusers' Wan transformer, which takes no sound."""
    width = scale.config["num_attention_heads"] * scale.config["attention_head_dim"]
    config = {name: scale.config[name] for name in STOCK_OPTIONS} | {"added_kv_proj_dim": width}
    net = random_network(WanTransformer3DModel, scale, config, scale.device, filled=True)
    if attention is not None:
        net.set_attention_backend(attention)
    if compiled:
        net.compile_repeated_blocks()
    inputs = random_inputs(scale, scale.clip)
    latents = torch.cat([inputs["latents"], inputs["condition"]], 1)
    others = (inputs["timestep"], inputs["text"], inputs["image"])
    return median_seconds(lambda: net(latents, *others, return_dict=False), scale.device, repeats)


def timing_row(scale: Scale, repeats: int, *, compiled: bool, attention: str | None, bits: WeightFormat) -> Row:
    """Time of an evaluation of ours and of the stock transformer; the two are never in memory together."""
    ours = time_ours(scale, repeats, compiled=compiled, attention=attention, bits=bits)
    stock = time_stock(scale, repeats, compiled=compiled, attention=attention)
    frames, height, width = scale.clip
    settings = ", ".join([bits, *(["blocks compiled"] if compiled else []), *([attention] if attention else [])])
    name = (
        f"seconds an evaluation, {width}x{height}, {frames} frames: ours with sound ({settings}) / diffusers' stock Wan"
    )
    value, figures = f"{ours:.3g} / {stock:.3g} s", {"ours": ours, "stock": stock}
    return judged_row(name, value, "", "as fast", passed=True, aimed=ours <= stock, figures=figures)


def peak_bytes(call: Callable[[], object], resident: int, device: torch.device) -> float:
    """Greatest number of bytes in use during a call, with fragmentation and the context of the GPU.

    resident: bytes of weights, which a profiler on a processor does not see.
    """
    if device.type == "cuda":
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats(device)
        call()
        free, total = torch.cuda.mem_get_info(device)
        return torch.cuda.max_memory_reserved(device) + total - free - torch.cuda.memory_reserved(device)
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as profiler:
        call()
    now = most = 0
    for event in profiler.profiler.kineto_results.events():
        if event.name() == "[memory]":
            now += event.nbytes()
            most = max(most, now)
    return resident + most


@torch.no_grad()
def memory_rows(scale: Scale, fit: Placement) -> list[Row]:
    """Peak of every profile with a network placed like this: one evaluation, one clip encoded and decoded."""
    device, rows = scale.device, []
    # Moved from main memory block by block, as published files are.
    dit = random_network(AudioDiT, scale, scale.config, torch.device("cpu"), filled=False)
    place_on_device(dit, fit, device, scale.dtype)
    autoencoder = WanAutoencoder(AutoencoderKLWan().eval().requires_grad_(requires_grad=False).to(device))
    resident = sum(weights.nbytes for net in (dit, autoencoder) for weights in net.parameters())
    for model in scale.profiles:
        needs = memory_needs(model.changed({"arithmetic.weight_format": fit.weight_format}), scale.config)
        foretold = needs.card[fit] - (RESERVED_BYTES if device.type == "cpu" else 0)
        frames = model.geometry.clip_steps + 1 + model.tail_repeats
        multiple = model.low.size_multiple
        side = round(model.low.area**0.5 / multiple) * multiple * model.scale

        def work(clip: tuple[int, int, int] = (frames, side, side)) -> None:
            dit(**random_inputs(scale, clip))
            video = torch.zeros(1, 3, *clip, device=device)
            autoencoder.decode(autoencoder.encode(video))

        peak = peak_bytes(work, resident, device)
        close = abs(peak / foretold - 1) <= MEMORY_TOLERANCE
        value = f"{peak / 1e9:.2f} GB, foretold {foretold / 1e9:.2f}"
        figures = {"measured": peak, "foretold": foretold}
        rows.append(
            judged_row(
                f"peak memory, {model.name}, weights {fit}",
                value,
                "within 10 %",
                "",
                close,
                aimed=False,
                figures=figures,
            )
        )
    return rows


def main(
    *,
    tiny: Annotated[bool, typer.Option(help="small networks on the processor, to try it out")] = False,
    compiled: Annotated[bool, typer.Option(help="compile the blocks of both networks")] = False,
    attention: Annotated[str | None, typer.Option(help="diffusers' attention backend, for both networks")] = None,
    bits: Annotated[str, typer.Option(help="bf16, int8 or float8: format of our weights when timed")] = "bf16",
    repeats: Annotated[int, typer.Option(min=1)] = 3,
) -> None:
    """Print rows for RESULTS.md."""
    if not tiny and not torch.cuda.is_available():
        print("Torch finds no GPU in this computer; --tiny tries the command without one.", file=sys.stderr)
        raise typer.Exit(2)
    if bits not in get_args(WeightFormat):
        raise typer.BadParameter(f"There is no format {bits!r}; choose from {', '.join(get_args(WeightFormat))}.")
    scale = tiny_scale() if tiny else full_scale(torch.device("cuda"))
    rows = [timing_row(scale, repeats, compiled=compiled, attention=attention, bits=bits)]  # type: ignore[arg-type]
    for fit in placements(None):
        if (fit.weight_format == "bf16" or find_spec("torchao")) and not (fit.streamed and tiny):
            rows += memory_rows(scale, fit)
    machine = torch.cuda.get_device_name() if scale.device.type == "cuda" else platform.processor() or "a processor"
    command = " ".join(["python", "-m", "dramatis_lab.evaluate.studies.gpu", *sys.argv[1:]])
    run = BenchmarkRun(command, str(date.today()), f"{machine}, torch {torch.__version__}", "random")
    print(markdown([Entry("public weights on a card", row, run) for row in rows], [run]))
    print(f"\n1. `{run.command}`, {run.date}, {run.machine}, weights {run.weights}")
    if any(row.passed is False for row in rows):
        raise typer.Exit(1)


if __name__ == "__main__":
    typer.run(main)
