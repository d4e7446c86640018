"""Find qualifiers: which there are, which exclude each other, and what they amount to."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from registry.errors import UddiError

_PREFIX = "uddi:uddi.org:findqualifier:"

_KNOWN = (
    "andAllKeys",
    "orAllKeys",
    "orLikeKeys",
    "approximateMatch",
    "exactMatch",
    "caseSensitiveMatch",
    "caseInsensitiveMatch",
    "caseSensitiveSort",
    "caseInsensitiveSort",
    "sortByNameAsc",
    "sortByNameDesc",
    "sortByDateAsc",
    "sortByDateDesc",
    "binarySort",
    "combineCategoryBags",
    "serviceSubset",
    "bindingSubset",
    "suppressProjectedServices",
    "signaturePresent",
    # what is done anyway: only its opposite is optional, and not had here
    "diacriticSensitiveMatch",
)

_BY_FOLDED = {known.lower(): known for known in _KNOWN}

_EXCLUSIVE = (
    {"andAllKeys", "orAllKeys", "orLikeKeys"},
    {"exactMatch", "approximateMatch"},
    {"exactMatch", "caseInsensitiveMatch"},
    {"caseSensitiveMatch", "caseInsensitiveMatch"},
    {"caseSensitiveSort", "caseInsensitiveSort"},
    {"binarySort", "caseInsensitiveSort"},
    {"sortByNameAsc", "sortByNameDesc"},
    {"sortByDateAsc", "sortByDateDesc"},
    {"combineCategoryBags", "serviceSubset", "bindingSubset"},
)


@dataclass(frozen=True, slots=True)
class Qualifiers:
    """The qualifiers of one find, canonical. One that the operation has no use for is ignored."""

    given: frozenset[str] = frozenset()

    def __contains__(self, name: str) -> bool:
        return name in self.given

    @property
    def fold(self) -> bool:
        return "caseInsensitiveMatch" in self.given

    @property
    def approximate(self) -> bool:
        return "approximateMatch" in self.given


def parse(sent: Iterable[str]) -> Qualifiers:
    """From short names or tModel keys in any case. E_unsupported for one that is not known here,
    E_invalidCombination where two exclude each other."""
    given = set()
    for qualifier in sent:
        folded = qualifier.strip().lower().removeprefix(_PREFIX)
        if folded not in _BY_FOLDED:
            raise UddiError(
                "unsupported",
                f"不支持的 findQualifier / findQualifier not supported: {qualifier.strip()!r}",
            )
        given.add(_BY_FOLDED[folded])
    for group in _EXCLUSIVE:
        clash = sorted(group & given)
        if len(clash) > 1:
            raise UddiError(
                "invalidCombination",
                f"findQualifier 互斥 / findQualifiers exclude each other: {', '.join(clash)}",
            )
    return Qualifiers(frozenset(given))
