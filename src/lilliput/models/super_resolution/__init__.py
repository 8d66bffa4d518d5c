"""Super-resolution before recognition (thesis sections 2.3 and 5.1): one kind in each file.

All of them are modules that enlarge clips in space: ``(N, 3, T, H, W)`` with pixels in 0..1 to
``(N, 3, T, S * H, S * W)``. ``FrontEnd`` puts one before a network.
"""
