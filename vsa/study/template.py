"""What a new study folder holds: a manifest to fill in, and a README that says what goes where."""

from __future__ import annotations

import shlex
from pathlib import Path

from vsa.errors import InputError
from vsa.study.folder import FAILURES, FEATURES, LOG, MANIFEST, README

#: What most studies need: a recording of the call with both people in it. Further columns may be added.
COLUMNS = (
    "session_id",
    "video",
    "tile:therapist",
    "tile:client",
    "consent:therapist",
    "consent:client",
    "client_id",
    "therapist_id",
    "session_number",
    "date",
    "modality",
    "rater",
    "bond",
)
# Excel splits these rows at commas, so there are none but in the example. The header must be among the first 20 rows.
_COMMENTS = """\
# One row a session below the last of these rows; save as CSV (UTF-8). Rows that begin with # are not read.
# session_id: a name for the session that names nobody. Needed.
# video: its recording; a path from this folder on. Needed. If each person has one: video:therapist and video:client.
# tile:therapist and tile:client: where each is in the picture: left or right (or 1 2 3 … in reading order).
# consent:therapist and consent:client: what each agreed to: yes (all) or some of research; quality; training. Needed.
# client_id and therapist_id: pseudonyms. The same person has the same one in all sessions.
# session_number: the how many-th session of this client: 1 2 3 …
# date: year-month-day as 2026-11-24. It helps to identify people: leave it empty unless you need it.
# modality: online or in_person.
# rater and bond: who answered the questionnaire (client or therapist or observer) and the score as a number.
# Also known: audio:therapist and audio:client (sound) platform attachment diagnosis age gender instrument simulated.
# Columns of your own may be added and are kept as they are. What is not known stays empty.
# An example:
# s01,recordings/s01.mp4,left,right,yes,research; quality,c01,t01,1,,online,client,5.5
"""
_README = """\
# {name}

A study folder of vsa: what was recorded with whom, and what was measured.

| here | what |
| --- | --- |
| `{manifest}` | one row a session: fill it in. Its comments say what each column is |
| one folder a session | what was measured; written by `vsa extract` |
| `{features}` | one row a session, for statistics |
| `{failures}` | sessions that could not be measured, and why |
| `{log}` | who ran what on which sessions |

Recordings may lie anywhere: in a folder `recordings` in here, on another disk, or at an address such as `s3://…`. They
are only read.

## Next

```sh
vsa extract {shown}       # measure; run it again after a stop, or when rows were added
vsa doctor {shown}        # is everything there, and is the log whole?
vsa train {shown} --out {shown}/model.skops      # from 20 sessions with a bond on
```

`vsa score answers.csv --instrument wai-sr --out {shown}/bonds.csv` turns questionnaire answers into bonds.

## Consent

`consent:therapist` and `consent:client` say what each person agreed to. `yes` is all of these purposes; else name some,
as `research; quality`. Anything else is no.

| purpose | what it allows |
| --- | --- |
| `research` | studies of groups: statistics of features, comparing sessions with each other |
| `quality` | `vsa flag`: suggesting sessions for a review |
| `training` | `vsa train`: learning a model from the session |

A session is opened only if there is a purpose that everybody in it agreed to, and used only for such purposes. There is
no purpose that evaluates staff, and vsa must not be used for it. If somebody agrees to less later, change the cell:
every command from then on keeps to it. What was measured stays until it is withdrawn.

## What never to put here

Names, birthdays, addresses, record numbers, or anything else that says who somebody is: not as ids, not in the names of
files, not in columns of your own. Keep the list of who is who elsewhere. What is measured of a person is personal data
without a name too: let only those read this folder who need it.

## Withdrawal

`vsa withdraw ID {shown}` (the id of a client, a therapist or a session) shows what it would remove and asks first: what
was measured, scores, rows of tables. It marks the models that learned from it. Recordings are yours to delete; it says
where they are.

## The log

`{log}` gets a line each time that a command works on the study: when, who, which sessions, how it ended; never what was
found. Each line holds the fingerprint of the one before, and `vsa doctor {shown}` says whether any was changed or is
missing. Don't edit it.
"""


def make_study(folder: Path) -> list[Path]:
    """Write what a new study folder holds; the files that were written. Nothing that is there is replaced.

    Raises
    ------
    InputError
        When there is a manifest already, or the folder can't be written.
    """
    if folder.exists() and not folder.is_dir():
        raise InputError(f"{folder} is a file.", "Give the name of a folder; it is made if it is not there.")
    manifest = (
        "\ufeff" + _COMMENTS + ",".join(COLUMNS) + "\n"
    ).encode()  # the mark tells Excel that it is UTF-8
    readme = _README.format(
        name=folder.absolute().name,
        shown=shlex.quote(str(folder)),
        manifest=MANIFEST,
        features=FEATURES,
        failures=FAILURES,
        log=LOG,
    )
    try:
        folder.mkdir(parents=True, exist_ok=True)
        written = []
        for name, content in ((MANIFEST, manifest), (README, readme.encode())):
            path = folder / name
            try:
                with path.open("xb") as file:
                    file.write(content)
            except FileExistsError:
                if name == MANIFEST:
                    raise InputError(
                        f"{path} is there already; nothing was changed.",
                        f"Fill it in, then: vsa extract {shlex.quote(str(folder))}",
                    ) from None
            else:
                written.append(path)
    except OSError as error:
        raise InputError(f"{folder} can't be written ({error.strerror}).", "Give another folder.") from None
    return written
