"""The core set: the features whose course over a session is followed, and from which a bond is predicted by default.

Studies have 50 to 500 sessions. Hundreds of features in so few describe the sample; a short list that was declared
beforehand can be tested. It holds what studies of the alliance look at most: looks, smiles, liveliness, nods, pitch,
pace, and who speaks, answers, listens, is silent or talks over the other.
"""

from __future__ import annotations

CORE = (
    "gaze.on_screen_share",
    "gaze.mutual_share",
    "face.smile_share",
    "face.shared_smile_share",
    "face.expressivity_per_s",
    "head.movement_deg_per_s",
    "head.nod_rate_per_min",
    "voice.f0_sd_st",
    "voice.speech_rate_per_s",
    "turns.talk_share",
    "turns.latency_median_s",
    "turns.backchannel_rate_per_min",
    "turns.silence_share",
    "turns.overlap_share",
)


def is_core(full_name: str) -> bool:
    """Whether a column (``client.gaze.on_screen_share``) is one of the core set."""
    return full_name.partition(".")[2] in CORE
