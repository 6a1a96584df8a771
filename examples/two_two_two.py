"""The 2-2-2 network that is often computed by hand: one forward pass, one backward pass, one update, then 10,000."""

import numpy as np

import chainrule as cr

net = cr.Sequential(cr.Linear(2, 2, bias="shared"), cr.Sigmoid(), cr.Linear(2, 2, bias="shared"), cr.Sigmoid())
net.parameters["linear1.weight"] = [[0.15, 0.20], [0.25, 0.30]]
net.parameters["linear1.bias"] = [0.35]
net.parameters["linear2.weight"] = [[0.40, 0.45], [0.50, 0.55]]
net.parameters["linear2.bias"] = [0.60]
net.freeze("*.bias")  # the hand computation leaves the biases as they are

x, targets = np.array([[0.05, 0.10]]), np.array([[0.01, 0.99]])
loss = cr.HalfSquaredErrorLoss()

trace = net.trace(x, targets, loss=loss)
print(f"loss before            {trace.loss:.9f}")
print("outputs                ", trace["sigmoid2"].value[0])
print("deltas of the outputs  ", trace["linear2"].gradient[0])
print("deltas of the hidden   ", trace["linear1"].gradient[0])
print("gradient of w5 .. w8   ", trace["linear2.weight"].gradient.ravel())
print("gradient of w1 .. w4   ", trace["linear1.weight"].gradient.ravel())

net.fit(x, targets, loss=loss, optimizer=cr.SGD(0.5), epochs=1, progress=False)
print("w5 .. w8 after one step", net.parameters["linear2.weight"].ravel())

net.fit(x, targets, loss=loss, optimizer=cr.SGD(0.5), epochs=9_999, progress=False)
print(f"loss after 10,000      {net.evaluate(x, targets).loss:.9f}")
print("outputs                ", net(x)[0])
