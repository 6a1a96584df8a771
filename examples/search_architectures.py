"""A search over architectures with scikit-learn: which network reads small digits best?

The network is a text, and so one hyperparameter among others. Needs the extra `sklearn`.
"""

from sklearn.datasets import load_digits
from sklearn.model_selection import GridSearchCV, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler

from chainrule.sklearn import CNNClassifier

X, y = load_digits(return_X_y=True)  # 1,797 images of 8x8 pixels, one in each row
train_x, test_x, train_y, test_y = train_test_split(X, y, test_size=0.25, stratify=y, random_state=0)

pipeline = make_pipeline(MinMaxScaler(), CNNClassifier(image_shape=(8, 8), epochs=15, random_state=0))
settings = {
    "cnnclassifier__network": [
        "",  # no hidden layer: softmax regression
        "fc 32 -> relu",
        "conv 8@3x3 -> relu -> maxpool 2",
        "conv 8@3x3 pad 1 -> relu -> conv 16@3x3 -> relu -> maxpool 2 -> dropout 0.25",
    ],
    "cnnclassifier__learning_rate": [0.003, 0.01],
}
search = GridSearchCV(pipeline, settings, cv=3).fit(train_x, train_y)

results = zip(search.cv_results_["params"], search.cv_results_["mean_test_score"], strict=True)
for given, score in sorted(results, key=lambda item: -item[1]):
    network, rate = (given[f"cnnclassifier__{name}"] for name in ("network", "learning_rate"))
    print(f"{100 * score:6.2f} %  rate {rate:<6}  {network or '(no hidden layer)'}")
print(f"test accuracy of the best: {100 * search.score(test_x, test_y):.2f} %, of images that the search never saw")
