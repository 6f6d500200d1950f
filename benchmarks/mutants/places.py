"""Where one line of a module can be turned wrong, and how: each place gives one mutant.

What is turned: comparisons and their limits, `and` and `or`, `not`, guards, returned values, numbers, `+` and `-`, the
smallest for the largest, all for any, one member of a short named set, and a call made only for its effect. Words,
annotations and what only tells of progress are left alone.
"""

import ast
from collections.abc import Iterator
from dataclasses import dataclass

COMPARISONS: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
    ast.In: ast.NotIn, ast.NotIn: ast.In, ast.Is: ast.IsNot, ast.IsNot: ast.Is,
}  # fmt: skip
ARITHMETIC: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult, ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
}  # fmt: skip
LONGEST_SET = 8  # members; longer ones are lists of words
LOOKS = ("indent", "ensure_ascii", "flush", "daemon", "exist_ok", "strict")  # how something is written or called
NAMES = {"min": "max", "max": "min", "any": "all", "all": "any"}
# What is said of work on its way, and where tests may stop a process: no promise hangs on it.
TELLS = ("tell", "logger", "print", "console", "reach", "progress", "warn", "warning", "info", "debug")


@dataclass(frozen=True)
class Place:
    """One mutant: the file, and the text that stands from `start` to `end` in it replaced by `text`."""

    file: str
    line: int
    start: int
    end: int
    text: str
    kind: str

    def applied(self, source: str) -> str:
        """The module with this one place turned."""
        return source[: self.start] + self.text + source[self.end :]

    def changed(self, source: str) -> tuple[str, str]:
        """The lines that differ, before and after, without their indentation."""
        first = source.rfind("\n", 0, self.start) + 1
        last = source.find("\n", self.end)
        before, after = source[first:last], source[first : self.start] + self.text + source[self.end : last]
        return " ".join(before.split()), " ".join(after.split())


def places_in(file: str, source: str) -> list[Place]:
    """Every place of one module, in its order."""
    tree = ast.parse(source)
    offsets = [0]
    for line in source.encode().splitlines(keepends=True):
        offsets.append(offsets[-1] + len(line))
    raw = source.encode()

    def spot(line: int, column: int) -> int:
        return len(raw[: offsets[line - 1] + column].decode())

    found = []
    for node, turned, kind in _turns(tree):
        assert node.end_lineno is not None
        assert node.end_col_offset is not None
        start, end = spot(node.lineno, node.col_offset), spot(node.end_lineno, node.end_col_offset)
        text = ast.unparse(turned)
        if isinstance(node, ast.expr) and not isinstance(node, ast.Constant | ast.Name | ast.Tuple):
            text = f"({text})"
        found.append(Place(file, node.lineno, start, end, text, kind))
    return sorted(set(found), key=lambda place: (place.start, place.end, place.text))


def _turns(tree: ast.AST) -> Iterator[tuple[ast.expr | ast.stmt, ast.AST, str]]:
    for node in _worth_turning(tree):
        yield from _turned(node)


def _worth_turning(node: ast.AST) -> Iterator[ast.AST]:
    """The tree without annotations, words, assertions for the type checker, and what tells of progress."""
    for name, value in ast.iter_fields(node):
        if name in ("annotation", "returns", "decorator_list", "type_params"):
            continue
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.AST) and not _is_beside_the_point(child):
                yield child
                yield from _worth_turning(child)


def _is_beside_the_point(node: ast.AST) -> bool:
    if isinstance(node, ast.keyword) and node.arg in LOOKS:
        return True
    if isinstance(node, ast.Assert | ast.JoinedStr | ast.Raise | ast.Import | ast.ImportFrom):
        return True
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
        return any(
            isinstance(part, ast.Name | ast.Attribute) and _last(part) in TELLS for part in ast.walk(node.value.func)
        )
    if isinstance(node, ast.FunctionDef) and node.name in ("__repr__", "__str__"):
        return True
    test = node.test if isinstance(node, ast.If) else None
    return isinstance(test, ast.Name) and test.id == "TYPE_CHECKING"


def _last(node: ast.Name | ast.Attribute) -> str:
    return node.id if isinstance(node, ast.Name) else node.attr


def _turned(node: ast.AST) -> Iterator[tuple[ast.expr | ast.stmt, ast.AST, str]]:
    match node:
        case ast.Compare(left, [op], [right]) if type(op) in COMPARISONS:
            yield node, ast.Compare(left, [COMPARISONS[type(op)]()], [right]), "comparison"
        case ast.BoolOp(op, values):
            other = ast.Or() if isinstance(op, ast.And) else ast.And()
            yield node, ast.BoolOp(other, values), "boolean"
            for at in range(len(values)):
                rest = values[:at] + values[at + 1 :]
                yield node, rest[0] if len(rest) == 1 else ast.BoolOp(op, rest), "condition left out"
        case ast.UnaryOp(ast.Not(), operand):
            yield node, operand, "not"
        case ast.BinOp(left, op, right) if type(op) in ARITHMETIC and not _is_text(left) and not _is_text(right):
            yield node, ast.BinOp(left, ARITHMETIC[type(op)](), right), "arithmetic"
        case ast.Constant(bool() as value):
            yield node, ast.Constant(not value), "constant"
        case ast.Constant(int() | float() as value):
            yield node, ast.Constant(value + 1 if isinstance(value, int) else value * 1.5 + 0.01), "number"
        case ast.Call(ast.Name(name), args, keywords) if name in NAMES:
            yield node, ast.Call(ast.Name(NAMES[name]), args, keywords), "smallest or largest"
        case ast.Tuple(members) | ast.Set(members) if 1 < len(members) <= LONGEST_SET and all(map(_is_text, members)):
            for at in range(len(members)):
                rest = members[:at] + members[at + 1 :]
                yield (
                    node,
                    ast.Set(rest) if isinstance(node, ast.Set) else ast.Tuple(rest, ast.Load()),
                    "member left out",
                )
        case ast.If(test, [ast.Raise() | ast.Return() | ast.Continue(), *_]):
            yield test, ast.Constant(False), "guard"
        case ast.Return(ast.expr() as value) if not isinstance(value, ast.Constant):
            yield value, ast.UnaryOp(ast.Not(), value) if _is_truth(value) else ast.Constant(None), "returned value"
        case ast.Expr(ast.Call()):
            yield node, ast.Pass(), "call left out"


def _is_truth(node: ast.expr) -> bool:
    return isinstance(node, ast.Compare | ast.BoolOp) or (
        isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not)
    )


def _is_text(node: ast.expr) -> bool:
    return isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Constant) and isinstance(node.value, str | bytes))
