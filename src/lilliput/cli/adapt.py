"""``lilliput adapt``: a model made for one camera, by footage without labels."""

from pathlib import Path
from typing import Annotated

import typer
from rich.progress import Progress

from lilliput.cli.options import Detector
from lilliput.cli.output import messages, print_fact
from lilliput.errors import ConfigError

_MANY_WINDOWS = 600


def adapt(
    model_and_footage: Annotated[
        list[str],
        typer.Argument(
            metavar="[MODEL] FOOTAGE...",
            help="A checkpoint, a run folder or a shipped model's name [people]; then videos of "
            "one camera, or folders of them.",
        ),
    ],
    out: Annotated[Path, typer.Option(dir_okay=False, help="The adapted model's file.")] = Path(
        "adapted.safetensors"
    ),
    detector: Annotated[
        Detector, typer.Option(help="motion; people; or none, for clips of one person each.")
    ] = Detector.MOTION,
    norm_share: Annotated[
        float,
        typer.Option(min=0, max=1, help="Of batch normalization's statistics, from the footage."),
    ] = 0.3,
) -> None:
    """Adapt a model to a camera by footage of it that nobody labeled."""
    if out.suffix != ".safetensors":
        raise ConfigError(f"{out}: name a file that ends with .safetensors")
    if out.exists():
        raise ConfigError(f"{out}: exists already; remove it or give another --out")

    from lilliput.checkpoint import load_checkpoint, save_checkpoint
    from lilliput.inference.adaptation import adapt as run
    from lilliput.inference.adaptation import check_adaptable
    from lilliput.inference.naming import split_model
    from lilliput.inference.recognizer import Recognizer
    from lilliput.watch.cameras import CameraSettings
    from lilliput.watch.footage import find_footage
    from lilliput.watch.sampling import WindowSample

    model, footage = split_model(model_and_footage)
    if not footage:
        raise ConfigError("nothing to adapt to: give videos of the camera")
    checkpoint = load_checkpoint(model)
    check_adaptable(checkpoint)
    sample = WindowSample(Recognizer(checkpoint), _MANY_WINDOWS)
    sources = find_footage(footage)
    with Progress(console=messages, transient=True) as progress:
        task = progress.add_task("watching", total=len(sources))
        for number, source in enumerate(sources):
            camera = CameraSettings(name=f"camera_{number}", source=source, detector=detector.value)
            sample.watch([camera], _tell)
            progress.advance(task)
    adapted = run(checkpoint, sample.clips(), norm_share=norm_share)
    save_checkpoint(adapted, out)
    print_fact("windows", f"{sample.seen} in {len(sources)} files, {len(sample.clips())} used")
    print_fact("adapted model", out)
    print_fact("next", f"lilliput watch {out} FOOTAGE")


def _tell(line: str) -> None:
    messages.print(line, style="yellow", markup=False, soft_wrap=True)
