from __future__ import annotations

import ast
import operator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from procession.analysis.formula import MAX_LENGTH, MAX_OPEN_PARENTHESES, Formula
from procession.errors import InvalidRequest

VALUES = {"a": 6.0, "b": 4.0, "nothing": None, "zero": 0.0, "huge": 1e308}


def value_of(text: str) -> float | None:
    formula = Formula.parse(text, VALUES)
    return formula.evaluated(
        lambda step: VALUES[step] if isinstance(step, str) else step,
        lambda operator, left, right: operator.result(left, right),
    )


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a", 6),
        (" a\t", 6),
        ("a + b * 2 - 1", 13),
        ("(a + b) * 2 - -1", 21),
        ("a - b - 1", 1),
        ("a / b / 2", 0.75),
        ("a / (b / 2)", 3),
        ("-a * b", -24),
        ("a*-b", -24),
        ("--a", 6),
        ("100 * a / (a+b)", 60),
        (".5*a + 1.5e1 + 2.", 20),
        ("a / zero", None),
        ("a + nothing", None),
        ("huge * 10", None),
        ("huge * 10 - huge * 10", None),
    ],
)
def test_a_formula_is_arithmetic_as_at_school(text: str, value: float | None) -> None:
    assert value_of(text) == value


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "expected a name, a number or (, at character 1"),
        ("a +", "expected a name, a number or (, at character 4"),
        ("a b", "expected an operator, at character 3"),
        ("a)", "expected an operator, at character 2"),
        ("(a", "expected ), at character 3"),
        ("a ^ 2", "expected an operator, at character 3"),
        ("a, b", "expected an operator, at character 2"),
        ("+a", "expected a name, a number or (, at character 1"),
        ("c * 2", "there is no query c, at character 1"),
        ("a + default_zero(b)", "default_zero() is a function, and functions are not answered, at character 5"),
        ("abs (a)", "abs() is a function, and functions are not answered, at character 1"),
        ("a * 1e999", "a number that is too large, at character 5"),
        ("2 * 3", "it names no query"),
        ("a" + "+a" * (MAX_LENGTH // 2), f"it has more than {MAX_LENGTH} characters"),
        ("(" * 17 + "a" + ")" * 17, f"more than {MAX_OPEN_PARENTHESES} open parentheses, at character 18"),
        ("١ + a", "expected a name, a number or (, at character 1"),
    ],
)
def test_what_is_no_formula_is_refused_and_the_character_named(text: str, message: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        Formula.parse(text, VALUES)

    assert str(refused.value) == f"Invalid formula: {message}"


def test_a_formula_knows_its_queries_in_its_order() -> None:
    assert Formula.parse("b + a / b", VALUES).names == ("b", "a")


OPERATORS = {ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv}


def by_python(node: ast.expr) -> float | None:
    if isinstance(node, ast.Name):
        return VALUES[node.id]
    if isinstance(node, ast.Constant):
        return float(str(node.value))
    if isinstance(node, ast.UnaryOp):
        value = by_python(node.operand)
        return None if value is None else -value
    assert isinstance(node, ast.BinOp)
    left, right = by_python(node.left), by_python(node.right)
    try:
        return None if left is None or right is None else OPERATORS[type(node.op)](left, right)
    except ZeroDivisionError:
        return None


formulas = st.recursive(
    st.sampled_from(["a", "b", "nothing", "zero", "2", "0.5"]),
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from("+-*/"), inner).map(" ".join),
        inner.map("({})".format),
        inner.map("-{}".format),
    ),
    max_leaves=12,
)


@given(formulas)
def test_a_formula_is_what_python_makes_of_it(text: str) -> None:
    expected = by_python(ast.parse(f"a + ({text})", mode="eval").body)

    assert value_of(f"a + ({text})") == expected
