"""Who is in a simulated cohort, and the bond that each session truly has."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from vsa.simulate.cohort_design import DIAGNOSES, DROPOUT_ODDS, CohortDesign

Floats = NDArray[np.float64]
Numbers = NDArray[np.int64]

PLATFORMS = ("platform A", "platform B")
GENDERS = ("woman", "man", "non-binary")


@dataclass(frozen=True, eq=False)
class People:
    """The sessions of a cohort, n rows, without features.

    Attributes
    ----------
    sessions
        Ids and covariates.
    client, therapist
        Number of the client and the therapist, (n,).
    bond, therapist_part, client_part, session_part
        The latent bond, variance about 1, and what it is the sum of, (n,).
    change, level
        Of the bond: how far it is from the client's own level, and that level, each standard normal, (n,). What grows
        with time or comes with modality and diagnosis is in neither.
    slow
        1 where the platform is the slow one, (n,).
    anxiety, avoidance
        Attachment of each client, standard normal.
    """

    sessions: pd.DataFrame
    client: Numbers
    therapist: Numbers
    therapist_part: Floats
    client_part: Floats
    session_part: Floats
    change: Floats
    level: Floats
    slow: Floats
    anxiety: Floats
    avoidance: Floats

    @property
    def bond(self) -> Floats:
        """Latent."""
        return self.therapist_part + self.client_part + self.session_part

    def at(self, kept: NDArray[np.bool_]) -> People:
        """Those with some of the sessions, (n,), of which every client has one."""
        rows = (
            "client",
            "therapist",
            "therapist_part",
            "client_part",
            "session_part",
            "change",
            "level",
            "slow",
        )
        some = {name: getattr(self, name)[kept] for name in rows}
        return replace(self, sessions=self.sessions[kept].reset_index(drop=True), **some)

    def truth(self) -> pd.DataFrame:
        """What nobody can observe, a row a session."""
        return pd.DataFrame(
            {
                "session_id": self.sessions["session_id"],
                "latent_bond": self.bond,
                "latent_therapist": self.therapist_part,
                "latent_client": self.client_part,
                "latent_session": self.session_part,
                "simulated": True,
            }
        )

    def attachment_answers(self, seed: int) -> pd.DataFrame:
        """Answers to the Relationship Questionnaire, a row a client.

        The four prototypes are the corners of anxiety and avoidance (Bartholomew & Horowitz 1991).
        """
        rng = np.random.default_rng([seed, 5])
        corners = {"secure": (-1, -1), "fearful": (1, 1), "preoccupied": (1, -1), "dismissing": (-1, 1)}
        ratings = {
            f"rq_{name}": np.clip(
                np.round(
                    4
                    + anxious * self.anxiety
                    + avoidant * self.avoidance
                    + rng.standard_normal(len(self.anxiety))
                ),
                1,
                7,
            ).astype(int)
            for name, (anxious, avoidant) in corners.items()
        }
        clients = self.sessions["client_id"].drop_duplicates().reset_index(drop=True)
        return pd.DataFrame({"client_id": clients, "respondent": "client", **ratings, "simulated": True})


def draw_people(design: CohortDesign, seed: int) -> People:
    """Draw who is there."""
    rng = np.random.default_rng([seed, 1])
    count = rng.integers(design.sessions[0], design.sessions[1] + 1, design.clients)
    client = np.repeat(np.arange(design.clients), count)
    number = np.concatenate([np.arange(k) for k in count])
    first = np.arange(design.clients) // design.clients_per_therapist
    therapists = int(first.max()) + 1
    changes = (rng.random(design.clients) < design.changing)[client] & (
        number >= np.maximum(1, count // 2)[client]
    )
    therapist = np.where(changes, (first[client] + 1) % therapists, first[client])
    anxiety, avoidance = rng.standard_normal((2, design.clients))
    in_person = rng.random(design.clients) < design.in_person_share
    rest = design.client_share - design.anxiety_r**2 - design.avoidance_r**2
    own = (
        design.anxiety_r * anxiety
        + design.avoidance_r * avoidance
        + np.sqrt(rest) * rng.standard_normal(design.clients)
    )
    change = rng.standard_normal(len(client))
    slow = (rng.random(design.clients) < 0.5) & ~in_person
    age = np.clip(np.round(rng.normal(38, 13, design.clients)), 18, 85).astype(int)
    diagnosis = rng.choice(DIAGNOSES, design.clients)
    shift = design.in_person_d * in_person + np.array(
        [design.diagnosis_d.get(name, 0.0) for name in diagnosis]
    )
    ids = [f"sim-c{c + 1:03d}" for c in range(design.clients)]
    covariates = {
        "modality": np.where(in_person, "in_person", "online"),
        "platform": np.where(in_person, "room", np.where(slow, PLATFORMS[1], PLATFORMS[0])),
        "attachment": np.where((anxiety < 0.5) & (avoidance < 0.5), "secure", "insecure"),
        "diagnosis": diagnosis,
        "age": age,
        "gender": rng.choice(GENDERS, design.clients, p=(0.6, 0.38, 0.02)),
    }
    sessions = pd.DataFrame(
        {
            "session_id": [f"{ids[c]}-s{k + 1}" for c, k in zip(client, number, strict=True)],
            "client_id": [ids[c] for c in client],
            "therapist_id": [f"sim-t{t + 1:02d}" for t in therapist],
            "session_number": number + 1,
            **{name: values[client] for name, values in covariates.items()},
        }
    )
    of_therapist = np.sqrt(design.therapist_share) * rng.standard_normal(therapists)[therapist]
    spread = np.sqrt(design.therapist_share + design.client_share)
    people = People(
        sessions=sessions,
        client=client,
        therapist=therapist,
        therapist_part=of_therapist,
        client_part=(own + shift)[client],
        session_part=np.sqrt(design.session_share) * change + design.growth * number,
        change=change,
        level=(of_therapist + own[client]) / spread if spread else np.zeros(len(client)),
        slow=slow[client].astype(float),
        anxiety=anxiety,
        avoidance=avoidance,
    )
    return people.at(_stayed(people.bond, number, design.dropout, seed))


def _stayed(bond: Floats, number: Numbers, dropout: float, seed: int) -> NDArray[np.bool_]:
    """Which sessions take place, (n,): a client who does not come back after one has none of the later ones."""
    if not 0 < dropout < 1:
        return np.asarray((number == 0) | (dropout == 0))
    odds = dropout / (1 - dropout) * DROPOUT_ODDS**-bond
    gone = np.random.default_rng([seed, 6]).random(len(bond)) < odds / (1 + odds)
    before: Numbers = np.cumsum(gone) - gone
    first = np.maximum.accumulate(np.where(number == 0, np.arange(len(bond)), 0))
    return np.asarray(before == before[first])
