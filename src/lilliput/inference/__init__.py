"""Using a trained model on any video."""
