"""The front door: a picture, a voice and some words in, a directed video out.

`AvatarPipeline` plans with `app.planning` and renders through a `Job`, as the command line does.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Literal, TypedDict, Unpack, cast, overload

import torch

from dramatis.app.job import Job
from dramatis.app.planning import Plan, plan_storyline
from dramatis.app.requests import DEFAULT_OUTPUT, PlanOptions, PlanRequest, StrPath, request_from_options
from dramatis.backbones.base import Backbone
from dramatis.backbones.registry import open_backbone
from dramatis.cascade.pipeline import RenderedVideo
from dramatis.errors import UserError
from dramatis.media.image import Pictures
from dramatis.runtime.progress import Reporter
from dramatis.story.observations import AudioObservations
from dramatis.story.storyline import Storyline
from dramatis.story.values import NumberFormat


class RenderOptions(TypedDict, total=False):
    """How a job is rendered, see `Job.render`; the result does not depend on it."""

    reporter: Reporter | None
    workers: int | None
    executor: str


class CallOptions(PlanOptions, RenderOptions, total=False):
    """What `AvatarPipeline.__call__` takes besides picture, sound and words.

    generator: a `torch.Generator` whose initial seed is used in place of `seed`. on_storyline: may look at the
    storyline, or change it, before filming.
    """

    generator: torch.Generator | None
    on_storyline: Callable[[Storyline], Storyline] | None


class AvatarPipeline:
    """Portrait + voice + words -> video.

    >>> pipe = AvatarPipeline.from_pretrained("mini")
    >>> video = pipe(image="her.png", audio="speech.wav", prompt="warm, slow push-in", output="out.mp4")
    """

    def __init__(self, backbone: Backbone, name: str, number_format: NumberFormat = NumberFormat.AUTO) -> None:
        self.backbone = backbone
        self.name = name
        self.number_format = number_format

    @classmethod
    def from_pretrained(cls, model: str | os.PathLike[str] = "mini", dtype: str = "auto") -> AvatarPipeline:
        """A shipped model by name, or a local folder of weights. Files are checked; networks load when first used.

        dtype: what the large networks compute in, "float32" or "bfloat16"; "auto" for what this machine is fast at.
        Raises UserError for an unknown model or number format, and for damaged weights.
        """
        if dtype not in list(NumberFormat):
            raise UserError(f"The number format {dtype!r} is unknown; choose one of {', '.join(NumberFormat)}.")
        number_format = NumberFormat(dtype)
        return cls(open_backbone(model, number_format), str(model), number_format)

    def plan(
        self,
        image: StrPath | PlanRequest,
        audio: StrPath | None = None,
        prompt: str = "",
        **options: Unpack[PlanOptions],
    ) -> Plan:
        """Observe the inputs and write a storyline. Raises UserError for inputs that cannot be used.

        image: the picture, or a whole request in place of all arguments. options: the other fields of a `PlanRequest`.
        """
        return plan_storyline(_request(image, audio, prompt, options), self.backbone)

    def render(
        self,
        storyline: Storyline,
        output: Path = DEFAULT_OUTPUT,
        folder: Path | None = None,
        observations: AudioObservations | None = None,
        **options: Unpack[RenderOptions],
    ) -> RenderedVideo:
        """Film a storyline into `output`, through a `Job` that `dramatis resume` can go on with.

        The storyline and a contact sheet are written beside the video; artifacts go to `folder` (default: beside the
        video, too) and are used again. observations: what was heard when the storyline was planned. Raises UserError
        for inputs that cannot be used, an output that cannot be written, and a full disk.
        """
        job = Job.create(output, self.name, self.number_format, folder=folder, backbone=self.backbone)
        return job.render(storyline, observations, **options)

    @overload
    def __call__(
        self,
        image: StrPath | PlanRequest,
        audio: StrPath | None = None,
        prompt: str = "",
        *,
        output_type: Literal["path"] = "path",
        **options: Unpack[CallOptions],
    ) -> RenderedVideo: ...

    @overload
    def __call__(
        self,
        image: StrPath | PlanRequest,
        audio: StrPath | None = None,
        prompt: str = "",
        *,
        output_type: Literal["frames"],
        **options: Unpack[CallOptions],
    ) -> Iterator[Pictures]: ...

    def __call__(
        self,
        image: StrPath | PlanRequest,
        audio: StrPath | None = None,
        prompt: str = "",
        *,
        output_type: Literal["path", "frames"] = "path",
        **options: Unpack[CallOptions],
    ) -> RenderedVideo | Iterator[Pictures]:
        """Plan and film.

        Args:
            image: the picture, or a whole `PlanRequest` in place of all arguments that have to do with planning.
            audio: the voice; may be left out where characters have tracks.
            prompt: words of direction.
            output_type: "path" returns a `RenderedVideo`, "frames" an iterator of its (H, W, 3) uint8 frames.
            options: the other fields of a `PlanRequest`, such as `output`, the mp4 to write, and `seed`; how to render,
                see `RenderOptions`; and `generator` and `on_storyline`, see `CallOptions`.

        Raises UserError for inputs that cannot be used.
        """
        if unknown := options.keys() - CallOptions.__annotations__.keys():
            raise TypeError(f"unknown arguments: {', '.join(sorted(unknown))}")
        planning = cast(PlanOptions, _those_of(PlanOptions, options))
        rendering = cast(RenderOptions, _those_of(RenderOptions, options))
        if (generator := options.get("generator")) is not None:
            planning["seed"] = int(generator.initial_seed())
        request = _request(image, audio, prompt, planning)
        job = Job.create(request.output, self.name, self.number_format, backbone=self.backbone)
        plan = job.plan(request)
        on_storyline = options.get("on_storyline")
        storyline = plan.storyline if on_storyline is None else on_storyline(plan.storyline)
        video = job.render(storyline, plan.observations, **rendering)
        return video.frames() if output_type == "frames" else video


def _those_of(kind: type, options: Mapping[str, object]) -> dict[str, object]:
    """The options that a TypedDict knows."""
    return {name: value for name, value in options.items() if name in kind.__annotations__}


def _request(image: StrPath | PlanRequest, audio: StrPath | None, prompt: str, options: PlanOptions) -> PlanRequest:
    if not isinstance(image, PlanRequest):
        return request_from_options(image, audio, prompt, options)
    if audio is not None or prompt or options:
        raise TypeError("a PlanRequest replaces all other arguments for planning")
    return image
