"""Models that ship with the package, by name."""

SHIPPED = {"people": "people.safetensors", "synthetic": "synthetic.safetensors"}
DEFAULT_MODEL = "people"  # of commands that are given none
