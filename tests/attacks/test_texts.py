"""Network texts that ask for too much are refused in linear time, with one short message that points at the column.

All of them are read in one process: a reader that works for minutes runs into the limit of time.
"""

from __future__ import annotations

import sys

import pytest

from tests.attacks.children import Answers, answers

ATTACKS = {
    "a million layers": "cr.parse('8 -> ' + ' -> '.join(['relu'] * 10**6))",
    "a million layers that are not built": "cr.parse('8 -> ' + ' -> '.join(['relu*0'] * 10**6))",
    "the same in groups": "cr.parse('8 -> relu -> ' + '[' * 32 + ' -> '.join(['relu*0'] * 10**5) + ']' * 32)",
    "10,000 to the power of 31": "cr.parse('1x8x8 -> ' + '[' * 31 + 'relu' + ']*9999' * 31)",
    "2 to the power of 32": "cr.parse('8 -> ' + '[' * 32 + 'relu -> relu' + ']*2' * 32)",
    "many brackets": "cr.parse('8 -> ' + '[' * 10**6)",
    "many closing brackets": "cr.parse('8 -> relu' + ']' * 10**6)",
    "many repetitions": "cr.parse('8 -> relu' + '*2' * 10**6)",
    "a long word": "cr.parse('8 -> ' + 'a' * 10**6)",
    "a long number": "cr.parse('8 -> fc ' + '1' * 10**6)",
    "a long fraction": "cr.parse('8 -> dropout 0.' + '1' * 10**6)",
    "a long extent": "cr.parse('1' * 10**6 + ' -> relu')",
    "a slip at the end of a long text": "cr.parse('8 -> ' + ' -> '.join(['relu'] * 5000) + ' $')",
    "ten million blanks": "cr.parse('8 -> relu' + ' ' * 10**7 + '$')",
    "a letter of 5,000 digits": "cr.parse('8 -> relu*N', N=10**5000)",
    "an unused letter of 5,000 digits": "cr.parse('8 -> relu', N=10**5000)",
    "an unused letter with a long name": "cr.parse('8 -> relu', **{'a' * 10**6: 1})",
    "10**10 parameters": "cr.parse('8 -> [fc 1000]*10000')",
    "10**17 parameters": "cr.parse('8 -> fc 300000000 -> fc 300000000')",
    "weights of every place": "cr.parse('8x1000x1000 -> local 100@9x9')",
    "a map of 2**60 pixels": "cr.parse('1x8x8 -> adaptiveavgpool 1073741824')",
    "an input of 2**90 numbers": "cr.parse('1073741824x1073741824x1073741824 -> relu')",
}


@pytest.fixture(scope="module")
def said() -> Answers:
    return answers(ATTACKS, gibibytes=3, seconds=120, program="import chainrule as cr")


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="limits of memory as Linux has them")
@pytest.mark.parametrize("name", ATTACKS)
def test_texts_that_ask_for_too_much(name: str, said: Answers) -> None:
    kind, message = said.get(name, ("not reached", ""))
    assert kind == "GrammarError", message[:300]
    sentence, _, excerpt = message.partition("\n")
    assert len(sentence) < 500
    assert len(excerpt) < 500
    assert "(column " in sentence
