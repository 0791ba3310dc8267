"""A lint: what could be read as markup, or drawn as it is, only takes text that is known to be harmless.

Textual parses plain strings as markup in most places. A sink accepts `inert(...)`, `Content(...)` and what `Content`
builds; a `Content` accepts literals, translated words, `inert_line`, and results of this program's own formatting.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

UI = Path(__file__).resolve().parents[2] / "src" / "crisisdesk" / "ui"
WIDGETS = {
    "Static", "Label", "Button", "Checkbox", "RadioButton", "Option", "Select", "SelectionList", "ListItem", "Tab",
    "TabPane", "Collapsible", "RichLog", "Tooltip", "Markdown", "DataTable", "OptionList", "Tree", "Digits", "TextArea",
}  # fmt: skip
"""Widgets whose first text is markup. Those that a desk has no use for are refused as such."""
NOT_HERE = {"DataTable", "OptionList", "SelectionList", "Tree", "Markdown", "RichLog", "Select", "Digits", "TextArea"}
ATTRIBUTES = {"border_title", "border_subtitle", "tooltip", "placeholder"}
METHODS = {"update", "notify", "from_markup", "add_option", "add_row", "add_column", "write_line"}
HARMLESS_CALLS = {"inert", "Content", "assemble", "styled", "join", "blank", "truncate", "from_text"}


CONTENT_MAKERS = {
    node.name
    for path in UI.rglob("*.py")
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
    if isinstance(node, ast.FunctionDef) and node.returns is not None and ast.unparse(node.returns) == "Content"
}
"""Functions of this program that say they give Content; mypy holds them to it."""


def is_harmless(node: ast.AST | None) -> bool:
    """Content, or something that makes Content."""
    if node is None or (isinstance(node, ast.Constant) and node.value in ("", None)):
        return True
    if isinstance(node, ast.IfExp):
        return is_harmless(node.body) and is_harmless(node.orelse)
    if isinstance(node, ast.BinOp):
        return is_harmless(node.left) or is_harmless(node.right)
    if isinstance(node, ast.Call):
        name = called(node)
        return name in HARMLESS_CALLS or name in CONTENT_MAKERS
    return isinstance(node, ast.Name) and node.id in content_names


content_names: set[str] = set()
"""Variables of the file at hand that only ever hold Content."""


def find_content_names(tree: ast.AST) -> set[str]:
    given: dict[str, list[ast.AST]] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign):
            for target in node.targets:
                if isinstance(target, ast.Name):
                    given.setdefault(target.id, []).append(node.value)
    return {name for name, values in given.items() if all(is_harmless(value) for value in values)}


def called(node: ast.Call) -> str:
    return node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")


def offences(source: str) -> Iterator[tuple[int, str]]:
    tree = ast.parse(source)
    content_names.clear()
    content_names.update(find_content_names(tree))
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            name = called(node)
            if name in NOT_HERE:
                yield node.lineno, f"{name} is not for this desk (markup, boxes or slow): see ui/widgets"
            elif name in WIDGETS and node.args and not (is_harmless(node.args[0]) and not is_translation(node.args[0])):
                yield node.lineno, f"{name} of a text that is not Content"
            elif name in METHODS and isinstance(node.func, ast.Attribute) and node.args:
                owner = ast.unparse(node.func.value)
                is_sink = name == "from_markup" or "query_one" in owner or "static" in owner.lower() or owner == "self"
                if is_sink and (not is_harmless(node.args[0]) or is_translation(node.args[0])):
                    yield node.lineno, f"{name} of a text that is not Content"
        elif isinstance(node, ast.Assign):
            for target in node.targets:
                if isinstance(target, ast.Attribute) and target.attr in ATTRIBUTES and not is_harmless(node.value):
                    yield node.lineno, f"{target.attr} of a text that is not Content"


def is_translation(node: ast.AST) -> bool:
    """`_("...")` is a plain string for a sink: it goes through Content."""
    return isinstance(node, ast.Call) and called(node) in {"_", "ngettext", "format", "N_"}


@pytest.mark.parametrize("path", sorted(UI.rglob("*.py")), ids=lambda path: path.relative_to(UI).as_posix())
def test_no_plain_text_reaches_a_markup_sink(path: Path) -> None:
    found = [f"{path.name}:{line}: {what}" for line, what in offences(path.read_text(encoding="utf-8"))]
    assert not found, "\n".join(found)


@pytest.mark.parametrize("line", [
    "Static(name)",
    "Static(f'{name}')", "Static(_('x {a}').format(a=name))", "Label(row.name)", "Static('a' + name)",
    "Button(name)", "w.border_title = name", "w.tooltip = f'{name}'", "self.query_one('#x').update(name)",
    "Content.from_markup(name)", "DataTable()", "Static(_('x'))", "OptionList(name)", "static.update(f'{name}')",
    "self.notify(name)", "ListItem(name)", "Option(name)", "Markdown(name)", "w.placeholder = name", "Tab(name)",
])  # fmt: skip
def test_the_lint_finds_a_seeded_offence(line: str) -> None:
    assert list(offences(line))


@pytest.mark.parametrize("line", [
    "Static(inert(name))", "Static(Content(_('x')))", "Static('')", "w.border_title = inert(name)",
    "rows.update(other)",
    "Static(Content.assemble(inert(a), ' · ', (_('b'), 'bold')))",
    "self.query_one('#x').update(inert(name))",
])  # fmt: skip
def test_the_lint_lets_harmless_text_pass(line: str) -> None:
    assert not list(offences(line))
