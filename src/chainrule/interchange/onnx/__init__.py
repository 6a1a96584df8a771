"""ONNX, out and in: a file that any runtime computes with, and whatever our layers can express of a file of others."""
