"""Synthetic clips in TinyVIRAT-v2's layout: the data set that is always there.

Nothing in it was filmed. Little people and vehicles are drawn so that most classes can only be
told by how they move, then degraded the way real small crops are; the test split is filmed by
other, worse cameras. A figure measured on it says that the code works, not how well the
method does on real footage.
"""

from lilliput.data.synthetic.write import write_synthetic
from lilliput.data.tinyvirat_classes import TINYVIRAT_CLASSES

__all__ = ["TINYVIRAT_CLASSES", "write_synthetic"]
