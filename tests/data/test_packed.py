"""Packs: the same as the files in every respect, whole or not there, and honest about damage."""

import json
import os
import pickle
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.utils.data import DataLoader

from lilliput.data import Clip, LabelSet, VideoDataset, read_dataset
from lilliput.data.check import check, compare_with_tables
from lilliput.data.describe import describe
from lilliput.data.loading import EvaluationClips, FrameSource, TrainingClips, collate
from lilliput.data.manifest import write_manifest
from lilliput.data.packing import write_pack
from lilliput.data.split import resplit
from lilliput.data.statistics import measure_clip_seconds, measure_normalisation
from lilliput.errors import DataError, VideoError
from lilliput.video.normalisation import KINETICS
from lilliput.video.sampling import random_segments, sample_evaluation, spaced_clips
from lilliput.video.transforms import EvaluationTransform


@pytest.fixture
def damaged(tiny: Path) -> Path:
    """``tiny`` with a missing, an empty, a broken and a truncated clip, and a bad entry."""
    train = tiny / "videos/train"
    (train / "VIRAT_S_000101_a/0.mp4").unlink()
    (train / "VIRAT_S_000101_a/1.mp4").write_bytes(b"")
    (train / "VIRAT_S_000102_b/2.mp4").write_bytes(b"no video at all")
    shutil.copy(train / "2018-03-07.school.G330.r13/3.mp4", tiny / "videos/test/00000.mp4")
    entries = json.loads((tiny / "tiny_val_v2.json").read_text())
    (tiny / "tiny_val_v2.json").write_text(json.dumps([*entries, {**entries[1], "label": ["c"]}]))
    return tiny


def cut_off(path: Path, write_lossless) -> Path:
    """A video of 20 frames whose second half is missing."""
    frames = np.random.default_rng(0).integers(0, 256, (20, 32, 32, 3), dtype=np.uint8)
    whole = write_lossless(path, frames)
    whole.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    return whole


def pack(root: Path, out: Path) -> tuple[VideoDataset, VideoDataset]:
    """The data set from its files, and from a new pack of them."""
    dataset = read_dataset(root, strict=False)
    assert write_pack(dataset, out)
    return dataset, read_dataset(out, strict=False)


def test_a_pack_is_the_data_set(damaged: Path, tmp_path: Path) -> None:
    files, packed = pack(damaged, tmp_path / "pack")
    assert packed.root == tmp_path / "pack"
    assert replace(packed, root=files.root) == files  # layout, classes, clips, labels, problems
    assert packed.labels.flip_pairs == files.labels.flip_pairs
    assert len(packed.problems) == 1
    with pytest.raises(DataError, match="unknown label 'c'"):
        read_dataset(tmp_path / "pack")


def test_descriptions_and_checks_agree(damaged: Path, tmp_path: Path) -> None:
    files, packed = pack(damaged, tmp_path / "pack")
    assert describe(packed) == describe(files)
    report = check(packed)
    assert report == check(files)
    assert list(report.findings) == ["missing", "empty", "corrupt", "mislabelled"]
    assert [shared.kind for shared in report.shared if "test" in shared.splits] == ["file"]


def test_layouts_stay_known(tiny: Path, tmp_path: Path) -> None:
    """The thesis' tables are compared with by layout, and rendered clips are told by name."""
    files, packed = pack(tiny, tmp_path / "pack")
    assert compare_with_tables(packed) == compare_with_tables(files)
    assert packed.layout == "TinyVIRAT-v2"
    assert not packed.synthetic
    clips = [replace(clip, recording="SYNTHETIC_S_1") for clip in files.splits["train"]]
    write_pack(replace(files, splits={"train": clips}), tmp_path / "rendered")
    assert read_dataset(tmp_path / "rendered").synthetic


def test_measurements_agree(damaged: Path, tmp_path: Path) -> None:
    files, packed = pack(damaged, tmp_path / "pack")
    ours, theirs = (FrameSource(dataset.split("train")) for dataset in (packed, files))
    for kind in ("dataset", "clip"):
        assert measure_normalisation(ours, kind) == measure_normalisation(theirs, kind)
    assert measure_clip_seconds(ours.clips) == measure_clip_seconds(theirs.clips)


def test_unreadable_clips_give_the_same_reason(damaged: Path, tmp_path: Path) -> None:
    files, packed = pack(damaged, tmp_path / "pack")
    for ours, theirs in zip(packed.splits["train"][:3], files.splits["train"][:3], strict=True):
        reasons = []
        for clip in (ours, theirs):
            with pytest.raises(VideoError) as caught:
                clip.read()
            reasons.append(str(caught.value))
        assert reasons[0] == reasons[1]
        assert str(theirs.path) in reasons[0]


def test_a_damaged_video_gives_its_readable_frames(tmp_path: Path, write_lossless) -> None:
    path = cut_off(tmp_path / "set/train/a/1.avi", write_lossless)
    write_lossless(tmp_path / "set/train/b/2.mp4", np.zeros((3, 16, 16, 3), np.uint8))
    files, packed = pack(tmp_path / "set", tmp_path / "pack")
    ours, theirs = (dataset.splits["train"][0].read() for dataset in (packed, files))
    assert 0 < len(ours) < 20
    assert ours.damage == theirs.damage
    assert torch.equal(ours[:], theirs[:])
    assert check(packed) == check(files)
    assert check(packed).corrupt == (f"{path}: {ours.damage}",)


def identity(
    frames: torch.Tensor, targets: torch.Tensor, generator: torch.Generator
) -> tuple[torch.Tensor, torch.Tensor]:
    return frames, targets


def training_clips(clips: list[Clip], cache_bytes: int = 0) -> TrainingClips:
    source = FrameSource(clips, cache_bytes)
    source.fill()
    return TrainingClips(source, 1, lambda n, rng: random_segments(n, 4, rng), identity, seed=3)


@given(
    num_frames=st.integers(1, 30),
    size=st.tuples(st.integers(10, 40), st.integers(10, 40)),
    grey=st.booleans(),
    seed=st.integers(0, 99),
)
@settings(max_examples=20, deadline=None)
def test_samples_agree_to_the_bit(
    tmp_path_factory: pytest.TempPathFactory,
    write_lossless,
    num_frames: int,
    size: tuple[int, int],
    grey: bool,
    seed: int,
) -> None:
    root = tmp_path_factory.mktemp("set")
    shape = (num_frames, *size, 1 if grey else 3)
    pixels = np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)
    pixels = np.ascontiguousarray(np.broadcast_to(pixels, (num_frames, *size, 3)))
    clip = Clip("1", write_lossless(root / "1.mp4", pixels), (0,), "1")
    dataset = VideoDataset(root, "test", LabelSet.from_names(["a"]), {"train": [clip]})
    write_pack(dataset, root / "pack")
    assert (root / "pack/frames.bin").stat().st_size == pixels.size // (3 if grey else 1)
    packed = read_dataset(root / "pack").split("train")
    sources = training_clips(packed), training_clips([clip]), training_clips([clip], 2**20)
    for epoch in range(3):
        ours, *others = (source[epoch, 0, 0][0] for source in sources)
        assert ours.shape == (4, 3, *size)
        assert all(torch.equal(ours, other) for other in others)
    rng = np.random.default_rng([3, 0, 0])
    expected = pixels[random_segments(num_frames, 4, rng)].transpose(0, 3, 1, 2)
    np.testing.assert_array_equal(sources[0][0, 0, 0][0].numpy(), expected)
    views = [
        EvaluationClips(
            FrameSource(clips),
            1,
            lambda n, _: spaced_clips(n, 4, 3),
            EvaluationTransform(14, KINETICS),
        )[0][0]
        for clips in (packed, [clip])
    ]
    assert torch.equal(*views)


def test_reading_copies_and_never_writes(tiny: Path, tmp_path: Path) -> None:
    _, packed = pack(tiny, tmp_path / "pack")
    frames = packed.splits["train"][0].read()
    before = frames[:].clone()
    frames[:].zero_()
    frames[np.arange(2)].zero_()
    assert torch.equal(frames[:], before)
    assert not frames.file.pixels.flags.writeable


def _sum(clip: Clip) -> int:
    return int(clip.read()[:].sum())


def _sample_two(num_source: int, name: str) -> list[np.ndarray]:
    return sample_evaluation("segment", num_source, 4, num_clips=2, clip_id=name)


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_loader_processes_read_the_pack(tiny: Path, tmp_path: Path, method: str) -> None:
    _, packed = pack(tiny, tmp_path / "pack")
    clips = packed.splits["train"]
    expected = _sum(clips[0])  # maps the file before the processes start
    data = EvaluationClips(FrameSource(clips), 2, _sample_two, EvaluationTransform(14, KINETICS))
    loader = DataLoader(
        data, 2, num_workers=1, collate_fn=collate, multiprocessing_context=get_context(method)
    )
    batches = list(loader)
    assert torch.equal(torch.cat([b.clips for b in batches]), torch.stack([v[0] for v in data]))
    assert _sum(pickle.loads(pickle.dumps(clips[0]))) == expected
    assert len(pickle.dumps(clips[0])) < 2000  # the map stays behind


def test_a_pack_needs_no_cache(tiny: Path, tmp_path: Path) -> None:
    _, packed = pack(tiny, tmp_path / "pack")
    source = FrameSource(packed.splits["train"], cache_bytes=2**20)
    ticks: list[None] = []
    source.fill(lambda: ticks.append(None))
    assert len(ticks) == len(source)
    assert source._cache == {}


def test_a_new_split_of_a_pack_names_the_files(tiny: Path, tmp_path: Path) -> None:
    files, packed = pack(tiny, tmp_path / "pack")
    for dataset, name in ((files, "files"), (packed, "packed")):
        write_manifest(tmp_path / name / "manifest.csv", resplit(dataset, "recording"))
    texts = [(tmp_path / name / "manifest.csv").read_text() for name in ("files", "packed")]
    assert texts[0] == texts[1]
    new = resplit(packed, "recording")
    assert all(clip.packed for clips in new.splits.values() for clip in clips)


def test_the_same_files_are_packed_once(tiny: Path, tmp_path: Path) -> None:
    files, _ = pack(tiny, tmp_path / "pack")
    assert not write_pack(files, tmp_path / "pack")
    os.utime(files.splits["val"][0].path, ns=(1, 1))
    with pytest.raises(DataError, match=r"files that changed since; --replace"):
        write_pack(files, tmp_path / "pack")
    assert write_pack(files, tmp_path / "pack", replace=True)
    assert [path.name for path in tmp_path.glob(".*")] == []
    assert check(read_dataset(tmp_path / "pack")).findings == {}


def test_what_is_no_pack_is_left_alone(tiny: Path, tmp_path: Path) -> None:
    files, packed = pack(tiny, tmp_path / "pack")
    with pytest.raises(DataError, match="holds something else"):
        write_pack(files, tiny, replace=False)
    with pytest.raises(DataError, match="holds something else"):
        write_pack(files, tiny, replace=True)
    assert (tiny / "class_map.json").is_file()
    (tmp_path / "pack/notes.txt").write_text("mine")
    with pytest.raises(DataError, match="holds something else"):
        write_pack(files, tmp_path / "pack", replace=True)
    with pytest.raises(DataError, match="is a pack already"):
        write_pack(packed, tmp_path / "second")


def test_a_replaced_pack_is_not_read_with_the_old_index(tiny: Path, tmp_path: Path) -> None:
    files, packed = pack(tiny, tmp_path / "pack")
    write_pack(files, tmp_path / "pack", replace=True)
    with pytest.raises(DataError, match="replaced while in use"):
        packed.splits["train"][0].read()[:]


@pytest.mark.parametrize("position", [0, 1000, -1])
def test_one_changed_byte_is_found_and_named(tiny: Path, tmp_path: Path, position: int) -> None:
    pack(tiny, tmp_path / "pack")
    path = tmp_path / "pack/frames.bin"
    data = bytearray(path.read_bytes())
    data[position] ^= 1
    path.write_bytes(data)
    clips = [clip for split in read_dataset(tmp_path / "pack").splits.values() for clip in split]
    position %= len(data)
    starts = [clip.packed.frames.offset for clip in clips]
    hit = clips[np.searchsorted(starts, position, side="right") - 1].path
    lines = check(read_dataset(tmp_path / "pack")).corrupt
    assert len(lines) == 1
    assert str(hit) in lines[0]
    assert "pack again" in lines[0]


def edit_header(root: Path, **changes: object) -> None:
    header = json.loads((root / "pack.json").read_text())
    (root / "pack.json").write_text(json.dumps({**header, **changes}))


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda root: os.truncate(root / "frames.bin", 100), r"frames\.bin: has 100 of \d+ bytes"),
        (lambda root: (root / "frames.bin").unlink(), r"frames\.bin: has 0 of"),
        (lambda root: os.truncate(root / "index.json", 100), r"index\.json: missing or damaged"),
        (lambda root: (root / "index.json").unlink(), r"index\.json: missing or damaged"),
        (lambda root: (root / "pack.json").write_bytes(b"\xff{"), r"pack\.json: damaged"),
        (lambda root: (root / "pack.json").write_text("{}"), "is no pack of Lilliput"),
        (lambda root: (root / "pack.json").write_text("[1]"), "is no pack of Lilliput"),
        (lambda root: edit_header(root, version=2), "has pack version 2, this Lilliput reads 1"),
        (lambda root: edit_header(root, index_digest="0"), r"index\.json: missing or damaged"),
    ],
)
def test_a_spoilt_pack_is_one_line(
    tiny: Path, tmp_path: Path, run_cli, spoil, message: str
) -> None:
    pack(tiny, tmp_path / "pack")
    spoil(tmp_path / "pack")
    with pytest.raises(DataError, match=message) as caught:
        read_dataset(tmp_path / "pack")
    assert "\n" not in str(caught.value)
    code, out, err = run_cli("data", "check", tmp_path / "pack")
    assert (code, out) == (2, "")
    assert len(err.strip().splitlines()) == 1
    code, _, err = run_cli("data", "pack", tiny, "--out", tmp_path / "pack", "--replace")
    assert code == 0, err
    assert check(read_dataset(tmp_path / "pack")).findings == {}


def test_the_command(damaged: Path, tmp_path: Path, run_cli, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    code, out, err = run_cli("data", "pack", damaged)
    assert code == 0
    assert out.startswith("packed: 4 of 7 clips, ")
    assert out.strip().endswith("in runs/pack/tiny")
    assert err.count("cannot be read: ") == 3
    assert run_cli("data", "pack", damaged)[1].startswith("kept, it is up to date: 4 of 7 clips")
    code, ours, _ = run_cli("data", "describe", "runs/pack/tiny", "--out", "a")
    theirs = run_cli("data", "describe", damaged, "--out", "b")[1]
    assert ours.splitlines()[1:-1] == theirs.splitlines()[1:-1]
    assert Path("a/describe.json").read_bytes() == Path("b/describe.json").read_bytes()
    for command in (("preview", "--count", 1, "--split", "val"), ("check",)):
        assert run_cli("data", command[0], "runs/pack/tiny", *command[1:])[0] in (0, 1)


# Runs `lilliput data pack` and dies by SIGKILL at a given call, as a power cut would.
KILLED = """
import os, signal, sys
from lilliput.cli.main import main
from lilliput.data import durable, packing
from pathlib import Path

owner, name, calls = {
    "frames": (packing, "digest_of", 4),
    "index": (packing, "write_durably", 1),
    "header": (packing, "write_durably", 2),
    "verify": (packing, "read_pack", 1),
    "rename": (Path, "rename", 1),
    "second rename": (Path, "rename", 2),
}[sys.argv.pop(1)]
original, count = getattr(owner, name), 0

def dying(*arguments):
    global count
    count += 1
    if count == calls:
        os.kill(os.getpid(), signal.SIGKILL)
    return original(*arguments)

setattr(owner, name, dying)
main()
"""


def run_killed(moment: str, *arguments: object) -> None:
    command = [sys.executable, "-c", KILLED, moment, *map(str, arguments)]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == -signal.SIGKILL, result.stderr


@pytest.mark.parametrize("moment", ["frames", "header", "rename"])
def test_a_killed_pack_leaves_nothing_that_looks_whole(
    tiny: Path, tmp_path: Path, moment: str
) -> None:
    out = tmp_path / "packs" / "[a]"
    run_killed(moment, "data", "pack", tiny, "--out", out)
    assert not out.exists()
    assert len(list(out.parent.iterdir())) == 1  # hidden
    with pytest.raises(DataError, match="no such data set"):
        read_dataset(out)
    _, packed = pack(tiny, out)
    assert check(packed).findings == {}
    assert [path.name for path in out.parent.iterdir()] == ["[a]"]  # what was left is gone


@pytest.mark.parametrize("moment", ["rename", "second rename"])
def test_a_killed_replacement_never_mixes(tiny: Path, tmp_path: Path, moment: str) -> None:
    out = tmp_path / "packs" / "a"
    files, _ = pack(tiny, out)
    run_killed(moment, "data", "pack", tiny, "--out", out, "--replace")
    if moment != "second rename":  # the old pack is still there, whole
        assert check(read_dataset(out)).findings == {}
    assert write_pack(files, out, replace=True)
    assert check(read_dataset(out)).findings == {}
    assert [path.name for path in out.parent.iterdir()] == ["a"]


@pytest.mark.skipif(sys.platform != "linux", reason="such names exist only there")
def test_a_name_that_is_no_unicode(tmp_path: Path, write_lossless) -> None:
    path = write_lossless(tmp_path / "set/train/a/1.mp4", np.zeros((2, 16, 16, 3), np.uint8))
    path.rename(path.with_name("caf\udce9.mp4"))
    write_lossless(tmp_path / "set/train/a/2.mp4", np.zeros((2, 16, 16, 3), np.uint8))
    files, packed = pack(tmp_path / "set", tmp_path / "pack")
    assert packed.splits == files.splits
    assert describe(packed) == describe(files)


@pytest.mark.parametrize("error", [KeyboardInterrupt(), OSError(28, "No space left on device")])
def test_an_interrupted_pack_leaves_nothing(
    tiny: Path, tmp_path: Path, error: BaseException
) -> None:
    ticks: list[None] = []

    def on_clip() -> None:
        ticks.append(None)
        if len(ticks) == 3:
            raise error

    with pytest.raises(type(error)):
        write_pack(read_dataset(tiny), tmp_path / "packs/a", on_clip=on_clip)
    assert list((tmp_path / "packs").iterdir()) == []


def test_a_living_writer_is_left_alone(tiny: Path, tmp_path: Path) -> None:
    """A second writer of the same pack removes nothing under the hands of the first."""
    files = read_dataset(tiny)
    second: list[bool] = []

    def on_clip() -> None:
        if not second:
            second.append(True)
            with get_context("spawn").Pool(1) as pool:
                second.append(pool.apply(write_pack, (files, tmp_path / "pack")))

    # The first finishes last: its pack takes the place of the second's.
    assert write_pack(files, tmp_path / "pack", on_clip=on_clip)
    assert second == [True, True]
    assert check(read_dataset(tmp_path / "pack")).findings == {}


def test_parts_of_videos_are_packed(tmp_path: Path, write_lossless: Callable[..., Path]) -> None:
    frames = np.random.default_rng(0).integers(0, 256, (30, 16, 20, 3), dtype=np.uint8)
    write_lossless(tmp_path / "v.mp4", frames)
    manifest = tmp_path / "manifest.csv"
    manifest.write_text(
        "path,labels,split,id,start_seconds,end_seconds,box\n"
        "v.mp4,a,train,1,0.5,1.0,\nv.mp4,b,train,2,1,1.4,0 0 0.5 0.5\n"
    )
    dataset = read_dataset(manifest)
    assert write_pack(dataset, tmp_path / "pack")
    assert not write_pack(dataset, tmp_path / "pack")
    packed = read_dataset(tmp_path / "pack").split("train")
    for clip, original in zip(packed, dataset.split("train"), strict=True):
        assert torch.equal(clip.read()[:], original.read()[:])
        assert (clip.probe(), clip.part) == (original.probe(), original.part)
    assert not check(dataset).findings
    assert not check(read_dataset(tmp_path / "pack")).findings
    manifest.write_text(manifest.read_text().replace("0.5,1.0", "0.5,1.1"))
    with pytest.raises(DataError, match="packs other clips"):
        write_pack(read_dataset(manifest), tmp_path / "pack")
