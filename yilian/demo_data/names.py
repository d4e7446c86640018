"""Plausible Chinese names, weighted as surnames are spread, with the rare characters of life."""

from __future__ import annotations

from itertools import accumulate
from random import Random

# Share of the population in tenths of a percent, roughly; the long tail is cut off.
_SURNAMES = {
    **{"王": 72, "李": 72, "张": 68, "刘": 54, "陈": 46, "杨": 31, "黄": 22, "赵": 22, "吴": 20},
    **{"周": 19, "徐": 14, "孙": 14, "马": 13, "朱": 12, "胡": 11, "郭": 11, "何": 11, "林": 11},
    **{"高": 10, "罗": 9, "郑": 9, "梁": 9, "谢": 8, "宋": 7, "唐": 7, "许": 6, "邓": 6, "韩": 6},
    **{"冯": 6, "曹": 6, "彭": 6, "曾": 6, "肖": 6, "田": 5, "董": 5, "潘": 5, "袁": 5, "蔡": 5},
    **{"蒋": 5, "余": 5, "于": 5, "杜": 4, "叶": 4, "程": 4, "魏": 4, "苏": 4, "吕": 4, "丁": 4},
    **{"任": 4, "卢": 4, "姚": 4, "沈": 4, "钟": 4, "姜": 4, "崔": 3, "谭": 3, "陆": 3, "范": 3},
    **{"汪": 3, "廖": 3, "石": 3, "金": 3, "韦": 3, "贾": 3, "夏": 3, "付": 3, "方": 3, "邹": 3},
    **{"熊": 3, "白": 3, "孟": 3, "秦": 3, "邱": 3, "侯": 2, "江": 2, "尹": 2, "薛": 2, "闫": 2},
    **{"段": 2, "雷": 2, "龙": 2, "黎": 2, "史": 2, "陶": 2, "贺": 2, "毛": 2, "郝": 2, "顾": 2},
    **{"欧阳": 1, "上官": 1, "司马": 1, "诸葛": 1, "呼延": 1, "仝": 1, "佘": 1, "祁": 1},
}
_MALE = "伟强磊军洋勇杰涛明超刚平辉鹏华飞鑫波斌宇浩凯健俊帆帅旭宁龙林欢阳建国志文海峰东升"
_FEMALE = "芳娜敏静丽娟艳秀兰霞燕玲桂英红梅雪莹慧婷倩颖洁琳萍蓉琴莉瑶丹欣怡佳月云凤珍淑贞"
_EITHER = "子晨一思雨嘉欣文博雅梓涵宇轩若溪"

#: names that lose characters where GB2312, GBK or the basic plane is taken for all there is
RARE_NAMES = ("朱镕喆", "𠮷田花", "张㐂", "李䶮", "王喆", "陈堃", "刘珺玥", "赵犇", "孙𬭎", "周祎")

_WORDS = list(_SURNAMES)
_WEIGHTS = list(accumulate(_SURNAMES.values()))


def full_name(random: Random, male: bool) -> str:
    """A name of two to four characters."""
    surname = random.choices(_WORDS, cum_weights=_WEIGHTS)[0]
    given = (_MALE if male else _FEMALE) + _EITHER
    length = 1 if random.random() < 0.2 else 2
    return surname + "".join(random.choices(given, k=length))
