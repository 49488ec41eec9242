"""How a shot will be framed, before anything is filmed: the portrait, moved as the performance moves it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from PIL import Image

from dramatis.backbones.base import Backbone
from dramatis.cascade.pipeline import fit_cast, perform_cast, reference_picture
from dramatis.media.image import to_png
from dramatis.models.pictures import to_pictures, to_tensor
from dramatis.motion.face import project
from dramatis.motion.group import group_positions
from dramatis.sampling.conditioning import warped
from dramatis.senses.hearing.prosody import prosodies
from dramatis.story.observations import Observations
from dramatis.story.storyline import Storyline

SIDE = 192
MOST = 60
"""Shots that are drawn; beyond, a page of an hour would weigh tens of megabytes."""


def thumbnails(backbone: Backbone, storyline: Storyline, heard: Observations) -> list[bytes]:
    """A png for each shot, from its middle: emotion, pose and camera, but no speech; none for very many shots."""
    if len(storyline.shots) > MOST:
        return []
    shrink = SIDE / max(storyline.width, storyline.height)
    width, height = (max(16, round(side * shrink)) for side in (storyline.width, storyline.height))
    picture = reference_picture(Path(storyline.image), width, height)
    rows = np.array([0, *((shot.span.start + shot.span.stop) // 2 for shot in storyline.shots)])
    shown = [performance.take(rows) for performance in perform_cast(storyline, prosodies(storyline, heard))]
    heads = fit_cast(storyline, backbone, picture)
    anchors = np.stack([project(head, acted, (height, width)) for head, acted in zip(heads, shown, strict=True)])
    positions = torch.from_numpy(group_positions(anchors, shown, 0, (height, width))[1:])
    frames = to_pictures(warped(to_tensor(picture[None])[:, :, 0], positions))
    return [to_png(Image.fromarray(frame)) for frame in frames]
