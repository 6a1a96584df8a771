"""Comparison with PyTorch, which is needed for nothing else: its functions forward, its autograd backward."""
