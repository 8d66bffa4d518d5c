"""What matters in the rendering of people: without one part at a time, on real video.

Each row renders equally many clips from one seed, trains the recipe ``people`` on them from
scratch, and scores gmdcsa24 and ARID's train split as ``real_people`` does, balanced accuracy of
the highest score. Much less than what made ``people``: only differences count.

    python -m benchmarks.rendered_parts --data ../shared/data --detector yolox_nano.onnx \
        --motion ../shared/motion --out parts

The last row trains on the puppets of ``data synthetic`` instead, which neither sit nor fall: so
walking, running and standing are told for each row, too. Rows that OUT/rows.json holds already
are not made again.
"""

import argparse
import json
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import torch

from benchmarks.commands import LILLIPUT
from benchmarks.real_people import HOME, NIGHT, Names, recalls, score
from benchmarks.real_video import FRAMES, RealClip, Yolox, arid, gmdcsa24
from lilliput.checkpoint import load_checkpoint
from lilliput.data.people import camera, performing, render
from lilliput.data.people.body import Body
from lilliput.data.people.exposure import Sensor
from lilliput.data.people.write import MANIFEST, write_people
from lilliput.inference.recognizer import Recognizer

UPRIGHT: Names = {
    "walk": ["walking", "activity_walking"],
    "run": ["running", "activity_running"],
    "stand": ["standing", "activity_standing"],
}
_draw_body, _draw_sensor = Body.draw, Sensor.draw


def _one_body(rng: np.random.Generator, light: Any) -> Body:
    del rng
    return _draw_body(np.random.default_rng(4), light)


def _plain_room(rng: np.random.Generator, size: int, horizon: float, light: Any) -> Any:
    del horizon, light
    return np.full((size, size, 3), rng.uniform(0.1, 0.9), np.float32)


def _clean_sensor(rng: np.random.Generator) -> Sensor:
    drawn = _draw_sensor(rng)
    even = replace(drawn, light="day", brightness=0.45, contrast=1.0, noise=0.0, lamps=0, edge=1.0)
    return replace(even, smear=False, interlaced=False, flicker=0.0, crf=16)


def _framed_alike(rng: np.random.Generator, *, wide: bool) -> tuple[float, Any]:
    del rng, wide
    return 1.2, np.full(2, 0.5)


def _elevation_of_eyes(rng: np.random.Generator) -> float:
    return float(rng.uniform(-2, 12))


# What is replaced in which module or class, and by what.
PARTS: Mapping[str, Sequence[tuple[object, str, object]]] = {
    "everything": (),
    "views: from the height of eyes alone": ((camera, "_draw_elevation", _elevation_of_eyes),),
    "bodies: one build, one dress": ((Body, "draw", _one_body),),
    "backgrounds: one plain color": ((render, "background", _plain_room),),
    "degradation: even light, no noise, no blur": ((Sensor, "draw", _clean_sensor),),
    "framing: always the same": ((camera, "_draw_framing", _framed_alike),),
    "motions: keyed alone": ((performing, "_CAPTURED_SHARE", 0.0),),
    "motions: captured wherever there are any": (
        (performing, "_CAPTURED_SHARE", 1.0), (performing, "_OFTEN", 1e-9),
    ),
}  # fmt: skip
PUPPETS = "puppets of data synthetic"


@contextmanager
def without(row: str) -> Iterator[None]:
    """Renders so, in this process, while it lasts."""
    with ExitStack() as stack:
        for owner, name, other in PARTS[row]:
            stack.enter_context(patch.object(owner, name, other))
        yield


def make(row: str, folder: Path, motion: Path, clips: int, seed: int, epochs: int) -> Path:
    """Renders, packs and trains a row; returns the model."""
    rendered, pack, run = folder / "clips", folder / "pack", folder / "run"
    for left in (rendered, pack, run):
        shutil.rmtree(left, ignore_errors=True)
    if row == PUPPETS:
        _lilliput(
            "data", "synthetic", rendered, "--train", clips, "--val", 0, "--test", 0, "--seed", seed
        )
        data = rendered
    else:
        with without(row):
            write_people(rendered, clips, seed, motion=motion, workers=1)  # patches stay here
        data = rendered / MANIFEST
    _lilliput("data", "pack", data, "--out", pack)
    shutil.rmtree(rendered)
    settings = ("data.val=", "data.workers=0", f"training.epochs={epochs}", f"training.seed={seed}")
    chosen = [part for setting in settings for part in ("--set", setting)]
    chosen += ["--set", "training.batch_size=32"]
    _lilliput("train", "people", "--data", pack, "--run", run, *chosen)
    shutil.rmtree(pack)
    return run / "best.safetensors"


def _lilliput(*words: object) -> None:
    subprocess.run([*LILLIPUT, *map(str, words)], check=True)


def measure(model: Path, home: Sequence[RealClip], night: Sequence[RealClip]) -> dict[str, float]:
    """Balanced accuracy by set, in %; of the sets whose actions the model knows."""
    loaded = load_checkpoint(model)
    recognizer, classes = Recognizer(loaded, window_seconds=FRAMES / 30), loaded.labels.class_names
    upright = [clip for clip in home if clip.label in ("walk", "stand")]
    upright += [clip for clip in night if clip.label in ("walk", "run")]
    sets = {"gmdcsa24": (home, HOME), "arid train": (night, NIGHT), "upright": (upright, UPRIGHT)}
    measured = {}
    for name, (clips, actions) in sets.items():
        known = {label: [one for one in ours if one in classes] for label, ours in actions.items()}
        if all(known.values()):
            logits = score(recognizer, [clip.frames for clip in clips])
            each = recalls(logits, [clip.label for clip in clips], classes, known)
            measured[name] = 100 * float(each.mean())
    return measured


def main() -> None:
    """Parses, makes what is missing, prints all rows."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--data", type=Path, required=True, help="folder of gmdcsa24 and arid")
    parser.add_argument("--detector", type=Path, required=True, help="a YOLOX network, .onnx")
    parser.add_argument("--motion", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--clips", type=int, default=8000)
    parser.add_argument("--epochs", type=int, default=8)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1])
    given = parser.parse_args()
    torch.set_num_threads(1)
    given.out.mkdir(parents=True, exist_ok=True)
    kept = given.out / "rows.json"
    rows: dict[str, dict[str, float]] = json.loads(kept.read_text()) if kept.is_file() else {}
    detect = Yolox(given.detector)
    home = list(gmdcsa24(given.data / "gmdcsa24", detect))
    night = list(arid(given.data / "arid", "train", detect))
    for seed in given.seeds:
        for row in (*PARTS, PUPPETS):
            name = f"{row}, seed {seed}"
            if name not in rows:
                model = make(row, given.out, given.motion, given.clips, seed, given.epochs)
                rows[name] = measure(model, home, night)
                kept.write_text(json.dumps(rows, indent=1))
            told = ", ".join(f"{of} {share:.1f}" for of, share in rows[name].items())
            print(f"{name:55} {told}", flush=True)
    print("chance: gmdcsa24 20, arid train 20, upright 33.3")


if __name__ == "__main__":
    main()
