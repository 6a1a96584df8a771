"""scikit-learn estimators over `Network` (extra `sklearn`): every setting is a hyperparameter, the architecture too.

from chainrule.sklearn import CNNClassifier
search = GridSearchCV(CNNClassifier(image_shape=(1, 8, 8)), {"network": ["fc 32 -> relu", "conv 8@3x3 -> relu"]})

Where `skl2onnx` is installed, it converts pipelines that hold one of them: see `chainrule.sklearn.onnx`.
"""

from chainrule.errors import MissingExtraError

try:
    import sklearn  # noqa: F401
except ImportError:
    raise MissingExtraError("chainrule.sklearn", "sklearn") from None

from chainrule.sklearn.classifier import CNNClassifier
from chainrule.sklearn.onnx import register_converters
from chainrule.sklearn.regressor import CNNRegressor

register_converters()

__all__ = ["CNNClassifier", "CNNRegressor"]
