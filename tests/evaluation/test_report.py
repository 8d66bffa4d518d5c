import base64
import csv
import io
import json
import re
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest
from rich.console import Console

from lilliput.errors import DataError
from lilliput.evaluation.rendering import points, print_report, write_report
from lilliput.evaluation.report import ReportContext, evaluate_report
from lilliput.evaluation.scored import ScoredClips
from lilliput.scoring import bootstrap_intervals, paired_comparison

CONTEXT = ReportContext("Run <1> & co", "", {"split": "val <&>"})

# Six clips, four classes; "never" is neither annotated nor predicted, "ghost" only predicted.
NAMES = ["walk", "a<b>&[red]$x_{", "ghost", "never"]
TARGETS = np.array(
    [[1, 0, 0, 0], [1, 0, 0, 0], [1, 1, 0, 0], [1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 0, 0]], bool
)
SCORES = np.array(
    [
        [0.9, 0.1, 0.0, 0.0],
        [0.8, 0.6, 0.0, 0.0],
        [0.7, 0.9, 0.8, 0.0],
        [0.2, 0.2, 0.0, 0.0],
        [0.6, 0.3, 0.0, 0.0],
        [0.0, 0.0, 0.0, 0.0],
    ]
)
SIDES = np.array([10, 20, 19, 128, 129, 0])


def _scored(**changes):
    scored = ScoredClips(
        clip_ids=np.array([f"{i:05d}" for i in range(6)]),
        recordings=np.array(["a", "a", "b", "b", "c", "c"]),
        sides=SIDES,
        scores=SCORES,
        targets=TARGETS,
        class_names=np.array(NAMES),
        unreadable=np.array(["<5>.mp4: cannot be decoded"]),
    )
    return replace(scored, **changes)


def _report(scored=None, thresholds=(0.5, 0.5, 0.5, 0.75), baseline=None):
    return evaluate_report(scored or _scored(), np.array(thresholds), CONTEXT, baseline)


def test_classes_by_hand():
    walk, second, ghost, never = _report()["per_class"]
    assert (walk["true_positives"], walk["false_positives"], walk["false_negatives"]) == (3, 1, 1)
    assert (walk["support"], walk["predicted"], walk["threshold"]) == (4, 4, 0.5)
    assert (walk["precision"], walk["recall"], walk["f1"]) == (0.75, 0.75, 0.75)
    # Ranked .9 .8 .7 hit, .6 false, .2 hit: mean of 1, 1, 1 and 4/5.
    assert walk["average_precision"] == pytest.approx(0.95)
    assert (second["true_positives"], second["false_positives"]) == (1, 1)
    assert (ghost["predicted"], ghost["f1"], ghost["average_precision"]) == (1, 0, None)
    assert [row["absent"] for row in (walk, second, ghost, never)] == [False, False, False, True]
    assert never["threshold"] == 0.75


def test_averages_by_hand():
    metrics = _report()["metrics"]
    assert metrics["macro"]["f1"] == pytest.approx((0.75 + 0.5 + 0 + 0) / 4)
    # Pooled: 4 hits, 7 predicted, 6 annotated.
    assert metrics["micro"]["f1"] == pytest.approx(8 / 13)
    # By clip: 1, 2/3, 4/5, 0, 0, and 0 for the clip without any label.
    assert metrics["samples"]["f1"] == pytest.approx((1 + 2 / 3 + 4 / 5) / 6)
    assert metrics["weighted"]["f1"] == pytest.approx((4 * 0.75 + 2 * 0.5) / 6)
    assert set(_report()["averaging"]) == {"macro", "micro", "samples", "weighted"}


def test_resolutions_by_hand():
    rows = {row["group"]: row for row in _report()["per_resolution"]}
    assert list(rows) == [
        *("0–20", "20–40", "40–60", "60–80", "80–100", "100–128", ">128"),
        "unknown",
    ]
    assert [row["clips"] for row in rows.values()] == [2, 1, 0, 0, 0, 1, 1, 1]
    # Clips 0 and 2: both annotated classes are right, the ghost lowers micro F1 alone.
    assert rows["0–20"]["classes"] == 2
    assert rows["0–20"]["macro_f1"] == pytest.approx(1)
    assert rows["0–20"]["micro_f1"] == pytest.approx(2 * 3 / (4 + 3))
    assert rows["100–128"]["macro_f1"] == 0
    for empty in ("40–60", "unknown"):
        assert (rows[empty]["macro_f1"], rows[empty]["micro_f1"]) == (None, None)


def test_no_row_of_unknown_size_where_all_sizes_are_known():
    rows = _report(_scored(sides=np.full(6, 64)))["per_resolution"]
    assert [row["group"] for row in rows][-1] == ">128"
    assert rows[3]["clips"] == 6


def test_guessers_by_hand():
    every, frequent, random = _report()["guessers"]
    # Priors 4/6, 2/6, 0, 0; F1 of always saying yes is 2p / (1 + p).
    assert every["macro_f1"] == pytest.approx((0.8 + 0.5) / 4)
    assert every["micro_f1"] == pytest.approx(2 * 6 / (24 + 6))
    # "walk" alone: 4 hits, 6 given, 6 annotated; with the second class 12 / 18, which ties.
    assert frequent["micro_f1"] == pytest.approx(8 / 12)
    assert frequent["macro_f1"] == pytest.approx(0.8 / 4)
    assert random["macro_f1"] == pytest.approx((4 / 6 + 2 / 6) / 4)
    assert random["micro_f1"] == pytest.approx((16 + 4) / 36)
    assert every["mean_average_precision"] == pytest.approx(0.5)


def test_no_constant_guess_beats_the_guessers():
    rng = np.random.default_rng(0)
    targets = rng.random((40, 5)) < [0.6, 0.4, 0.2, 0.05, 0]
    scored = ScoredClips(
        *(np.arange(40).astype(str), np.arange(40).astype(str), np.full(40, 30)),
        *(rng.random((40, 5)), targets, np.array(list("abcde")), np.array([], str)),
    )
    every, frequent, _ = _report(scored, np.full(5, 0.5))["guessers"]
    macro, micro = [], []
    for code in range(32):  # every subset of the five classes
        given = np.broadcast_to([bool(code >> bit & 1) for bit in range(5)], targets.shape)
        hits, total = (given & targets), given.sum(0) + targets.sum(0)
        macro.append(np.mean(2 * hits.sum(0) / np.maximum(total, 1)))
        micro.append(2 * hits.sum() / total.sum())
    assert every["macro_f1"] == pytest.approx(max(macro))
    assert frequent["micro_f1"] == pytest.approx(max(micro))


def test_intervals_are_those_of_the_bootstrap_over_recordings():
    scored = _scored()
    expected = bootstrap_intervals(SCORES > 0.5, TARGETS, scored.recordings.tolist())
    intervals = _report(thresholds=(0.5,) * 4)["intervals"]
    assert intervals["macro_f1"] == vars(expected["macro_f1"])
    assert intervals["macro_f1"]["low"] < intervals["macro_f1"]["high"]


def test_one_recording_has_no_interval(tmp_path):
    report = _report(_scored(recordings=np.full(6, "only")))
    assert report["intervals"] is None
    page = write_report(report, tmp_path).read_text(encoding="utf-8")
    assert "all clips come from one recording" in page


def test_the_comparison_is_the_paired_one():
    scored = _scored()
    worse = replace(scored, scores=np.zeros_like(SCORES))
    report = _report(baseline=(worse, np.full(4, 0.5)))
    comparison = report["comparison"]
    expected = paired_comparison(
        SCORES > 0.5, np.zeros((6, 4), bool), TARGETS, scored.recordings.tolist()
    )
    assert comparison["difference"] == vars(expected.difference)
    assert comparison["p_value"] == expected.p_value
    assert (comparison["macro_f1"], comparison["baseline_macro_f1"]) == (0.3125, 0)
    assert [row["difference"] for row in comparison["per_class"]] == [0.75, 0.5, 0, 0]


def test_a_baselines_own_thresholds_are_used():
    # Above 0.65 "walk" loses its false alarm: 3 hits, 3 predicted, 4 annotated.
    comparison = _report(baseline=(_scored(), np.array([0.65, 0.5, 0.5, 0.5])))["comparison"]
    assert comparison["per_class"][0]["baseline_f1"] == pytest.approx(6 / 7)


@pytest.mark.parametrize("field", ["clip_ids", "class_names", "targets"])
def test_a_baseline_on_other_data_is_refused(field):
    scored = _scored()
    other = replace(scored, **{field: getattr(scored, field)[::-1]})
    with pytest.raises(DataError, match="baseline"):
        _report(baseline=(other, np.full(4, 0.5)))


def test_withheld_labels_point_to_the_submission():
    with pytest.raises(DataError, match="lilliput submit"):
        _report(_scored(targets=np.zeros((0, 4), bool)))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    report = _report(baseline=(_scored(), np.full(4, 0.5)))
    return write_report(report, tmp_path_factory.mktemp("runs") / "new" / "folder").parent


@pytest.fixture(scope="module")
def page(folder):
    return _Page((folder / "report.html").read_text(encoding="utf-8"))


def test_json_is_strict_and_whole(folder):
    def refuse(constant):
        raise AssertionError(f"{constant} is no JSON")

    text = (folder / "report.json").read_text(encoding="utf-8")
    report = json.loads(text, parse_constant=refuse)
    assert report == _report(baseline=(_scored(), np.full(4, 0.5)))


def test_a_number_that_is_none_is_never_written(tmp_path):
    with pytest.raises(ValueError, match="JSON"):
        write_report(_report() | {"confidence": float("nan")}, tmp_path)


def test_nothing_annotated_is_still_a_report(tmp_path):
    report = _report(_scored(targets=np.zeros_like(TARGETS)))
    json.dumps(report, allow_nan=False)
    assert report["metrics"]["mean_average_precision"] is None
    assert all(guesser["macro_f1"] == 0 for guesser in report["guessers"])
    write_report(report, tmp_path)


def test_the_table_for_spreadsheets_has_one_row_per_class(folder):
    with (folder / "per_class.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["name"] for row in rows] == NAMES
    assert (rows[0]["f1"], rows[2]["average_precision"]) == ("0.75", "")


class _Page(HTMLParser):
    """Collects what a browser would load and show, and checks that tags close in order."""

    VOID = ("meta", "img", "br", "link")

    def __init__(self, text):
        super().__init__()
        self.source, self.text, self.tags = text, "", set()
        self.open, self.addresses, self.alts = [], [], []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        attributes = dict(attrs)
        self.tags.add(tag)
        self.addresses += [attributes[key] for key in ("src", "href") if key in attributes]
        if tag == "img":
            self.alts.append(attributes.get("alt"))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] != "style":
            self.text += data


def test_the_page_holds_its_pictures_and_asks_for_nothing(folder, page):
    assert page.open == []
    assert page.tags.isdisjoint({"script", "link", "iframe"})
    images = [address for address in page.addresses if address.startswith("data:")]
    assert set(page.addresses) - set(images) == {"#unreadable"}
    names = ("per_resolution", "per_class", "thresholds", "reliability")
    files = [folder / f"{name}.png" for name in names]
    assert [base64.b64decode(image.partition(",")[2]) for image in images] == [
        file.read_bytes() for file in files
    ]
    assert all(page.alts) and len(page.alts) == 4
    assert not re.search(r"https?://|@import|url\(", page.source)


def test_names_are_shown_as_they_are_written(page):
    for text in ("Run <1> & co", "val <&>", NAMES[1], "<5>.mp4: cannot be decoded"):
        assert text in page.text
    assert "b" not in page.tags  # which one of the names would open


def test_the_page_marks_the_absent_class(page):
    assert "1 of 4 classes is neither annotated nor predicted" in page.text
    assert page.source.count('<tr class="absent">') == 1


def test_the_note_is_shown_only_where_there_is_one(page, tmp_path):
    report = _report() | {"note": "Synthetic <clips> only"}
    noted = _Page(write_report(report, tmp_path).read_text(encoding="utf-8"))
    assert 'role="note"' not in page.source
    assert "Synthetic <clips> only" in noted.text
    assert "Synthetic <clips> only" in _printed(report)


def _printed(report):
    console = Console(file=io.StringIO(), width=120)
    print_report(report, console)
    return console.file.getvalue()


def test_the_terminal_shows_macro_f1_first():
    lines = _printed(_report()).splitlines()
    averages = [line for line in lines if re.search(r"│ (macro|micro|samples|weighted)", line)]
    assert re.search(r"macro .*31\.2 .* to ", averages[0])
    assert re.search(r"micro .*61\.5", averages[1])
    assert any(NAMES[1] in line for line in lines)  # square brackets are no markup
    assert any("1 of 6 clips could not be read" in line for line in lines)


@pytest.mark.parametrize(
    ("ours", "theirs", "finding"),
    [
        (SCORES, SCORES, "not distinguishable from the baseline"),
        (TARGETS * 1.0, SCORES * 0, "better than the baseline"),
        (SCORES * 0, TARGETS * 1.0, "worse than the baseline"),
    ],
)
def test_the_finding_in_words(ours, theirs, finding):
    report = _report(_scored(scores=ours), baseline=(_scored(scores=theirs), np.full(4, 0.5)))
    assert finding in _printed(report).replace("\n", " ")


def test_no_difference_has_no_minus():
    assert (points(-0.0001), points(-0.012), points(0.031)) == ("+0.0", "-1.2", "+3.1")
