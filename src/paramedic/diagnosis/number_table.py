"""Numbers with a meaning of their own, such as NVIDIA's Xids: what each says, and what is to be done about it."""

from collections.abc import Mapping
from dataclasses import dataclass

from paramedic.model.text import Text


@dataclass(frozen=True, slots=True)
class Row:
    """What one number means. `action` is what its maker asks for, `remedies` are ours for it.

    `fault`: this other fault tells of it better. `harmless`: nobody has to do anything because of it.
    """

    meaning: Text
    action: Text
    remedies: tuple[str, ...] = ()
    fault: str = ""
    harmless: bool = False


@dataclass(frozen=True, slots=True)
class NumberTable:
    """Rows by the number that a message's hole of the name `hole` catches."""

    id: str
    hole: str
    rows: Mapping[int, Row]
    source: str = ""

    def row(self, fields: Mapping[str, str]) -> Row | None:
        """The row of the number in these fields; None where there is no number, or no row for it."""
        number = fields.get(self.hole, "")
        return self.rows.get(int(number)) if number.isdecimal() else None

    def concerns(self, fault: str, fields: Mapping[str, str]) -> bool:
        """Whether this number is for this fault to tell: not harmless, and not another fault's."""
        row = self.row(fields)
        return row is None or not (row.harmless or row.fault not in {"", fault})

    def words(self, fields: Mapping[str, str]) -> dict[str, Text]:
        """What a summary may name beside the number itself: its {meaning} and the {action}."""
        row = self.row(fields)
        return {"meaning": row.meaning, "action": row.action} if row else {}
