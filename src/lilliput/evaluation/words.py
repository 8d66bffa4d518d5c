"""The numbers of a report as people read them."""

from typing import Any

from lilliput.evaluation.guessers import chance_level

_NOTHING = "–"  # shown for what cannot be computed


def percent(share: float | None) -> str:
    """A fraction as the thesis prints it: 0.3296 is 33.0."""
    return _NOTHING if share is None else f"{100 * share:.1f}"


def points(difference: float) -> str:
    """A difference of fractions in percentage points, with its sign."""
    return f"{100 * difference:+z.1f}"


def interval_in_words(report: dict[str, Any], name: str) -> str:
    """Such as ``30.1 to 35.8``; a dash where there is none."""
    interval = (report["intervals"] or {}).get(name)
    return f"{percent(interval['low'])} to {percent(interval['high'])}" if interval else _NOTHING


def compare_in_words(report: dict[str, Any]) -> str:
    """The paired comparison as two sentences."""
    comparison = report["comparison"]
    accuracies = ""
    if report["task"] == "single":
        accuracies = (
            f" Top-1 {percent(comparison['top1'])} against {percent(comparison['baseline_top1'])}."
        )
    difference = comparison["difference"]
    finding = "not distinguishable from"
    if comparison["distinguishable"]:
        finding = "better than" if difference["estimate"] > 0 else "worse than"
    return (
        f"This run is {finding} the baseline. Macro F1 {percent(comparison['macro_f1'])} against "
        f"{percent(comparison['baseline_macro_f1'])}: {points(difference['estimate'])} points, "
        f"{100 * report['confidence']:.0f} % interval {points(difference['low'])} to "
        f"{points(difference['high'])}, p = {comparison['p_value']:.3f}.{accuracies}"
    )


def unknown_in_words(report: dict[str, Any]) -> str:
    """How many clips stay unknown, and why; of clips with one label."""
    limit, share = report["unknown_below"], report["classification"]["unknown"]
    if limit == 0 and share == 0:
        return "Every clip is given a class."
    why = f"no class of theirs is more likely than {100 * limit:.1f}\u00a0%"
    if limit == 0:
        why = "they could not be read"
    return f"{percent(share)} % of the clips are given no class (unknown): {why}."


def confusion_in_words(row: dict[str, Any]) -> str:
    """What a class is most often confused with, such as ``walk (3)``."""
    return (
        f"{row['confused_with']} ({row['confused_clips']})" if row["confused_clips"] else _NOTHING
    )


def score_rows(report: dict[str, Any]) -> list[dict[str, Any]]:
    """The scores that head a report of clips with one label, the first one first.

    Each has ``name``, ``score``, ``interval`` (in words), ``chance`` and ``meaning``.
    """
    classification = report["classification"]
    scores = [
        ("top1", "top-1", classification["top1"], "clips that are given the right class"),
        (
            "top5",
            "top-5",
            classification["top5"],
            "clips whose class is among the five most likely",
        ),
        (
            "mean_class_accuracy",
            "mean per-class accuracy",
            classification["mean_class_accuracy"],
            "mean over the classes of the share of their clips that is right",
        ),
        (
            "macro_f1",
            "macro F1",
            report["metrics"]["macro"]["f1"],
            "mean over the classes of F1, which counts false alarms too",
        ),
    ]
    return [
        {
            "name": name,
            "score": score,
            "interval": interval_in_words(report, key),
            "chance": chance_level(report["guessers"], key),
            "meaning": meaning,
        }
        for key, name, score, meaning in scores
        if score is not None
    ]
