"""The language that networks are written in (S2-E09, S3-E01): a text becomes layers, layers become a text.

    1x28x28 -> [[conv 6@5x5 pad 2 -> relu]*1 -> maxpool 2]*1 -> [fc 120 -> relu]*1 -> fc 10

    network  = ["input"] shape ("->" item)+        the arrow may be "→", the shape is CxHxW or a number of features
    item     = (layer | "[" item ("->" item)* "]") ["as" name] ["*" times | "×" times | "?"]
    times    = a number, or a letter whose value is given by name: parse(text, N=2)
    layer    = a word and its arguments; the words are in `words.py`
    name     = what the layer or the group is called: "[conv 6@5x5 as eye -> relu] as stem" has "stem.eye"; an unnamed
               group is written out, and its layers are called as if it were not there

Words may be written in capitals. "?" marks what may be left out: it is built unless optional=0. Channels and
features that come in are inferred, and `fc` flattens maps by itself.
"""

from chainrule.grammar.building import Blueprint, parse_text
from chainrule.grammar.writing import layer_description, layer_text, write_text

__all__ = ["Blueprint", "layer_description", "layer_text", "parse_text", "write_text"]
