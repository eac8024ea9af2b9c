"""The model card: its numbers are the record's, others' text stays text, and what must be said is said."""

from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from vsa.bond.card.card import card_page, model_card
from vsa.bond.card.figures import SCORES
from vsa.bond.card.tables import shown
from vsa.bond.design import Design
from vsa.bond.evaluation.baselines import NAMES, NEEDS_HISTORY
from vsa.bond.evaluation.evaluate import Settings
from vsa.bond.membership import Withdrawn
from vsa.bond.training import train
from vsa.bond.weak import Weak
from vsa.features.words import label
from vsa.simulate.cohort import EFFECTS, simulate_cohort

HOSTILE = (
    "<script>alert(1)</script>",
    "a | b || c \\| d \\\\",
    "*bold* **strong** _slanted_ __x__ ~~gone~~ `code` ``more``",
    "[link](javascript:alert(1)) ![picture](//elsewhere/p.png) <b>x</b> &lt;i&gt; &amp; &#60;",
    "# heading",
    "1. one",
    "- item\n\n## New section\n| --- |",
    "=== $x$ \\",
)


@pytest.fixture(scope="module")
def info():
    table = simulate_cohort(40, 3, seed=1, effects={name: 2 * r for name, r in EFFECTS.items()})
    few = [name for name in table if "." not in name or name in EFFECTS or name.endswith("tracked_share")]
    settings = Settings(seed=2, draws=100, permutations=5, repeats=1, reliability=0.9, cores=1)
    return train(table[few], settings=settings).info


@pytest.fixture(scope="module")
def card(info):
    return model_card(info)


class Page(HTMLParser):
    """Tags with attributes, and the text, of a page."""

    def __init__(self, page):
        super().__init__()
        self.tags, self.words, self._skip = [], [], False
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        self._skip = tag == "style"

    def handle_endtag(self, tag):
        self._skip = False

    def handle_data(self, data):
        if not self._skip:
            self.words.append(data)

    @property
    def text(self):
        return " ".join("".join(self.words).split())

    def named(self, *names):
        return [attributes for tag, attributes in self.tags if tag in names]


def section(card, title):
    """What stands under a heading, up to the next one."""
    found = re.search(rf"^(##+) {re.escape(title)}\n(.*?)(?=^##+ |\Z)", card, re.MULTILINE | re.DOTALL)
    assert found, f"no section {title}"
    return found[2]


def tables(text):
    """Tables as lists of rows without their heads, cells as they are written."""
    found = []
    for block in re.findall(r"(?:^\|.*\|\n)+", text, re.MULTILINE):
        rows = [
            [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
            for line in block.strip().split("\n")
        ]
        found.append(rows[2:])
    return found


def numbers(cell):
    return [float(found) for found in re.findall(r"-?\d+(?:\.\d+)?", cell)]


def same(cell, *values, step=0.01):
    """Whether a cell holds these numbers, rounded to a step; '-' is None."""
    values = [value for value in values if value is not None]
    told = numbers(cell) if cell != "-" else []
    return len(told) == len(values) and all(
        abs(one - other) <= step / 2 + 1e-9 for one, other in zip(told, values, strict=True)
    )


def of(estimate):
    return estimate["value"], estimate["low"], estimate["high"]


def test_each_predictors_figures_are_those_of_the_record(info, card):
    assert [test["by"] for test in info.evaluation["held_out"]] == ["client", "therapist"]
    for test in info.evaluation["held_out"]:
        rows = tables(section(card, f"New {test['by']}s"))[0]
        assert len(rows) == len(test["scores"])
        told = {re.sub(r"[*\\]", "", row[0]).strip(): row[1:] for row in rows}
        for name, scores in test["scores"].items():
            cells = dict(zip(SCORES.values(), told[NAMES[name].strip(" *")], strict=True))
            for key, cell in cells.items():
                if name in NEEDS_HISTORY and key in ("within_r", "between_r"):
                    assert cell == "-"
                else:
                    assert same(cell, *of(scores[key])), (name, key, cell)
        bold = [row[0] for row in rows if row[0].startswith("**")]
        assert bold == [f"**{NAMES[test['model']]}**"]


def test_increment_gain_and_verdict_are_those_of_the_record(info, card):
    for test in info.evaluation["held_out"]:
        text = section(card, f"New {test['by']}s")
        assert same(re.search(r"R2 (.*)\.\n", text)[1], *of(test["increment"]))
        gain = [None if value is None else -100 * value for value in of(test["gain"])]
        told = re.search(r"training mean: (.*);", text)[1]
        assert same(told, gain[0], gain[2], gain[1], step=1)
        assert ("may be chance" in text) == (test["verdict"] == "unclear")
        assert ("draw of lots" in text) == (test["verdict"] == "no better")


def test_chance_leakage_ceiling_and_intervals_are_those_of_the_record(info, card):
    found = info.evaluation
    text = section(card, "Could it be chance, or leakage?")
    for row, test in zip(tables(text)[0], found["permutation"], strict=True):
        assert row[0] == f"{test['kind']} clients"
        assert same(row[2], test["p"], step=0.001)
        assert row[5] == "5"
        for cell, key in ((row[1], "statistic"), (row[3], "null_mean"), (row[4], "null_p95")):
            assert same(cell, test[key])
    leakage, top = found["leakage"], found["ceiling"]
    told = re.search(r"shows r = (\S+); by client (\S+)\. The gap is (\S+)\.", text).groups()
    for cell, key in zip(told, ("session_r", "client_r", "gap"), strict=True):
        assert same(cell, leakage[key])
    told = re.search(
        r"reliability of (\S+) \(as given\).* r = (\S+), R2 = (\S+)\. .* be (\S+);", text
    ).groups()
    for cell, key in zip(told, ("reliability", "r", "r2", "corrected_r"), strict=True):
        assert same(cell, top[key])
    covered = found["coverage"]
    told = re.search(
        r"hold (.*) of the reported bonds, they held (.*) of those.* are (.*) points",
        section(card, "Intervals around the expected bond"),
    ).groups()
    assert same(told[0], 100 * covered["level"], step=1)
    assert same(told[1], *(100 * value for value in of(covered["share"])), step=1)
    assert same(told[2], *of(covered["width"]))


def test_flags_are_told_with_what_a_draw_of_lots_finds(info, card):
    flags = info.evaluation["flags"]
    text = section(card, "Flags of a weak bond")
    assert same(
        re.search(r"held out; (\d+) % of their bonds are weak", text)[1], 100 * flags["base_rate"], step=1
    )
    scores, curve = tables(text)
    told = {row[0]: row[1] for row in scores}
    names = {
        "AUC": "auc",
        "Average precision": "average_precision",
        "Weak among the 5 % flagged first": "precision_5",
        "Weak among the 10 % flagged first": "precision_10",
        "Weak among the 20 % flagged first": "precision_20",
        "Brier score": "brier",
        "Brier skill": "brier_skill",
        "Calibration slope": "calibration_slope",
        "Calibration intercept": "calibration_intercept",
    }
    assert set(told) == set(names)
    assert set(names.values()) == set(flags["scores"])
    for name, key in names.items():
        assert same(told[name], *of(flags["scores"][key])), (name, told[name])
    for row, (mean, weak, n) in zip(curve, flags["curve"], strict=True):
        assert same(row[0], 100 * mean, step=1)
        assert same(row[1], 100 * weak, step=1)
        assert row[2] == str(n)


def test_groups_and_learning_are_those_of_the_record(info, card):
    rows = tables(section(card, "By group"))[0]
    parts = info.evaluation["parts"]
    assert len(parts) >= 2
    for row, part in zip(rows, parts, strict=True):
        assert row[:4] == [part["by"], part["value"], str(part["clients"]), str(part["sessions"])]
        assert same(row[4], part["mae"])
        assert same(row[5], part["bias"])
        assert same(row[6], 100 * part["coverage"], step=1)
        assert same(row[7], 100 * part["missing_face"], step=1)
    for row, point in zip(
        tables(section(card, "With fewer clients"))[0], info.evaluation["learning"], strict=True
    ):
        assert row[0] == str(point["clients"])
        assert same(row[1], point["r2"])
        assert same(row[2], point["r"])


def test_the_data_are_described_as_they_are(info, card):
    data, people = tables(section(card, "Data"))
    told = dict(data)
    assert (told["Sessions"], told["Clients"]) == ("120", "40")
    assert told["Therapists"] == str(info.therapists)
    assert same(told["Mean"], info.bond_mean)
    assert same(told["SD"], info.bond_sd)
    assert same(told["Lowest and highest reported"], info.bond_min, info.bond_max)
    assert told["Rated by"] == "client"
    counted = {}
    for column, value, n in people:
        counted.setdefault(column, {})[value] = int(n)
    assert counted == info.people
    assert [row[0] for row in tables(section(card, "Signals"))[0]] == [shown(name) for name in info.features]


def test_every_sentence_and_note_on_single_signals_is_there(info):
    words = ["Clients who smiled more than others *reported* a higher bond.", "3 of 56 tests | 3 by chance."]
    effects = {**info.evaluation["effects"], "words": words, "notes": ["7 clients are too few."]}
    card = model_card(replace(info, evaluation={**info.evaluation, "effects": effects}))
    assert re.findall(r"<li>(.*)</li>", card_page(section(card, "Which signals"), "")) == words
    effects = {**effects, "words": []}
    card = model_card(replace(info, evaluation={**info.evaluation, "effects": effects}))
    assert "- 7 clients are too few." in section(card, "Which signals")


def test_figures_of_single_signals_are_those_of_the_record(info, card):
    found = info.evaluation["effects"]
    kept = {(one["feature"], one["part"]): one["sign_consistency"] for one in info.evaluation["stability"]}
    by = {(label(one["feature"]), one["part"]): one for one in found["effects"]}
    rows = tables(section(card, "Which signals"))[0]
    assert len(rows) == 2 * len(info.features)
    for row in rows:
        one = by.pop((row[0].replace("\\", ""), row[1]))
        assert row[2] == one["agrees"]
        assert same(row[3], one["beta"], one["low"], one["high"])
        assert row[5].startswith("**") == (one["q"] < 0.05)
        for cell, p in ((row[4], one["p"]), (row[5].strip("*"), one["q"])):
            assert cell == "below 0.001" if p < 0.001 else same(cell, p, step=0.001)
        assert same(row[6], 100 * kept[one["feature"], one["part"]], step=1)
        assert row[7] == str(one["n"])
    p = [float(row[4].replace("below 0.001", "0")) for row in rows]
    smallest = [min(p[k : k + 2]) for k in range(0, len(p), 2)]
    assert smallest == sorted(smallest)


def test_names_of_own_signals_are_shown_as_text(info):
    def page(name):
        one = {**info.evaluation["effects"]["effects"][0], "feature": name}
        evaluation = {**info.evaluation, "effects": {**info.evaluation["effects"], "effects": [one]}}
        own = replace(info, design=replace(info.design, features=(name,)), evaluation=evaluation)
        return Page(card_page(model_card(own), "x"))

    calm = page("client.own.x")
    for text in HOSTILE:
        assert page(f"client.own.{text}").tags == calm.tags


def test_the_settings_that_make_it_again_are_there(info, card):
    settings, versions = (dict(rows) for rows in tables(section(card, "To make it again")))
    assert settings["Seed"] == "2"
    assert settings["Draws of the bootstrap"] == "100"
    assert settings["Permutations of each kind"] == "5"
    assert settings["Weak bond"] == "lowest:0.2"
    assert versions == info.versions


def with_text_everywhere(info, text):
    part = {**info.evaluation["parts"][0], "by": text, "value": text}
    words = {**info.evaluation["effects"], "words": [text], "covariates": [text]}
    return replace(
        info,
        target=text,
        label_source=text,
        raters=(text,),
        notes=(text,),
        people={text: {text: 30}},
        started_from=text,
        design=replace(info.design, numbers=(text,), categories={text: ("a", "b")}),
        evaluation={**info.evaluation, "warnings": [text], "parts": [part], "effects": words},
    )


@pytest.mark.parametrize("text", HOSTILE)
def test_text_of_a_study_is_shown_as_text(info, text):
    page, calm = (
        Page(card_page(model_card(with_text_everywhere(info, one), contact=one), one))
        for one in (text, "QQQ")
    )
    assert page.tags == calm.tags
    assert page.text.count(" ".join(text.split())) == calm.text.count("QQQ") > 15


def test_what_turns_or_breaks_text_is_taken_out():
    assert shown("a\u202eb\u2066c\x00d\x1b[31m\udce9") == "abc d \\[31m\ufffd"
    shown("\udce9").encode()


def test_the_page_needs_nothing_else(info):
    page = card_page(model_card(info, ("expected.png", "flags.png")), "Model card: m.skops")
    read = Page(page)
    (policy,) = [one for one in read.named("meta") if "http-equiv" in one]
    assert policy["http-equiv"] == "Content-Security-Policy"
    assert policy["content"].startswith("default-src 'none'; ")
    assert "script-src" not in policy["content"]
    assert "http" not in page.replace("http-equiv", "", 1)  # of the policy
    assert not read.named("script", "link", "iframe", "object", "embed", "form", "a", "base")
    assert "url(" not in page
    assert "@import" not in page
    pictures = read.named("img")
    assert [one["src"] for one in pictures] == ["expected.png", "flags.png"]
    assert all(len(one["alt"]) > 20 for one in pictures)


@pytest.mark.parametrize(
    "address",
    ["http://a.b/c.png", "//a.b/c.png", "file:///etc/x", "javascript:x", "data:image/png;base64,AAAA"],
)
def test_pictures_from_elsewhere_are_not_loaded(address):
    assert not Page(card_page(f"![p]({address}) [t]({address}) <{address}>", "x")).named("img", "a")


def test_every_table_of_the_card_is_a_table_that_scrolls_by_itself(card):
    read = Page(card_page(card, "x"))
    assert len(read.named("table")) == len(tables(card)) >= 10
    assert len([one for one in read.named("div") if one.get("class") == "scroll"]) == len(tables(card))


def test_pictures_stand_where_they_belong(info):
    names = ("expected.png", "predictors.png", "flags.png", "signals.png", "learning.png", "own.png")
    card = model_card(info, names)
    places = {
        "New clients": "expected.png",
        "Flags of a weak bond": "flags.png",
        "Which signals": "signals.png",
        "With fewer clients": "learning.png",
    }
    for title, name in places.items():
        assert f"]({name})" in section(card, title)
    for name in names:
        assert card.count(f"]({name})") == 1


def main_sections(card):
    return re.split(r"^## ", card, flags=re.MULTILINE)


def test_a_model_of_simulated_sessions_says_so_everywhere(card):
    above, *rest = main_sections(card)
    assert above.startswith("**Trained on SIMULATED sessions")
    assert len(rest) >= 9
    for one in rest:
        assert "\n**Trained on SIMULATED sessions" in one


def test_a_model_of_real_sessions_does_not(info):
    words = {**info.evaluation["effects"], "words": ["Nothing stands out."]}
    real = replace(
        info, simulated=False, label_source="bonds.csv", evaluation={**info.evaluation, "effects": words}
    )
    assert "SIMULATED" not in model_card(real)


def test_withdrawn_sessions_are_told_only_if_there_are_any(info, card):
    assert "withdrawn" not in card.lower()
    text = model_card(replace(info, withdrawn=(Withdrawn("2026-11-02T10:00:00", (3, 5)),)))
    assert "2 sessions of its training were withdrawn on 2026-11-02: train it again." in section(
        text, "Withdrawn since"
    )


def test_contact_is_told_or_how_to_give_it(info, card):
    assert "Contact: not given. Set it with --contact." in section(card, "Contact")
    assert "not given" not in section(model_card(info, contact="Ward 3, ext. 17"), "Contact")
    assert "Ward 3, ext. 17" in section(model_card(info, contact="Ward 3, ext. 17"), "Contact")


def test_what_it_is_not_for_is_named(card):
    text = section(card, "Not for").lower()
    for use in (
        "decisions about a person",
        "evaluation of staff",
        "diagnosis",
        "emotions",
        "unlike",
        "agree",
    ):
        assert use in text
    assert "review suggested" in section(card, "Intended use")
    assert "Never validated on therapy sessions" in section(card, "Limits")


def test_a_drop_is_not_flagged_for_clients_with_one_session(info, card):
    assert "at least two" not in section(card, "Not for")
    assert "at least two" in section(
        model_card(replace(info, weak=Weak("drop", 1.0), weak_cut=0.4)), "Not for"
    )


def test_what_could_not_be_computed_is_said_and_is_no_zero(info):
    none = {"value": None, "low": None, "high": None}
    test = info.evaluation["held_out"][0]
    scores = {**test["scores"], "features": {**test["scores"]["features"], "spearman": none}}
    bare = {
        **info.evaluation,
        "held_out": [{**test, "scores": scores, "increment": none}],
        "permutation": [],
        "leakage": None,
        "ceiling": None,
        "flags": None,
        "parts": [],
    }
    text = model_card(replace(info, evaluation=bare, scale=None, therapists=None, people={}, raters=()))
    row = next(row for row in tables(section(text, "New clients"))[0] if row[0] == "**signals**")
    assert row[3] == "-"
    assert "covariates alone: R2 -." in section(text, "New clients")
    assert "No permutation test was made" in text
    assert "reliability is not known" in text
    assert "too few to learn probabilities" in section(text, "Flags of a weak bond")
    assert "No group of 10 or more clients" in section(text, "By group")
    assert "### New therapists" not in text
    told = dict(tables(section(text, "Data"))[0])
    assert told["Therapists"] == told["Rated by"] == told["Possible range"] == "not known"
    assert "Who they are is not known" in section(text, "Data")
    assert "None" not in text
    assert "nan" not in text.split()


def test_without_client_ids_nothing_is_claimed_of_new_clients(info):
    test = {**info.evaluation["held_out"][0], "by": "session", "groups": 120}
    evaluation = {**info.evaluation, "held_out": [test], "leakage": None}
    text = model_card(replace(info, grouped_by="session", clients=120, evaluation=evaluation))
    assert "nothing about new clients" in section(text, "New sessions")
    assert dict(tables(section(text, "Data"))[0])["Clients"] == "not known"
    assert "all sessions of a client" not in section(text, "How it was made and tested")


def test_covariates_of_the_model_and_what_it_started_from_are_told(info, card):
    assert "covariates" not in section(card, "What it is")
    own = replace(
        info,
        design=replace(info.design, numbers=("age",), categories={"gender": ("woman", "man")}),
        started_from="recalibrated from old.skops",
    )
    text = section(model_card(own), "What it is")
    assert "covariates age, gender" in text
    assert "recalibrated from old.skops" in text


def test_a_recalibrated_model_is_told_as_one(info):
    evaluation = {**info.evaluation, "stability": []}
    own = replace(
        info,
        design=Design(("expected",), False),
        base_design=info.design,
        started_from="recalibrated from old.skops",
        evaluation=evaluation,
    )
    text = model_card(own)
    assert "one line was learned" in section(text, "How it was made and tested")
    assert [row[0] for row in tables(section(text, "Signals"))[0]] == [shown(name) for name in info.features]
    assert {row[6] for row in tables(section(text, "Which signals"))[0]} == {"-"}
