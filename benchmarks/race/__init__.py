"""Programs that train LeNet-5 on full MNIST from process start, each in one framework; `accuracy` runs and times them.

    python -m benchmarks.race.with_chainrule FOLDER SEED

They print the test accuracy after each epoch, one number a line, and stop at the first that reaches the goal.
"""
