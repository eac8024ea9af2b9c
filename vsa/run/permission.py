"""Who must not be measured, whatever is asked for: who withdrew, and who said no in the study's manifest."""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from vsa.errors import InputError
from vsa.run.attempt import withdrawal
from vsa.study.addresses import Address, AddressError, Place
from vsa.study.folder import MANIFEST, manifest_of
from vsa.study.manifest import read_stated
from vsa.study.plan import SessionPlan
from vsa.study.rows import key
from vsa.study.withdrawal import withdrawn


def check_withdrawn(ahead: Sequence[SessionPlan], out: Place) -> None:
    """Who withdrew is not measured again, wherever the recording comes from.

    Raises
    ------
    InputError
        When somebody did.
    """
    if gone := withdrawn(out, [plan.session_id for plan in ahead]):
        names = ", ".join(gone[:3]) + (", …" * (len(gone) > 3))
        raise InputError(*withdrawal(names))


def check_consent(plans: Sequence[SessionPlan], out: Place) -> None:
    """Whom the study's manifest names without consent is not measured, wherever the recording comes from.

    Raises
    ------
    InputError
        When there is one, or the manifest can't be read.
    """
    try:
        manifest = manifest_of(out) if isinstance(out, Path) else out / MANIFEST
        if manifest is None or not manifest.is_file():
            return
    except AddressError as error:
        raise InputError(f"{out}: {error}.", error.hint) from None
    stated = read_stated(manifest)
    refused = {key("session", one.session_id) for one in stated if not one.purposes}
    agreed = {key("session", one.session_id) for one in stated if one.purposes}
    places = {same for one in stated if not one.purposes for place in one.places for same in _same(place)}

    def may_not(plan: SessionPlan) -> bool:
        name = key("session", plan.session_id)
        if name in refused or (plan.consent and name in agreed):
            return name in refused
        media = (*(video.path for video in plan.videos), *plan.audio.values())
        return any(not places.isdisjoint(_same(place)) for place in media)

    if found := [plan.session_id for plan in plans if may_not(plan)]:
        names = ", ".join(found[:3]) + (", …" * (len(found) > 3))
        raise InputError(
            f"{manifest} names {names}, or the recording, and says no consent; it was not opened.",
            f"Leave it out. If everybody in it has agreed since, say so there, and do: vsa extract {manifest.parent}",
        )


def _same(place: Place) -> set[object]:
    """What two places have in common if they are one file."""
    if isinstance(place, Address):
        return {place}
    found = set[object]()
    with suppress(OSError, ValueError):  # a recording that was deleted, or no path
        found.add(os.path.realpath(place))
        state = place.stat()
        found.add((state.st_dev, state.st_ino))
    return found
