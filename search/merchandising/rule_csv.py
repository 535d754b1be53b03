"""Read and write rules as a table: match, question, action, target, number, starts, ends.

A table is read as a whole or not at all: every bad line is reported, and nothing is changed until all lines are good.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from catalog.errors import BadInput
from catalog.text.csv_export import csv_text, unescape_formula
from search.merchandising.rules import EVERY, EXACT, MAX_RULES, Rule, check_rule

COLUMNS = ("match", "question", "action", "target", "number", "starts", "ends")
REQUIRED = ("action", "target")
MAX_BYTES = 4 * 2**20
MAX_REPORTED = 50  # bad lines that an error lists
_DELIMITERS = (",", ";", "\t")


@dataclass(frozen=True, slots=True)
class BadLine:
    """A line of a table that is no rule, and why."""

    line: int
    reason: str


class BadRules(BadInput):
    """A table of rules cannot be used; `lines` says why, for each bad line."""

    def __init__(self, message: str, hint: str = "", lines: tuple[BadLine, ...] = ()) -> None:
        super().__init__(message, hint)
        self.lines = lines


def rules_csv(rules: Iterable[Rule]) -> str:
    """Return rules as a table that `read_rules_csv` reads back; its cells are no formulas in a spreadsheet."""
    rows = (
        (rule.match, rule.question, rule.action, rule.target, _number_text(rule.number), rule.starts, rule.ends)
        for rule in rules
    )
    return csv_text(COLUMNS, rows)


def read_rules_csv(data: bytes) -> tuple[Rule, ...]:
    """Return the rules of a table in UTF-8, with commas, semicolons or tabs; raises BadRules when any line is bad.

    The header names the columns, in any order; `action` and `target` must be there. A line of blanks is no rule. Two
    lines of one rule are refused, because only one of them could hold.
    """
    if len(data) > MAX_BYTES:
        raise BadRules(f"The table has {len(data):,} bytes; the limit is {MAX_BYTES:,}.", "Import it in parts.")
    try:
        text = data.decode("utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8")
    except UnicodeDecodeError as error:
        raise BadRules(f"The table is not UTF-8: {error.reason}.", 'Save it as "CSV UTF-8".') from None
    good: dict[tuple[str, str, str, str], Rule] = {}
    bad: list[BadLine] = []
    for line, values in _rows(text):
        try:
            rule = _rule(values)
            if rule.key in good:
                raise BadInput("The rule is in the table already.", "Leave one of the two lines out.")
            good[rule.key] = rule
        except BadInput as error:
            bad.append(BadLine(line, str(error)))
        if len(good) > MAX_RULES:
            raise BadRules(f"The table has more than {MAX_RULES:,} rules.", "Leave some out.")
    if bad:
        listed = "; ".join(f"line {found.line}: {found.reason}" for found in bad[:3])
        more = f"; and {len(bad) - 3:,} more" if len(bad) > 3 else ""
        count = "1 line of the table is no rule" if len(bad) == 1 else f"{len(bad):,} lines of the table are no rules"
        raise BadRules(
            f"{count}, so nothing was changed. {listed}{more}",
            "Correct these lines, and import the whole table again.",
            tuple(bad[:MAX_REPORTED]),
        )
    return tuple(good.values())


def _rows(text: str) -> Iterator[tuple[int, dict[str, str]]]:
    """Yield the number of each line that is not blank, and its values by column."""
    text, skipped = text.removeprefix("\ufeff"), 0
    first = text.split("\n", 1)[0]
    if first.lower().startswith("sep="):  # as a spreadsheet writes it
        text, skipped = text.partition("\n")[2], 1
        first = text.split("\n", 1)[0]
    delimiter = max(_DELIMITERS, key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    line = skipped + 1
    try:
        header = [name.strip().lower() for name in next(reader, [])]
        _check_header(header)
        line = skipped + reader.line_num + 1
        for row in reader:
            if any(map(str.strip, row)):
                if any(map(str.strip, row[len(header) :])):
                    raise _not_csv(line, f"it has {len(row)} cells, the header {len(header)}")
                cells = [unescape_formula(cell.strip()) for cell in row] + [""] * (len(header) - len(row))
                yield line, dict(zip(header, cells, strict=False))
            line = skipped + reader.line_num + 1
    except csv.Error as error:
        raise _not_csv(line, str(error)) from None


def _check_header(header: list[str]) -> None:
    named = [name for name in header if name]
    unknown = [name for name in named if name not in COLUMNS]
    missing = [name for name in REQUIRED if name not in named]
    if unknown or missing or len(set(named)) < len(named):
        found = ", ".join(name[:40] for name in named[:10]) or "nothing"
        hint = f"Its first line must be {','.join(COLUMNS)}; all but {' and '.join(REQUIRED)} may be left out."
        raise BadRules(f"The table's first line has {found}.", hint, (BadLine(1, hint),))


def _rule(values: dict[str, str]) -> Rule:
    question = values.get("question", "")
    match = values.get("match", "").lower() or (EXACT if question else EVERY)
    number = values.get("number", "")
    try:
        amount = float(number.replace(",", ".")) if number else None
    except ValueError:
        raise BadInput(f"number is {number[:40]!r}.", "Give a number, or leave it out.") from None
    action = values["action"].lower()
    return check_rule(
        Rule(action, question, values["target"], match, amount, values.get("starts", ""), values.get("ends", ""))
    )


def _number_text(number: float | None) -> str:
    return "" if number is None else repr(int(number) if number == int(number) else number)


def _not_csv(line: int, reason: str) -> BadRules:
    return BadRules(f"Line {line:,} is not CSV: {reason}.", "Close every quote.", (BadLine(line, reason),))
