import json
import shutil
from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import pytest

from lilliput.data import VideoDataset, read_dataset, shrinking
from lilliput.data.shrinking import shrink_dataset
from lilliput.errors import DataError
from lilliput.video.decode import VideoReader
from lilliput.video.encode import VideoWriter
from lilliput.video.shrink import Shrink

SMALL = Shrink((12, 16))


@pytest.fixture(scope="session")
def uneven(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, np.ndarray, list[float]]:
    """Six frames of noise, 24x32 px, at uneven times."""
    frames = np.random.default_rng(0).integers(0, 256, (6, 24, 32, 3), dtype=np.uint8)
    times = [0.0, 0.1, 0.25, 0.3, 0.5, 0.8]
    path = tmp_path_factory.mktemp("uneven") / "a.mp4"
    with VideoWriter(path, (32, 24), fps=10, crf=None) as writer:
        for frame, seconds in zip(frames, times, strict=True):
            writer.add(frame, seconds)
    return path, frames, times


@pytest.fixture
def root(tmp_path: Path, uneven: tuple[Path, np.ndarray, list[float]]) -> Path:
    """UCF-101 with two classes and two splits."""
    root = tmp_path / "ucf"
    names = [f"{c}/v_{c}_g0{group}_c01.avi" for c in ("Left", "Right") for group in (1, 2)]
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(uneven[0], (root / name).with_suffix(".mp4"))
    (root / "classInd.txt").write_text("1 Left\n2 Right\n")
    for number, (train, test) in {1: (1, 0), 2: (0, 1)}.items():
        (root / f"trainlist0{number}.txt").write_text(f"{names[train]} 1\n{names[2 + train]} 2\n")
        (root / f"testlist0{number}.txt").write_text(f"{names[test]}\n{names[2 + test]}\n")
    return root


def _contents(dataset: VideoDataset) -> dict[str, list[tuple[object, ...]]]:
    return {
        split: [(clip.clip_id, clip.labels, clip.recording) for clip in clips]
        for split, clips in dataset.splits.items()
    }


def _frames(path: Path) -> np.ndarray:
    """Every frame of a file once, however long it stands."""
    with VideoReader(path) as reader:
        return np.stack(list(reader))


def test_the_copy_has_the_same_splits_labels_groups_and_times(
    root: Path, tmp_path: Path, uneven: tuple[Path, np.ndarray, list[float]]
) -> None:
    out = tmp_path / "small"
    done: list[int] = []
    dataset = read_dataset(root)
    made = shrink_dataset(dataset, out, SMALL, on_clip=lambda: done.append(1))
    assert (made.num_clips, made.num_kept, made.skipped, made.damaged) == (4, 0, (), ())
    assert len(done) == 4
    copy = read_dataset(out)
    assert _contents(copy) == _contents(dataset)
    assert copy.labels == dataset.labels
    assert copy.labels.flip_pairs == ((0, 1),)
    _, frames, times = uneven
    means = frames.reshape(6, 12, 2, 16, 2, 3).mean(axis=(2, 4)).transpose(0, 3, 1, 2)
    with VideoReader(copy.split("train")[0].path) as reader:
        read = list(reader.iter_lazy())
    np.testing.assert_allclose(np.stack([f.to_rgb() for f in read]), means, atol=0.5)
    assert [frame.seconds for frame in read] == pytest.approx(times, abs=1e-4)
    assert reader.average_fps == pytest.approx(6 / 0.8, rel=0.2)


def test_a_run_that_was_stopped_goes_on(root: Path, tmp_path: Path) -> None:
    out = tmp_path / "small"
    dataset = read_dataset(root)
    first = shrink_dataset(dataset, out, SMALL)
    files = sorted((out / "videos").rglob("*.mp4"))
    files[1].unlink()
    first.manifest.unlink()
    before = files[0].stat().st_mtime_ns
    again = shrink_dataset(dataset, out, SMALL)
    assert (again.num_clips, again.num_kept) == (4, 3)
    assert files[0].stat().st_mtime_ns == before
    assert _contents(read_dataset(out)) == _contents(dataset)


def test_a_clip_appears_whole_or_not_at_all(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Full(VideoWriter):
        def add(self, picture: np.ndarray, seconds: float | None = None) -> None:
            if seconds:
                raise OSError(28, "No space left on device")
            super().add(picture, seconds)

    monkeypatch.setattr(shrinking, "VideoWriter", Full)
    with pytest.raises(OSError, match="No space left"):
        shrink_dataset(read_dataset(root), tmp_path / "small", SMALL, workers=1)
    assert not [path for path in (tmp_path / "small/videos").rglob("*") if path.is_file()]


def test_official_splits_share_their_clips(root: Path, tmp_path: Path) -> None:
    out = tmp_path / "small"
    shrink_dataset(read_dataset(root), out, SMALL)
    second = read_dataset(f"{root}@2")
    made = shrink_dataset(second, out, SMALL, split_number=2)
    assert (made.manifest.name, made.num_kept) == ("manifest@2.csv", 4)
    assert _contents(read_dataset(f"{out}@2")) == _contents(second)
    assert _contents(read_dataset(out)) == _contents(read_dataset(root))
    with pytest.raises(DataError, match=r"small: has no split @3; leave that out"):
        read_dataset(f"{out}@3")


def test_bad_clips_are_skipped_and_listed(root: Path, tmp_path: Path) -> None:
    (root / "Left/v_Left_g01_c01.mp4").write_bytes(b"no video")
    (root / "Right/v_Right_g02_c01.mp4").unlink()
    out = tmp_path / "small"
    made = shrink_dataset(read_dataset(root, strict=False), out, SMALL)
    assert made.num_clips == 2
    assert len(made.skipped) == 2
    assert "trainlist01.txt: line 2: no video 'v_Right_g02_c01'" in made.skipped[0]
    assert "v_Left_g01_c01.mp4: not a readable video" in made.skipped[1]
    assert (out / "skipped.txt").read_text().splitlines() == list(made.skipped)
    assert sum(map(len, read_dataset(out).splits.values())) == 2


def test_a_clip_that_ends_early_is_told(root: Path, tmp_path: Path) -> None:
    path = root / "Left/v_Left_g01_c01.mp4"
    content = path.read_bytes()
    with av.open(str(path)) as container:
        last = max(packet.pos for packet in container.demux(video=0) if packet.pos)
    header = content.index(b"moov") - 4
    path.write_bytes(content[:last] + bytes(header - last) + content[header:])
    made = shrink_dataset(read_dataset(root), tmp_path / "small", SMALL)
    assert made.num_clips == 4
    assert len(made.damaged) == 1
    assert "v_Left_g01_c01.mp4: " in made.damaged[0]
    clip = next(c for c in read_dataset(made.manifest).split("test") if "Left" in c.clip_id)
    assert 0 < len(_frames(clip.path)) < 6  # what can be read is kept


def test_nothing_readable_is_an_error(root: Path, tmp_path: Path) -> None:
    for path in root.rglob("*.mp4"):
        path.write_bytes(b"")
    with pytest.raises(DataError, match="not one clip can be read; see"):
        shrink_dataset(read_dataset(root), tmp_path / "small", SMALL)


def test_noise_does_not_depend_on_the_order(root: Path, tmp_path: Path) -> None:
    dataset = read_dataset(root)
    noisy = Shrink((12, 16), noise=9.0)
    for name, workers, seed in (("a", 1, 3), ("b", 3, 3), ("c", 1, 4)):
        shrink_dataset(dataset, tmp_path / name, noisy, seed=seed, workers=workers)
    files = sorted(p.relative_to(tmp_path / "a") for p in (tmp_path / "a").rglob("*.mp4"))
    one, two, three = ([(tmp_path / n / f).read_bytes() for f in files] for n in "abc")
    assert one == two
    assert all(first != other for first, other in zip(one, three, strict=True))
    assert one[0] != one[1]  # two copies of one video differ in their noise


def test_compression(root: Path, tmp_path: Path) -> None:
    dataset = read_dataset(root)
    made = shrink_dataset(dataset, tmp_path / "a", SMALL, crf=40)
    path = read_dataset(made.manifest).split("test")[0].path
    with av.open(str(path)) as container:
        assert container.streams.video[0].codec_context.pix_fmt == "yuv420p"
    with pytest.raises(DataError, match="compressed videos have even sides; give --side even ones"):
        shrink_dataset(dataset, tmp_path / "b", Shrink((13, 16)), crf=40)


def test_other_settings_or_files_are_refused(root: Path, tmp_path: Path) -> None:
    out = tmp_path / "small"
    dataset = read_dataset(root)
    shrink_dataset(dataset, out, SMALL)
    assert json.loads((out / "shrink.json").read_text())["side"] == [12, 16]
    with pytest.raises(DataError, match=r"shrink\.json: says that other clips or settings"):
        shrink_dataset(dataset, out, Shrink((16, 16)))
    with pytest.raises(DataError, match=r"ucf: holds something else; give another --out"):
        shrink_dataset(dataset, root, SMALL)


def test_parts_of_videos_become_files(root: Path, tmp_path: Path) -> None:
    manifest = tmp_path / "parts.csv"
    manifest.write_text(
        "path,labels,split,id,start_seconds,end_seconds,box\n"
        "ucf/Left/v_Left_g01_c01.mp4,a,train,../../x:y,0.1,0.45,0 0 0.5 1\n"
        "ucf/Left/v_Left_g01_c01.mp4,b,train,..,0.3,9,\n"
    )
    made = shrink_dataset(read_dataset(manifest), tmp_path / "small", Shrink(6))
    clips = read_dataset(made.manifest).split("train")
    assert [clip.clip_id for clip in clips] == ["../../x:y", ".."]
    assert [_frames(clip.path).shape for clip in clips] == [(3, 3, 6, 6), (3, 3, 6, 8)]
    assert all(tmp_path / "small/videos" in clip.path.resolve().parents for clip in clips)


def test_clips_of_one_name_in_two_splits(root: Path, tmp_path: Path) -> None:
    folder = tmp_path / "folders"
    for split in ("train", "val"):
        for name in ("A/1", "B/1"):
            (folder / split / name).parent.mkdir(parents=True)
            shutil.copyfile(root / "Left/v_Left_g01_c01.mp4", folder / split / f"{name}.mp4")
    dataset = read_dataset(folder)
    made = shrink_dataset(dataset, tmp_path / "small", SMALL)
    assert _contents(read_dataset(made.manifest)) == _contents(dataset)
    assert len(list((tmp_path / "small/videos").rglob("*.mp4"))) == 4


def test_command(root: Path, tmp_path: Path, run_cli: Callable[..., tuple[int, str, str]]) -> None:
    out = tmp_path / "small"
    (root / "Left/v_Left_g01_c01.mp4").write_bytes(b"")
    command = ("data", "shrink", root, "--side", "12x16", "--out", out, "--workers", 1)
    code, output, errors = run_cli(*command)
    assert code == 0
    assert "3 clips (0 kept, 1 skipped, see" in output
    assert "the file is empty" in errors
    code, output, _ = run_cli("data", "shrink", f"{root}@2", *command[3:])
    assert "3 clips (3 kept, 1 skipped" in output
    assert "manifest@2.csv" in output
    for side in ("12x", "0", "12x16x3", "large"):
        code, _, errors = run_cli("data", "shrink", root, "--side", side, "--out", out)
        assert (code, "is no size; give height x width" in errors) == (2, True)
