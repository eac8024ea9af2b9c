"""The whole evaluation of a procedure on a cohort."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, field, is_dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from vsa.bond.cohort import LEAST_GROUPS, Cohort
from vsa.bond.evaluation.ceiling import Ceiling, ceiling
from vsa.bond.evaluation.conformal import FEW_CLIENTS, Coverage, coverage
from vsa.bond.evaluation.effect_words import effect_words
from vsa.bond.evaluation.effects import Effects, effects
from vsa.bond.evaluation.flag_scores import FlagScores, flag_scores
from vsa.bond.evaluation.held_out import Candidates, HeldOut, hold_out
from vsa.bond.evaluation.parts import Leakage, Part, Point, leakage, learning_curve, parts
from vsa.bond.evaluation.permutation import Permutation, permutation_tests
from vsa.bond.evaluation.resampling import DRAWS
from vsa.bond.evaluation.stability import Stability, stability
from vsa.bond.folds import REPEATS, circles
from vsa.bond.weak import Weak
from vsa.cores import usable

#: Numbers in the columns of a cohort from which on the cores share the work.
_WORTH_SHARING = 10_000
#: Correlation for new clients above which something is wrong more often than right.
SUSPICIOUS_R = 0.5


@dataclass(frozen=True)
class Settings:
    """How thoroughly to evaluate.

    Attributes
    ----------
    seed
        Of everything that is drawn.
    repeats
        How often the outer folds are drawn.
    draws
        Of the bootstrap.
    permutations
        Of each kind.
    weak
        What a weak bond is.
    reliability
        Of the bond; None if it is not known.
    cores
        To use; None for all that this process may.
    """

    seed: int = 0
    repeats: int = REPEATS
    draws: int = DRAWS
    permutations: int = 200
    weak: Weak = field(default_factory=Weak)
    reliability: float | None = None
    cores: int | None = None

    @property
    def workers(self) -> int:
        """How many processes."""
        if self.cores is not None:
            return max(1, self.cores)
        return usable()


@dataclass(frozen=True)
class Evaluation:
    """What was found. See the types of the attributes.

    Attributes
    ----------
    held_out
        New clients first (the headline), then new therapists where there are enough.
    leakage
        None where every session is of another client.
    permutation
        Between and within clients; empty without permutations.
    coverage
        Of the intervals.
    flags
        None where there were too few weak bonds.
    ceiling
        None where nothing is known of the bond's reliability.
    stability, effects
        Of the features.
    learning
        By number of clients.
    parts
        By modality, gender, age and diagnosis.
    warnings
        What to look at before believing any of it.
    seed, repeats, draws, permutations, weak
        As in `Settings`.
    """

    held_out: tuple[HeldOut, ...]
    leakage: Leakage | None
    permutation: tuple[Permutation, ...]
    coverage: Coverage
    flags: FlagScores | None
    ceiling: Ceiling | None
    stability: tuple[Stability, ...]
    effects: Effects
    learning: tuple[Point, ...]
    parts: tuple[Part, ...]
    warnings: tuple[str, ...]
    seed: int
    repeats: int
    draws: int
    permutations: int
    weak: str

    @property
    def verdict(self) -> str:
        """Of the headline; see `HeldOut.verdict`."""
        return self.held_out[0].verdict

    def record(self) -> dict[str, Any]:
        """For JSON."""
        found: dict[str, Any] = plain(self)
        for one, told in zip(self.held_out, found["held_out"], strict=True):
            told["verdict"] = one.verdict
        return found


def evaluate(
    cohort: Cohort,
    candidates: Candidates,
    entry: int,
    settings: Settings,
    say: Callable[[str], None] = lambda line: None,
) -> tuple[Evaluation, pd.DataFrame]:
    """Evaluate.

    Parameters
    ----------
    cohort
        The sessions.
    candidates
        The procedures.
    entry
        Of the model that is fitted to all sessions.
    settings
        How thoroughly.
    say
        Is told each step in one line.

    Returns
    -------
    What was found, and for each session `session_id`, `bond`, `expected` (when its client was held out; the mean over
    the repeats) and `in_interval`.
    """
    seed, draws, cores = settings.seed, settings.draws, _cores(candidates, settings)
    say(f"Holding out {cohort.grouped_by}s")
    new_clients, predictions = hold_out(
        cohort,
        candidates,
        cohort.clients,
        cohort.grouped_by,
        seed=seed,
        draws=draws,
        repeats=settings.repeats,
        cores=cores,
    )
    held_out, warnings = [new_clients], []
    if cohort.therapists is not None:
        groups = circles(cohort.therapists, cohort.clients)
        if len(np.unique(groups)) >= LEAST_GROUPS:
            say("Holding out therapists")
            held_out.append(
                hold_out(
                    cohort,
                    candidates,
                    groups,
                    "therapist",
                    seed=seed,
                    draws=draws,
                    repeats=settings.repeats,
                    cores=cores,
                )[0]
            )
        else:
            warnings.append(_few_therapists(cohort.therapists, groups))
    say("Testing intervals and flags")
    covered, inside = coverage(cohort, candidates, predictions, seed=seed, draws=draws)
    flags = flag_scores(cohort, predictions, candidates.model, settings.weak, seed=seed, draws=draws)
    gap = leakage(cohort, candidates, new_clients.of_model["r"].value, seed=seed)
    curve = learning_curve(cohort, candidates, seed=seed, cores=cores)
    say("Looking at single signals")
    own = candidates.of_model[0].design.features == tuple(cohort.features)
    stable = stability(cohort, *candidates.of_model, entry, seed=seed) if own else ()
    single = effects(cohort, seed=seed)
    single = replace(single, words=effect_words(single, stable))
    warnings = _warnings(new_clients, gap, cohort) + warnings
    table = pd.DataFrame(
        {
            "session_id": cohort.sessions,
            "bond": cohort.bond,
            "expected": predictions.of(candidates.model).mean(0),
            "in_interval": inside.astype(bool),
        }
    )
    found = Evaluation(
        held_out=tuple(held_out),
        leakage=gap,
        permutation=(),
        coverage=covered,
        flags=flags,
        ceiling=ceiling(settings.reliability, cohort.scale is not None, new_clients.of_model["r"].value),
        stability=stable,
        effects=single,
        learning=curve,
        parts=parts(cohort, predictions, candidates.model, inside),
        warnings=tuple(warnings),
        seed=seed,
        repeats=settings.repeats,
        draws=draws,
        permutations=0,
        weak=str(settings.weak),
    )
    if settings.permutations:
        say(f"Rerunning everything on {settings.permutations} permutations of the bonds, twice")
        found = with_permutations(found, cohort, candidates, settings)
    return found, table


def with_permutations(
    found: Evaluation, cohort: Cohort, candidates: Candidates, settings: Settings
) -> Evaluation:
    """The same evaluation with its permutation tests."""
    tests = permutation_tests(
        cohort,
        *candidates.features,
        seed=settings.seed,
        permutations=settings.permutations,
        cores=_cores(candidates, settings),
    )
    return replace(found, permutation=tests, permutations=settings.permutations)


def _cores(candidates: Candidates, settings: Settings) -> int:
    """Starting processes takes longer than small cohorts do."""
    return settings.workers if candidates.of_model[1].size > _WORTH_SHARING else 1


def _few_therapists(therapists: npt.NDArray[np.str_], groups: npt.NDArray[np.str_]) -> str:
    names, apart = len(np.unique(therapists)), len(np.unique(groups))
    if names == 1:
        return "All sessions are of one therapist: nothing is known of how the model does for others."
    linked = (
        "" if names == apart else f", {apart} of whom can be told apart (clients changed between the others)"
    )
    return (
        f"{names} therapists{linked}: {LEAST_GROUPS} are the least to hold some out, so nothing is known of how the "
        "model does for new ones."
    )


def _warnings(headline: HeldOut, gap: Leakage | None, cohort: Cohort) -> list[str]:
    said = []
    r = headline.of_model["r"].value or 0.0
    if r > SUSPICIOUS_R and headline.by == "client":
        said.append(
            f"A correlation of {r:.2f} for new clients is higher than honest, published values (.10 to .30): look for "
            "leakage before believing it. Is a column made of the bond, or of who, when or which file it is?"
        )
    if gap is not None and gap.notable:
        said.append(
            f"Leakage: split by session the same procedure shows r = {gap.session_r:.2f}, and for new clients "
            f"{gap.client_r:.2f}. The difference is recognising clients, not their bond; only the second figure counts."
        )
    people = len(np.unique(cohort.clients))
    if people < FEW_CLIENTS:
        said.append(f"{people} clients are few: intervals and probabilities of single sessions are rough.")
    return said


def plain(value: Any) -> Any:
    """A value as JSON has it: numbers that are none become None."""
    if is_dataclass(value) and not isinstance(value, type):
        return {name: plain(part) for name, part in asdict(value).items()}
    if isinstance(value, dict):
        return {str(name): plain(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [plain(part) for part in value]
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and not np.isfinite(value):
        return None
    return value
