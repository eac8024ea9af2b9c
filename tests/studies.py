"""Study folders as people have them, quickly made: sessions' tables are as short as can be, the rows are of a simulated
cohort, and tables of every kind lie beside them."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from vsa.bond.cohort import QUALITY
from vsa.simulate.cohort import EFFECTS, simulate_cohort
from vsa.study.failures import Failure
from vsa.study.results import Results, write_json

#: The one who is withdrawn in tests, and what is hers.
CLIENT, THERAPIST = "sim-c003", "sim-t01"
SESSIONS = tuple(f"{CLIENT}-s{k}" for k in range(1, 5))
NUMBERS = (pa.float64(), pa.float32(), pa.int64(), pa.bool_())
_OWN = ("session_id", "client_id", "therapist_id", "session_number", "bond", "simulated")


def write_session(results: Results, row: pd.Series) -> None:
    """A finished session with one row of a cohort for its features."""
    name = row["session_id"]
    with results.writing(name) as folder:
        for table in ("face", "voice", "turns"):
            pd.DataFrame({"t": [0.0], "participant": ["p1"]}).to_parquet(folder / f"{table}.parquet")
        (folder / "turns.rttm").write_text(f"SPEAKER {name} 1 0.000 1.000 <NA> turn p1 <NA> <NA>\n")
        features = row.drop([one for one in _OWN if one != "session_id"]).to_frame().T
        features.convert_dtypes().to_parquet(folder / "features.parquet", index=False)
        facts = {one: str(row[one]) for one in _OWN[1:]}
        write_json(folder / "session.json", {"session_id": name, "status": "complete", "facts": facts})


def make_study(folder: Path, clients: int = 12) -> pd.DataFrame:
    """Write a study folder of four sessions a client, six clients a therapist; its cohort, a row a session."""
    cohort = simulate_cohort(clients, 4, seed=5)
    few = [name for name in cohort if name in _OWN or name in EFFECTS or QUALITY in name]
    cohort = cohort[few]
    results = Results(folder)
    results.prepare()
    for _, row in cohort.iterrows():
        write_session(results, row)
    results.gather_features()
    results.note_failures(
        [Failure(SESSIONS[0], "media", "broken", ""), Failure("other", "media", "b", "")], []
    )
    with (folder / "manifest.csv").open("w", newline="", encoding="utf-8-sig") as file:
        out = csv.writer(file)
        out.writerow(
            [
                "session_id",
                "video",
                "consent",
                "tile:client",
                "client_id",
                "therapist_id",
                "diagnosis",
                "bond",
            ]
        )
        for _, row in cohort.iterrows():
            said = [
                f"media/{row['session_id']}.mp4",
                "yes",
                "0,0,640,360",
                row["client_id"],
                row["therapist_id"],
            ]
            out.writerow([row["session_id"], *said, 'recurrent, "mild"', row["bond"]])
    cohort[["session_id", "bond"]].to_csv(folder / "bonds.csv", index=False)
    lines = ["session_id;respondent;wai_sr_1;remark"]
    for name in cohort["session_id"]:
        lines += [
            f'{name};client;3,5;"said ""well"";\n then left"',
            f' "{name}" ;therapist;;'.replace('"', ""),
        ]
    (folder / "answers.csv").write_bytes(("\r\n".join(lines) + "\r\n").encode())
    more = folder / "tables" / "more"
    more.mkdir(parents=True)
    cohort[["session_id", "client_id", "bond"]].set_index("session_id").to_parquet(more / "scores.parquet")
    people = cohort[["client_id", "therapist_id"]].drop_duplicates()
    people.assign(age=40).to_csv(more / "people.tsv", sep="\t", index=False)
    (more / "of_nobody.csv").write_text("instrument,items\nwai_sr,12\n")
    return cohort


def holding(folder: Path, *names: str, but: tuple[str, ...] = ("log.jsonl", "manifest.csv")) -> list[str]:
    """Files whose name or bytes have any of some ids."""
    wanted = [name.encode() for name in names]
    return sorted(
        str(path.relative_to(folder))
        for path in folder.rglob("*")
        if path.name not in but
        and any(one in str(path.relative_to(folder)).encode() or one in content(path) for one in wanted)
    )


def content(path: Path) -> bytes:
    """Bytes of a file; of Parquet, which is packed, what is in it too."""
    if not path.is_file():
        return b""
    held = path.read_bytes()
    if not held[:4] == held[-4:] == b"PAR1":
        return held
    with pq.ParquetFile(path) as file:
        schema = file.schema_arrow
        texts = [name for name, kind in zip(schema.names, schema.types, strict=True) if kind not in NUMBERS]
        return held + str(file.read(columns=texts).to_pydict()).encode()


def manifest_rows(folder: Path) -> list[dict[str, str]]:
    with (folder / "manifest.csv").open(newline="", encoding="utf-8-sig") as file:
        return list(csv.DictReader(file))


def log_of(folder: Path) -> list[dict]:
    return [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]
