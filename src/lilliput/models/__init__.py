"""Networks. Each is ``forward(clips: (N, 3, T, H, W) float) -> logits (N, K)``."""
