"""Head, eyes, brows, emotion and camera of every frame, and where they place the face in the picture."""

from dramatis.motion.face import HeadFit, fit_head, project
from dramatis.motion.maps import coordinate_maps
from dramatis.motion.performance import CONTROL_DIM, Performance, perform
from dramatis.motion.prosody import Prosody, ProsodyMeter, prosody_from_energy

__all__ = [
    "CONTROL_DIM",
    "HeadFit",
    "Performance",
    "Prosody",
    "ProsodyMeter",
    "coordinate_maps",
    "fit_head",
    "perform",
    "project",
    "prosody_from_energy",
]
