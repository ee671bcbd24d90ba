"""How bad, and what kind: the guide's levels P0-P4 and its five categories."""

from enum import StrEnum


class Level(StrEnum):
    """P0 is worst. `objective` is the recovery-time objective in seconds."""

    P0 = "P0"
    P1 = "P1"
    P2 = "P2"
    P3 = "P3"
    P4 = "P4"

    @property
    def objective(self) -> int:
        return {"P0": 300, "P1": 900, "P2": 3600, "P3": 4 * 3600, "P4": 24 * 3600}[self.value]


class Category(StrEnum):
    """The guide's five categories of trouble."""

    SEVERE = "severe"
    PERFORMANCE = "performance"
    CONFIGURATION = "configuration"
    RESOURCE = "resource"
    WARNING = "warning"
