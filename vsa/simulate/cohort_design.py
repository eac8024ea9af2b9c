"""What a simulated cohort is like: how many, how alike, what goes with the bond and how much.

Every number is a choice with a source where there is one. None of them is an estimate of vsa's, and the signs of
effects are made up: studies conflict (Jennissen et al. 2024 and Gregorini et al. 2025 on synchrony, PsyArXiv b2a87 on
smiles, Vail et al. 2021 on head gestures). A method that finds the effects again shows that it can find effects of this
size, not that people have them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from vsa.errors import InputError
from vsa.features.registry import DYAD, Feature, features

#: Correlation of a feature with the bond over all sessions; what is not named has none.
EFFECTS: Mapping[str, float] = {
    "therapist.face.smile_share": 0.2,
    "therapist.head.nod_rate_per_min": 0.2,
    "client.face.expressivity_per_s": 0.15,
    "client.gaze.on_screen_share": 0.1,
    "client.head.nod_rate_per_min": 0.1,
    "dyad.face.shared_smile_share": 0.15,
}
#: Odds of leaving with each SD of the bond less. With d = .55 between those who leave and those who stay and equal
#: variances, the log odds are linear in the bond with that slope.
DROPOUT_ODDS = 1.73
ROLES = ("client", "therapist")
DIAGNOSES = ("depression", "anxiety", "adjustment", "personality", "other")
SIZE_OF_CIRCLE = 6
"""Clients of one therapist, unless said otherwise."""


def columns() -> dict[str, Feature]:
    """Full names of the features of client, therapist and both, in the order of a cohort's table."""
    return {
        f"{scope}.{entry.name}": entry
        for scope in (*ROLES, DYAD)
        for entry in features()
        if (entry.scope == DYAD) == (scope == DYAD)
    }


@dataclass(frozen=True)
class CohortDesign:
    """A cohort to draw.

    Attributes
    ----------
    clients
        How many.
    sessions
        Of each client, at least and at most; each number in between is as likely.
    dropout
        Chance that a client of average bond does not come back after a session, though more were planned. Clients with
        a weaker bond leave sooner: the odds rise by `DROPOUT_ODDS` with each SD less (Sharf et al. 2010: d = .55, 11
        studies).
    clients_per_therapist
        Of whom some, `changing`, go on with the next therapist after half of their sessions (with two or more).
    therapist_share, client_share
        Of the bond's variance, between therapists and between their clients; the rest is between sessions. Therapists
        explain some 5 %; two thirds of the rest lies between clients where alliance was measured again and again
        (generalizability .77 for one session: Crits-Christoph et al. 2011).
    growth
        Of the bond with each session, SD.
    anxiety_r, avoidance_r
        Correlation of attachment with the bond (Notsu et al. 2024: -.09 and -.13, 33 samples). Taken from the
        clients' share of the variance.
    in_person_share, in_person_d
        Sessions of how many clients are in person, and by how much their bond is higher, SD (Seuling et al. 2023:
        .09, Norwood et al. 2018: .30; neither differs from 0).
    diagnosis_d
        Diagnosis -> by how much the bond of its clients is higher, SD; none is known to matter.
    platform_delay_s
        By how much the second of two platforms lengthens gaps between turns (Boland et al. 2022: 135 ms in a room,
        487 ms over a video call). It has nothing to do with the bond.
    effects
        Full feature name -> correlation with the bond.
    within, between
        The same for effects that exist only between the sessions of a client, as synchrony's in Cohen et al. 2021, or
        only between clients (smiles in PsyArXiv b2a87): correlation with how far the session's bond lies from the
        client's level, or with that level. On top of `effects`, which is both.
    identity
        Features that tell clients apart and have nothing to do with the bond: what leaks if a client is in training
        and test.
    habit
        Share of a feature's own variance that stays with a person: the therapist for `therapist` features, the
        client for all others.
    poor, gaps
        Share of sessions of poor recording, in which most features are missing; share of features missing elsewhere.
    unrated
        Share of sessions without a questionnaire.
    instrument, alpha, ceiling
        The questionnaire that clients fill in, the reliability of its bond scale, and the share of sessions at its
        maximum (see `vsa.simulate.answers`).
    """

    clients: int = 60
    sessions: tuple[int, int] = (4, 4)
    dropout: float = 0.0
    clients_per_therapist: int = SIZE_OF_CIRCLE
    changing: float = 0.0
    therapist_share: float = 0.05
    client_share: float = 0.5
    growth: float = 0.0
    anxiety_r: float = -0.09
    avoidance_r: float = -0.13
    in_person_share: float = 0.0
    in_person_d: float = 0.1
    diagnosis_d: Mapping[str, float] = field(default_factory=dict)
    platform_delay_s: float = 0.35
    effects: Mapping[str, float] = field(default_factory=lambda: dict(EFFECTS))
    within: Mapping[str, float] = field(default_factory=dict)
    between: Mapping[str, float] = field(default_factory=dict)
    identity: tuple[str, ...] = ()
    habit: float = 0.5
    poor: float = 0.05
    gaps: float = 0.03
    unrated: float = 0.0
    instrument: str = "wai-sr"
    alpha: float = 0.9
    ceiling: float = 0.2

    @property
    def session_share(self) -> float:
        """Of the bond's variance, between sessions of a client."""
        return 1 - self.therapist_share - self.client_share

    def checked(self) -> CohortDesign:
        """Itself, if it can be drawn.

        Raises
        ------
        InputError
            When numbers are none, names are not those of features, or effects explain more than there is.
        """
        self._check_shares()
        if (
            self.clients < 1
            or self.clients_per_therapist < 1
            or not 1 <= self.sessions[0] <= self.sessions[1]
        ):
            raise InputError(
                f"{self.clients} clients with {self.sessions[0]} to {self.sessions[1]} sessions are no cohort.",
                "Give 1 or more of each, the smaller number first.",
            )
        attachment = self.anxiety_r**2 + self.avoidance_r**2
        if not (self.therapist_share >= 0 and attachment <= self.client_share and self.session_share > 0):
            raise InputError(
                "The shares of the bond's variance don't add up.",
                "Therapists, clients and sessions together make 1, and attachment is part of the clients' share.",
            )
        if unknown := sorted(set(self.diagnosis_d) - set(DIAGNOSES)):
            raise InputError(
                f"There is no diagnosis {', '.join(unknown)}.", f"There are {', '.join(DIAGNOSES)}."
            )
        named = {*self.effects, *self.within, *self.between}
        if strangers := sorted((named | set(self.identity)) - set(columns())):
            raise InputError(
                f"There is no feature {', '.join(strangers)}.",
                "They are called as 'vsa features list' shows, with the role before: client.gaze.on_screen_share.",
            )
        for name in sorted(named):
            if not self.own_variance(name) > 0:
                raise InputError(
                    f"{name} can't correlate so highly with the bond, its change within clients and its level.",
                    "Give smaller effects.",
                )
        return self

    def own_variance(self, name: str) -> float:
        """What of a feature's variance has nothing to do with the bond."""
        r, w, b = (effects.get(name, 0.0) for effects in (self.effects, self.within, self.between))
        change, level = self.session_share**0.5, (1 - self.session_share) ** 0.5
        return float(1 - r**2 - w**2 - b**2 - 2 * r * (w * change + b * level))

    def _check_shares(self) -> None:
        for name in ("changing", "dropout", "in_person_share", "habit", "poor", "gaps", "unrated"):
            if not 0 <= getattr(self, name) <= 1:
                raise InputError(f"{name} {getattr(self, name):g} is no share.", "Give one from 0 to 1.")
