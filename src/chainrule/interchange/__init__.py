"""Where networks come from and go to: one package or module for each neighbour, ONNX, C, PyTorch and Keras.

A `Network` offers these ways as methods (`to_onnx`, ...), which import what they need when they are called: nothing
here, and none of the optional packages, is loaded before somebody asks for it.
"""
