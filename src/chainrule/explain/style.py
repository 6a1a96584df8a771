"""The style of a page, in the colours of `colours`, with that of its drawings."""

from __future__ import annotations

from chainrule.explain.colours import scheme
from chainrule.explain.drawings.canvas import STYLE as DRAWINGS

STYLE = (
    scheme(".chainrule")
    + DRAWINGS
    + """
.chainrule { font: 15px/1.5 system-ui, sans-serif; padding: 0 max(1rem, calc((100% - 60rem) / 2)); color:
  var(--chainrule-ink); background: var(--chainrule-paper); position: relative; }
.chainrule h1 { font-size: 1.5rem; }
.chainrule h2 { font-size: 1.15rem; border-bottom: 1px solid var(--chainrule-line); margin-top: 2rem; }
.chainrule h3 { font-size: 1rem; margin-bottom: .2rem; }
.chainrule .note, .chainrule .detail { color: var(--chainrule-quiet); font-size: .93em; }
.chainrule summary { cursor: pointer; }
.chainrule summary h2 { display: inline; border: 0; }
.chainrule details { border-bottom: 1px solid var(--chainrule-line); padding: .4rem 0; }
.chainrule .because { margin: .4rem 0; border-left: 3px solid var(--chainrule-winner); padding-left: .7rem; }
.chainrule .good { color: var(--chainrule-good); font-weight: 600; }
.chainrule .label { color: var(--chainrule-quiet); padding-right: 1rem; white-space: nowrap; vertical-align: top; }
.chainrule .source { color: var(--chainrule-quiet); font-size: .8em; padding-left: 1rem; }
.chainrule table { border-collapse: collapse; margin: .4rem 0; overflow: auto hidden; padding-bottom: .2rem;
  display: block; border: 0; }
.chainrule td, .chainrule th { padding: .1rem .5rem; text-align: left; border: 0; background: none; }
.chainrule math { font-size: 1.05em; }
.chainrule .map td, .chainrule .map th { text-align: right; font-variant-numeric: tabular-nums; border: 1px solid
  var(--chainrule-line); }
.chainrule .map th { color: var(--chainrule-quiet); font-weight: normal; }
.chainrule .caption { margin: .8rem 0 0; }
.chainrule .window { background: var(--chainrule-wash-window); }
.chainrule .here { background: var(--chainrule-wash-here); font-weight: 600; }
.chainrule .winner { background: var(--chainrule-wash-winner); font-weight: 600; }
.chainrule .largest { background: var(--chainrule-wash-here); }
.chainrule .winner.here { outline: 2px solid var(--chainrule-here); }
.chainrule .zero { color: var(--chainrule-quiet); }
.chainrule .legend { margin: 0; color: var(--chainrule-quiet); font-size: .93em; }
.chainrule .legend span { padding: 0 .3rem; }
.chainrule .drawing { overflow-x: auto; margin: .6rem 0; }
.chainrule .drawing svg { display: block; }
.chainrule .drawn { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
.chainrule .list td:first-child { white-space: nowrap; }
.chainrule .list td, .chainrule .list th { border-bottom: 1px solid var(--chainrule-line); }
"""
)
