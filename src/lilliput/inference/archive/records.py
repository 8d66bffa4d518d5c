"""The result of one video as a line of JSON: what workers send and the journal keeps."""

import json
from typing import Protocol

import numpy as np

from lilliput.errors import LilliputError, VideoError
from lilliput.inference.prediction import Prediction, Window
from lilliput.inference.writers import Header
from lilliput.reading import parse_json

DIED = "the process died while reading it, twice; the file may need more memory, or be damaged"


class Predictor(Protocol):
    """What a worker needs of a recogniser."""

    def predict(self, video: str, /) -> Prediction:
        """Recognises the actions in one file; raises VideoError if it cannot be read."""


def recognise(predictor: Predictor, path: str) -> str:
    """Predicts one file and returns its record; whatever is wrong with the file is a record too.

    Raises:
        LilliputError: Something is wrong with the settings, hence with every file.
    """
    try:
        return write_record(predictor.predict(path))
    except VideoError as error:
        return write_record(error)
    except LilliputError:
        raise
    except Exception as error:  # one odd file of a million must not end the run
        reason = " ".join(str(error).split())
        return write_record(VideoError(f"{path}: {type(error).__name__}: {reason}"))


def write_record(result: Prediction | VideoError) -> str:
    """One line of JSON without loss: float32 scores survive it to the bit."""
    if isinstance(result, VideoError):
        return json.dumps({"error": str(result)})
    document = {
        "source": result.source,
        "labels": result.labels,
        "scores": result.scores.tolist(),
        "windows": [
            (window.start_seconds, window.end_seconds, window.scores.tolist())
            for window in result.windows
        ],
        "warning": result.warning,
    }
    return json.dumps(document)


def read_record(line: str, header: Header) -> Prediction | VideoError:
    """The result that ``write_record`` wrote; what all of them have in common is in the header."""
    document = parse_json(line)
    if "error" in document:
        return VideoError(document["error"])
    return Prediction(
        source=document["source"],
        class_names=header.class_names,
        scores=np.array(document["scores"], dtype=np.float32),
        labels=tuple(document["labels"]),
        windows=tuple(
            Window(start, end, np.array(scores, dtype=np.float32))
            for start, end, scores in document["windows"]
        ),
        warning=document["warning"],
        task=header.task,
    )
