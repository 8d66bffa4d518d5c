"""The training procedure (thesis section 4.1.4), run by Lightning."""
