"""docs/promises.md, made from the tests: `python -m tests.docs.promises_page` writes it, a test keeps it so.

A test that shows a promise is marked with its id and, where that says more, its amount of work; the sentence of each
id stands here.
"""

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "promises.md"
SENTENCES = {
    "R1": "An acknowledged write is never lost.",
    "R2": "Every step of a write may be the last: the shop is then the old one or the new one, never a mixture.",
    "R3": "Re-indexing swaps the index atomically, without downtime.",
    "R4": "A re-index that was killed resumes: at most one batch is encoded twice.",
    "R5": "Imports are idempotent and order-free.",
    "R6": "Damage is detected, never served; the generation before answers.",
    "R7": "A full disk and I/O errors are survivable.",
    "R8": "A backup is taken while the shop is served and written; what is restored is exact.",
    "R9": "The index is disposable: catalogue and pictures make it again.",
    "R10": "Old data opens, or says why not.",
    "R11": "The load is held.",
    "R12": "Overload sheds requests, it does not fall over.",
    "R13": "Deadlines hold; answers that lack a part say so.",
    "R14": "A dead worker comes back.",
    "R15": "A stop is graceful.",
    "R16": "Slow clients do not starve others.",
    "R17": "Nothing leaks.",
    "R18": "Concurrent readers and one writer agree with a model.",
    "R19": "Same query, same generation, same answer.",
    "R20": "How much of the exact answer the index finds is measured on every build; under 0.95 it is not published.",
    "R21": "A bad item never stops a batch.",
    "R22": "Adapters keep the same contract.",
    "S1": "Uploads are limited in size and number.",
    "S2": "Only allowed picture formats reach a decoder.",
    "S3": "Decompression bombs are refused before memory is taken for them.",
    "S4": "No byte string crashes a decoder.",
    "S5": "Parsers are fuzzed.",
    "S6": "EXIF is used once, then gone.",
    "S7": "What we serve, we wrote.",
    "S8": "A decoder crash is one bad image.",
    "S9": "Feeds cannot hurt.",
    "S10": "Pictures by web address are off by default, and reach public hosts only.",
    "S11": "No code runs from data files.",
    "S12": "Queries are bounded.",
    "S13": "The API does what its OpenAPI document says.",
    "S14": "Every route has a policy.",
    "S15": "Shops are isolated.",
    "S16": "Rate limits hold and are fair.",
    "S17": "Pages are inert.",
    "S18": "Errors leak nothing.",
    "S19": "Logs tell the story.",
    "S20": "What we stand on is pinned, listed and licensed.",
    "S21": "No customer sees another's order.",
    "S22": "No text of a customer is a command.",
    "P1": "A visitor who refuses is neither recorded nor served by what is recorded.",
    "P2": "A visitor who asks is forgotten: in the store, in experiments and in every later model.",
    "P3": "No route shows one visitor's history to another.",
    "P4": "Nobody sees a number or a text that stems from few visitors.",
    "P5": "What customers write to the assistant expires, and is exported and erased for who asks; no log line has it.",
}
MARK = re.compile(r"pytest\.mark\.promise\(.([A-Z]\d+).(?:, .([^'\"]*).)?\)")
HEAD = """# Promises

What Windowshop promises, and the tests that show it, from their marks. `python -m tests.docs.promises_page` writes this
page. `make test` fails when a marked test fails, and when the page and the marks differ. Class `ci` runs in `make
test`, `torture` in `make torture`; the number in brackets is the amount of work.

| id | promise | shown by | class |
|---|---|---|---|
"""


def page() -> str:
    """The page as the marks say it now."""
    shown: dict[str, dict[str, list[str]]] = {}
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        for promise, amount, name, torture in marks(path):
            kind = "torture" if torture else "ci"
            place = f"[{name}](../{path.relative_to(ROOT).as_posix()}){f' ({amount})' if amount else ''}"
            shown.setdefault(promise, {}).setdefault(kind, []).append(place)
    unknown = shown.keys() - SENTENCES.keys()
    assert not unknown, f"tests are marked with promises that are not known: {sorted(unknown)}"
    rows = [
        f"| {promise} | {sentence} | {', '.join(sorted(set(shown[promise][kind])))} | {kind} |\n"
        for promise, sentence in SENTENCES.items()
        for kind in ("ci", "torture")
        if kind in shown.get(promise, {})
    ]
    return HEAD + "".join(rows)


def marks(path: Path) -> list[tuple[str, str, str, bool]]:
    """(promise, amount of work, test, whether it is torture) of each mark in a test file, the module's own included."""
    text = path.read_text(encoding="utf-8")
    if "mark.promise(" not in text:  # most files
        return []
    tree = ast.parse(text)
    every = [mark for node in tree.body if isinstance(node, ast.Assign) and "pytestmark" in ast.unparse(node.targets[0])
             for mark in re.findall(r"pytest\.mark\.\w+(?:\([^)]*\))?", ast.unparse(node.value))]  # fmt: skip
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test"):
            said = [*every, *(ast.unparse(each) for each in node.decorator_list)]
            torture = any(each.startswith("pytest.mark.torture") for each in said)
            promises = [match.groups("") for each in said if (match := MARK.match(each))]
            found += [(promise, amount, node.name, torture) for promise, amount in promises]
    return found


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
