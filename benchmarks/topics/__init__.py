"""The topics, in the order in which they run; each module has ``run(context) -> tables``."""

TOPICS = {
    "limits": "What the machine can do",
    "reading": "Reading frames",
    "input": "Training input",
    "loading": "Loading batches",
    "training": "Training step",
    "inference": "Inference",
    "memory": "Memory",
    "start": "Start",
    "thresholds": "Thresholds",
    "growth": "Growth",
    "archive": "Archive",
    "rendering": "Rendering",
    "watch": "Watching",
}
