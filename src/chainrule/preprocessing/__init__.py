"""Preprocessing learned from training data alone: centring, scaling, PCA, whitening (S3-F02..F04, ER3-17).

One contract for all: `fit(x)` learns from training data, `transform(x)` applies it to any data, `inverse(y)`
leads back, `fit_transform(x)` does both steps. x is (n, features) or images (n, channels, height, width),
each pixel a feature; uint8 pixels count 0 to 255 here. Everything is computed and returned in float64.

Variances are divided by n - ddof. The default ddof=0 divides by n, in every class; ddof=1 gives the unbiased
estimate. What does not vary in the training data (range 0, variance 0, eigenvalue 0) holds nothing to scale:
it is mapped to one constant, never divided by zero, and `inverse` leads back to its training value.
"""

from chainrule.preprocessing.base import Compose, Preprocessor
from chainrule.preprocessing.principal import PCA, Whiten
from chainrule.preprocessing.scaling import Center, MinMaxScale, Standardize

__all__ = ["PCA", "Center", "Compose", "MinMaxScale", "Preprocessor", "Standardize", "Whiten"]
