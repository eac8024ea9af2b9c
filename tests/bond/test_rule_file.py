"""Rule files: what comes with vsa holds together, and whoever writes one hears of every fault."""

from __future__ import annotations

import re
import time
from pathlib import Path

import pytest

from vsa.bond.rules.file import load_rules, parse
from vsa.errors import InputError
from vsa.features.core import CORE
from vsa.features.registry import find
from vsa.run.cluster_file import read_request
from vsa.study.instruments import load as load_instrument
from vsa.toml_file import parsed

DOCS = Path(__file__).parents[2] / "docs" / "rules.md"
RULE = """
[[rules]]
feature = "face.smile_share"
scopes = ["client"]
weak = "low"
why = "Why."
source = "A paper"
"""


def told(text):
    with pytest.raises(InputError) as caught:
        parse(text, "own.toml")
    assert caught.value.message.startswith("own.toml is no ")
    assert "docs/rules.md" in caught.value.hint
    return [line.strip() for line in caught.value.message.splitlines()[1:]]


def test_the_rules_that_come_with_vsa_are_of_core_features_and_say_what_speaks_for_and_against_them():
    rules = load_rules()
    assert (rules.file, rules.share, rules.least) == ("rules.toml", 0.1, 2)
    assert 8 <= len(rules.signals) <= 12
    for rule in rules.rules:
        assert rule.feature in CORE
        assert find(rule.feature).group != "quality"
        assert re.search(r"\d{4}|PsyArXiv", rule.source)
        assert rule.doubt
        assert rule.why.endswith(".")


def test_waits_and_silences_that_come_with_vsa_are_compared_within_platforms():
    within = {rule.feature: rule.within for rule in load_rules().rules}
    assert within.pop("turns.latency_median_s") == within.pop("turns.silence_share") == "platform"
    assert set(within.values()) == {"cohort"}


def test_the_docs_list_the_rules_that_come_with_vsa_and_their_example_is_read():
    text = DOCS.read_text("utf-8")
    rows = re.findall(r"^\| `(\w+\.\w+)` \| ([\w, ]+) \| (\w+) \|", text, re.MULTILINE)
    ours = [
        (rule.feature, "both" if rule.scopes == ("dyad",) else ", ".join(rule.scopes), rule.weak)
        for rule in load_rules().rules
    ]
    assert rows == ours
    example = parse(re.search(r"```toml\n(.*?)```", text, re.DOTALL)[1], "example")
    assert list(example.signals) == ["client.turns.latency_median_s", "therapist.turns.talk_share"]
    assert [rule.weak for rule in example.rules] == ["high", "both"]


def test_a_file_of_ones_own_is_read_and_named(tmp_path):
    path = tmp_path / "ours.toml"
    path.write_text(RULE.replace('scopes = ["client"]', 'scopes = ["p1", "p2"]'))
    rules = load_rules(path)
    assert (rules.file, rules.share, rules.least) == ("ours.toml", 0.1, 2)
    assert list(rules.signals) == ["p1.face.smile_share", "p2.face.smile_share"]


def test_whose_a_signal_is_can_stand_in_its_name_and_goes_without_saying_for_both():
    full = RULE.replace('"face.smile_share"\nscopes = ["client"]', '"supervisor.face.smile_share"')
    both = RULE.replace('"face.smile_share"\nscopes = ["client"]', '"turns.overlap_share"')
    rules = parse(full + both, "own.toml")
    assert list(rules.signals) == ["supervisor.face.smile_share", "dyad.turns.overlap_share"]


@pytest.mark.parametrize(
    ("feature", "within"),
    [
        ("turns.gap_median_s", "platform"),
        ("turns.long_silence_rate_per_min", "platform"),
        ("face.smile_answer_latency_median_s", "platform"),
        ("turns.talk_share", "cohort"),
    ],
)
def test_what_a_call_delays_is_compared_within_platforms_unless_the_rule_says_otherwise(feature, within):
    entry = find(feature)
    text = RULE.replace("face.smile_share", feature).replace(
        "client", "dyad" if entry.scope == "dyad" else "client"
    )
    assert parse("least = 1" + text, "own.toml").rules[0].within == within
    assert parse("least = 1" + text + 'within = "cohort"', "own.toml").rules[0].within == "cohort"


def test_every_fault_is_told_at_once_with_its_place_and_what_is_right():
    faults = told(
        """
        share = 2
        lest = 3
        least = true

        [[rules]]
        feature = "face.smile_shar"
        scopes = ["client"]
        weak = "lo"
        why = "Why."
        source = "A paper"

        [[rules]]
        feature = "head.nod_rate_per_min"
        weak = "low"
        wy = "Why."
        source = ""
        """
    )
    assert faults == [
        "lest: there is no such key; is least meant?",
        "share: '2' won't do; it must be a share from 0.05 to 0.5",
        "least: 'True' won't do; it must be a whole number from 1 on",
        faults[3],
        'rule 1 (face.smile_shar), weak: \'lo\' won\'t do; it must be "low", "high" or "both"',
        "rule 2 (head.nod_rate_per_min), wy: there is no such key; is why meant?",
        'rule 2 (head.nod_rate_per_min), scopes: is missing; it must list whose, as ["client", "therapist"]',
        "rule 2 (head.nod_rate_per_min), why: is missing; it must be a sentence in quotes: what the signal has to do "
        "with the bond",
        "rule 2 (head.nod_rate_per_min), source: '' won't do; it must say in quotes where that was read",
    ]
    assert faults[3].startswith(
        "rule 1 (face.smile_shar), feature: there is none of that name; Did you mean face.smile"
    )


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ('"face.smile_share"', "3", "rule 1, feature: '3' won't do"),
        ('feature = "face.smile_share"', "", "rule 1, feature: is missing"),
        ('"face.smile_share"', '"quality.tracked_share"', "describes the recording, not the people"),
        ('"face.smile_share"', '"client.face.smile_share"', "says already whose it is"),
        ('"face.smile_share"', '"turns.silence_share"', "it is of both together"),
        ('["client"]', '["dyad"]', "it is of one person, not of both together"),
        ('["client"]', '"client"', "scopes: 'client' won't do"),
        ('["client"]', "[]", "scopes: '[]' won't do"),
        ('["client"]', '["client", 2]', "won't do"),
        ('["client"]', '["my client"]', "won't do"),
        ('["client"]', '["client", "client"]', "somebody is there twice"),
        ('weak = "low"', "", "weak: is missing"),
        ('weak = "low"', "weak = 1", "weak: '1' won't do"),
        ('weak = "low"', 'weak = "low"\nwithin = "room"', 'it must be "cohort" or "platform"'),
        ('weak = "low"', 'weak = "low"\ndoubt = 3', "doubt: '3' won't do"),
        ('why = "Why."', 'why = " "', "why: ' ' won't do"),
        ("[[rules]]", "[[rule]]", "rule: there is no such key; is rules meant?"),
        ("[[rules]]", "[rules]", "rules: there must be one or more, each below a line [[rules]]"),
        ("[[rules]]", "least = 2.0\n[[rules]]", "least: '2.0' won't do"),
        ("[[rules]]", "least = 0\n[[rules]]", "least: '0' won't do"),
        ("[[rules]]", "share = nan\n[[rules]]", "share: 'nan' won't do"),
        ("[[rules]]", 'share = "0.1"\n[[rules]]', "share: '0.1' won't do"),
        ("[[rules]]", "share = 0.01\n[[rules]]", "share: '0.01' won't do"),
        ("[[rules]]", "least = 2\n[[rules]]", "2 weak signals are never there"),
    ],
)
def test_a_fault_is_told_in_words(old, new, fault):
    assert old in RULE
    assert any(fault in one for one in told(RULE.replace(old, new)))


def test_a_signal_that_two_rules_look_at_is_refused():
    assert told(RULE + RULE.replace('["client"]', '["client", "therapist"]')) == [
        "rules: client.face.smile_share is looked at twice; keep one"
    ]


def test_an_empty_file_and_one_that_is_no_toml_are_told_apart():
    assert told("") == ["rules: there must be one or more, each below a line [[rules]]"]
    with pytest.raises(InputError, match=r"own\.toml is no TOML file: .*line 1"):
        parse("share = = 2", "own.toml")


def test_a_file_that_cant_be_read_is_named(tmp_path):
    with pytest.raises(InputError, match="No such file"):
        load_rules(tmp_path / "none.toml")
    with pytest.raises(InputError, match="directory"):
        load_rules(tmp_path)
    (tmp_path / "latin.toml").write_bytes("# über\n".encode("latin-1"))
    with pytest.raises(InputError, match="not UTF-8"):
        load_rules(tmp_path / "latin.toml")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (f"a = {'[' * 100_000}", "deep"),
        (f"a = {'[' * 100}{']' * 100}", "deep"),
        (".".join("a" * 100_000) + " = 1", "parts"),
        ("[" + ".".join(['"a,b"'] * 100_000) + "]", "parts"),
        ("#" * 1_100_000, "1 MB"),
    ],
)
def test_toml_that_would_take_for_ever_or_go_too_deep_is_refused_at_once(tmp_path, text, why):
    (tmp_path / "own.toml").write_text(text)
    for read in (load_rules, lambda path: load_instrument(str(path)), read_request):
        begun = time.process_time()
        with pytest.raises(InputError, match=rf"own\.toml is no TOML.*{why}"):
            read(tmp_path / "own.toml")
        assert time.process_time() - begun < 5


def test_dots_in_texts_and_comments_and_of_numbers_are_no_keys():
    dots = "." * 200
    lines = (
        f'a = "{dots}"  # {dots}',
        f"b = [{'0.5, ' * 200}]",
        f"c = '''\n{dots}'''",
        f'd = """\n\\"{dots}"""',
    )
    assert parsed("\n".join(lines))["d"] == f'"{dots}'
