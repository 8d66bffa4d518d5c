"""Everything Lilliput raises on purpose.

::

    LilliputError
    ├── ConfigError      a setting is misspelt, out of range or contradicts another
    ├── DataError        a data set is missing, malformed or lacks what was asked of it
    ├── VideoError       one video cannot be read; batch jobs skip it, count it and list it
    ├── CheckpointError  a model file is missing, damaged or of another shape
    ├── TrainingError    a training cannot go on; its last good checkpoint is intact
    └── ExportError      an exported model differs too much from its checkpoint

The message of each is one line that names the file or setting at fault and the remedy.
The command line prints it without a traceback and exits with code 2.
"""


class LilliputError(Exception):
    """Base of all errors a user can mend."""


class ConfigError(LilliputError):
    """A setting is misspelt, out of range or contradicts another."""


class DataError(LilliputError):
    """A data set is missing, malformed or lacks what was asked of it."""


class VideoError(LilliputError):
    """One video cannot be read."""


class CheckpointError(LilliputError):
    """A model file is missing, damaged or of another shape."""


class TrainingError(LilliputError):
    """A training cannot go on; its last good checkpoint is intact."""


class ExportError(LilliputError):
    """An exported model differs too much from its checkpoint."""
