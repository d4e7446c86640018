"""What a laboratory of the demo can test: panels of items with units and reference ranges."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random


@dataclass(frozen=True, slots=True)
class Item:
    """An item with a range, or, without one, of which ``expected`` is the normal finding."""

    code: str
    name: str
    unit: str
    low: float = 0.0
    high: float = 0.0
    digits: int = 1
    expected: str = ""
    other: str = ""

    @property
    def reference(self) -> str:
        return self.expected or f"{self.low:g}-{self.high:g}"

    def result(self, random: Random) -> tuple[str, str]:
        """A result, and its mark: N, H, L or A."""
        if self.expected:
            return (self.expected, "N") if random.random() < 0.9 else (self.other, "A")
        middle, spread = (self.low + self.high) / 2, (self.high - self.low) / 3.6
        value = round(max(0.0, random.gauss(middle, spread)), self.digits)
        mark = "L" if value < self.low else "H" if value > self.high else "N"
        return f"{value:.{self.digits}f}", mark


@dataclass(frozen=True, slots=True)
class Panel:
    code: str
    name: str
    specimen: str
    price: int
    items: tuple[Item, ...]


PANELS = (
    Panel(
        "BRT",
        "血常规",
        "静脉血",
        20,
        (
            Item("WBC", "白细胞计数", "10^9/L", 3.5, 9.5, 2),
            Item("RBC", "红细胞计数", "10^12/L", 3.8, 5.8, 2),
            Item("HGB", "血红蛋白", "g/L", 115, 175, 0),
            Item("PLT", "血小板计数", "10^9/L", 125, 350, 0),
            Item("NEUT%", "中性粒细胞百分比", "%", 40, 75, 1),
            Item("LYMPH%", "淋巴细胞百分比", "%", 20, 50, 1),
        ),
    ),
    Panel(
        "URT",
        "尿常规",
        "尿液",
        15,
        (
            Item("U-GLU", "尿糖", "", expected="阴性", other="阳性(++)"),
            Item("U-PRO", "尿蛋白", "", expected="阴性", other="阳性(+)"),
            Item("U-WBC", "尿白细胞", "/HP", expected="0-5", other="满视野|需复查?"),
            Item("U-PH", "酸碱度", "", 4.6, 8.0, 1),
        ),
    ),
    Panel(
        "LFT",
        "肝功能",
        "血清",
        60,
        (
            Item("ALT", "丙氨酸氨基转移酶", "U/L", 9, 50, 0),
            Item("AST", "天门冬氨酸氨基转移酶", "U/L", 15, 40, 0),
            Item("TBIL", "总胆红素", "μmol/L", 3.4, 20.5, 1),
            Item("ALB", "白蛋白", "g/L", 40, 55, 1),
        ),
    ),
    Panel(
        "KFT",
        "肾功能",
        "血清",
        45,
        (
            Item("CREA", "肌酐", "μmol/L", 57, 111, 0),
            Item("UREA", "尿素", "mmol/L", 3.1, 8.0, 2),
            Item("UA", "尿酸", "μmol/L", 208, 428, 0),
        ),
    ),
    Panel(
        "LIP",
        "血脂",
        "血清",
        50,
        (
            Item("CHOL", "总胆固醇", "mmol/L", 2.8, 5.2, 2),
            Item("TG", "甘油三酯", "mmol/L", 0.6, 1.7, 2),
            Item("HDL-C", "高密度脂蛋白胆固醇", "mmol/L", 1.0, 1.9, 2),
            Item("LDL-C", "低密度脂蛋白胆固醇", "mmol/L", 1.0, 3.4, 2),
        ),
    ),
    Panel(
        "GLU",
        "血糖",
        "血浆",
        18,
        (
            Item("GLU", "葡萄糖", "mmol/L", 3.9, 6.1, 2),
            Item("HBA1C", "糖化血红蛋白", "%", 4.0, 6.0, 1),
        ),
    ),
    Panel(
        "HBV",
        "乙肝五项",
        "血清",
        80,
        (
            Item("HBsAg", "乙肝表面抗原", "", expected="阴性", other="阳性"),
            Item("HBsAb", "乙肝表面抗体", "", expected="阳性", other="阴性"),
            Item("HBeAg", "乙肝e抗原", "", expected="阴性", other="阳性"),
        ),
    ),
    Panel(
        "SPU",
        "痰培养",
        "痰液",
        90,
        (Item("SPU", "细菌培养", "", expected="无致病菌生长", other="大肠杆菌\n待药敏?"),),
    ),
)
