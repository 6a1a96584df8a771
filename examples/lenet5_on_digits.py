"""LeNet-5 on the bundled digits: 5,000 images to train on, 1,000 to test. The number of epochs may be given."""

import sys

import chainrule as cr
from chainrule import data, zoo

epochs = int(sys.argv[1]) if len(sys.argv) > 1 else 5
digits = data.load("digits")
net = zoo.lenet5(seed=0)
print(net.summary())

net.fit(
    digits.train_images,
    digits.train_labels,
    loss=cr.CrossEntropyLoss(),
    optimizer=cr.SGD(0.05, momentum=0.9, weight_decay=5e-4),
    schedule=cr.OneCycle(),
    epochs=epochs,
    batch_size=32,
)
print(net.evaluate(digits.test_images, digits.test_labels))

x, targets = digits.train_images[:4], digits.train_labels[:4]
loss, gradients, dx = net.gradients(x, targets, loss=cr.CrossEntropyLoss())
print(f"\nloss of four images {loss:.6f}; largest gradients")
for name, gradient in gradients.items():
    print(f"  {name:<15} {abs(gradient).max():.6f}")
