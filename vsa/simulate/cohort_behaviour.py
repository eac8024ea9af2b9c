"""How people of a simulated cohort differ in what they do, and what of it goes with the bond.

Each behaviour of a person has a usual value, and a standard normal score that says how far a session is from it: most
of its variance stays with the person (habits), the rest is of the session, and `EFFECTS` moves it with the bond.

Which behaviours carry an effect is made up, as for `vsa.simulate.cohort.EFFECTS`, and sizes are those that studies
find: a model that finds them again shows that it can find effects of this size, not that people have them.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

ROLES = ("client", "therapist")
PAIR = "pair"


@dataclass(frozen=True)
class Behaviour:
    """How much of it people show.

    Attributes
    ----------
    usual
        Median over sessions.
    spread
        Standard deviation of the logarithm; of the log odds of a share.
    share
        Whether it lies between 0 and 1.
    """

    usual: float
    spread: float
    share: bool = False

    def at(self, z: float) -> float:
        """Its value at a standard normal score."""
        if self.share:
            return 1 / (1 + (1 / self.usual - 1) * math.exp(-self.spread * z))
        return self.usual * math.exp(self.spread * z)


#: What differs between people and sessions.
BEHAVIOURS: Mapping[str, Behaviour] = MappingProxyType(
    {
        "smiling": Behaviour(2.0, 0.6),  # smiles that answer nobody, 1/min
        "answering": Behaviour(0.35, 0.9, share=True),  # of the other's smiles
        "nodding": Behaviour(5.0, 0.6),  # nods while the other speaks, 1/min of that
        "looking": Behaviour(0.78, 0.6, share=True),  # of the time, toward the screen
        "pausing": Behaviour(1.0, 0.35),  # silence before own turns, in usual silences
        "moving": Behaviour(1.0, 0.5),  # the head, in usual movements
        "blinking": Behaviour(16.0, 0.4),  # 1/min
    }
)
#: What is one value for both.
PAIR_BEHAVIOURS: Mapping[str, Behaviour] = MappingProxyType(
    {"coupling": Behaviour(0.3, 1.0, share=True)}  # of how lively the head is, what both have in common
)

#: How many standard deviations a behaviour moves with one of the bond. A feature that shows it also counts chance
#: (how many smiles fall into three minutes), so these are larger than the correlations in `SHOWN_BY`.
EFFECTS: Mapping[str, float] = MappingProxyType(
    {
        "therapist.smiling": 0.22,
        "therapist.answering": 0.22,
        "client.answering": 0.22,
        "therapist.nodding": 0.25,
        "therapist.pausing": -0.22,
        "client.looking": 0.15,
        "pair.coupling": 0.3,
    }
)
#: Where an effect can be seen, and its sign there. Over sessions of 180 s, rank correlations with the bond are .13 to
#: .2; features of synchrony need 325 s and more, and this one's is .15 over 340 s. (Worked out from 100 and 40 sessions
#: with four times these effects: a cohort of usual size finds such correlations only roughly.)
SHOWN_BY: Mapping[str, tuple[str, int]] = MappingProxyType(
    {
        "therapist.smiling": ("therapist.face.smile_share", 1),
        "therapist.answering": ("dyad.face.shared_smile_share", 1),
        "client.answering": ("dyad.face.shared_smile_share", 1),
        "therapist.nodding": ("therapist.head.nod_rate_per_min", 1),
        "therapist.pausing": ("therapist.turns.gap_median_s", -1),
        "client.looking": ("client.gaze.on_screen_share", 1),
        "pair.coupling": ("dyad.sync.head_peak_z", 1),
    }
)

#: Share of a behaviour's variance that stays with a person.
_HABIT = 0.6
#: Voices of men and women.
_LOW_HZ, _HIGH_HZ = 115.0, 205.0


@dataclass(frozen=True)
class Habits:
    """What stays with a person from session to session.

    Attributes
    ----------
    scores
        By behaviour, standard normal.
    f0_hz, syllables_hz, face_px, luma
        Pitch and pace of the voice; height and brightness of the face.
    home_deg
        Yaw and pitch of gaze toward the screen.
    """

    scores: Mapping[str, float]
    f0_hz: float
    syllables_hz: float
    face_px: float
    luma: float
    home_deg: tuple[float, float]


def draw_habits(rng: np.random.Generator) -> Habits:
    """Draw a person."""
    names = (*BEHAVIOURS, *PAIR_BEHAVIOURS)
    high = rng.random() < 0.6
    return Habits(
        dict(zip(names, map(float, rng.standard_normal(len(names))), strict=True)),
        f0_hz=(_HIGH_HZ if high else _LOW_HZ) * math.exp(0.1 * rng.standard_normal()),
        syllables_hz=rng.normal(4.4, 0.3),
        face_px=170 * math.exp(0.2 * rng.standard_normal()),
        luma=rng.normal(115, 15),
        home_deg=(rng.normal(0, 4), rng.normal(-8, 3)),
    )


def draw_levels(
    bond_z: float, habits: Mapping[str, Habits], effects: Mapping[str, float], rng: np.random.Generator
) -> dict[str, float]:
    """Draw how much of each behaviour one session shows, by ``<role or pair>.<behaviour>``.

    Parameters
    ----------
    bond_z, habits, effects, rng
        As for `vsa.simulate.cohort_signals.session_signals`.

    Raises
    ------
    ValueError
        When an effect is one of no behaviour.
    """
    usual = {f"{role}.{name}": habits[role].scores[name] for role in ROLES for name in BEHAVIOURS}
    for name in PAIR_BEHAVIOURS:
        usual[f"{PAIR}.{name}"] = sum(habits[role].scores[name] for role in ROLES) / math.sqrt(len(ROLES))
    if unknown := set(effects) - set(usual):
        raise ValueError(f"no such behaviour: {', '.join(sorted(unknown))}")
    out = {}
    for name, habit in usual.items():
        z = math.sqrt(_HABIT) * habit + math.sqrt(1 - _HABIT) * rng.standard_normal()
        of_one = name.partition(".")[2]
        behaviour = BEHAVIOURS.get(of_one) or PAIR_BEHAVIOURS[of_one]
        out[name] = behaviour.at(z + effects.get(name, 0.0) * bond_z)
    return out
