"""The tables of a bsoft HIS and of the LIS beside it, as adapters.columns writes them.

GY_KSDM, GY_YGDM and GY_BRXZ are the HIS's code tables of departments, staff and payers.
"""

from __future__ import annotations

from sqlalchemy import MetaData

from adapters.columns import table

METADATA = MetaData()

# --- patients and code tables 病人与字典 --------------------------------------------------------

MS_BRDA = table(
    METADATA,
    "MS_BRDA",
    """
    *BRID N18, MZHM C32, BRXM C40, BRXB N4, CSNY D, SFZH C20, YBKH C30, BRXZ N18, JZKH C40,
    JTDH C20, JTDZ C100, EMPIID C32
    """,
)
GY_KSDM = table(METADATA, "GY_KSDM", "*KSDM C10, KSMC C40")
GY_YGDM = table(METADATA, "GY_YGDM", "*YGDM C10, YGXM C20, KSDM C10, YGJB C20")
GY_BRXZ = table(METADATA, "GY_BRXZ", "*BRXZ N18, XZMC C40")

# --- number sources and registrations 号源与挂号 --------------------------------------------------

MS_GHKS = table(METADATA, "MS_GHKS", "*KSDM C10, KSMC C40, GHF N10,2, ZLF N10,2, ZJMZ N1, DDXX C60")
MS_YSPB = table(
    METADATA,
    "MS_YSPB",
    """
    *GZRQ D, *KSDM C10, *YSDM C10, *ZBLB N1, GHXE N4, YGRS N4, YYXE N4, YYRS N4, JZXH N4,
    YYJG N4, YYKSSJ C8, YYJSSJ C8, TGBZ N1, JGID C20
    """,
)
MS_KSPB = table(
    METADATA,
    "MS_KSPB",
    "*GHRQ N1, *ZBLB N1, *GHKS C10, GHXE N4, YGRS N4, YYXE N4, YYRS N4, JZXH N4, TGBZ N1, JGID C20",
)
MS_GHMX = table(
    METADATA,
    "MS_GHMX",
    """
    *SBXH N18, JGID C20, BRID N18, GHSJ D, GHLB N1, KSDM C10, YSDM C10, JZYS C10, GHJE N10,2,
    ZLJE N10,2, ZJFY N10,2, JZHM C20, JZZT N1, THBZ N1, YYBZ N1, CZSJ D
    """,
)
MS_YYGHHY = table(
    METADATA,
    "MS_YYGHHY",
    "*HYXH N18, ZBLB N1, HYKS C10, HYJG C20, HYYS C10, HYSJ D, HYZT N1, BRID N18, SFZH C20, THSJ D",
)

# --- orders 医技单 -----------------------------------------------------------------------------

MS_YJ01 = table(
    METADATA,
    "MS_YJ01",
    """
    *YJXH N18, BRID N18, BRXM C40, MZXH N18, KDRQ D, YSDM C10, KSDM C10, ZXKS C10, ZXRQ D,
    ZXPB N1, ZFPB N1, DJZT N1, HYMX N18, SQID C20
    """,
)
MS_YJ02 = table(
    METADATA,
    "MS_YJ02",
    "*SBXH N18, YJXH N18, YLXH N18, YLDJ N12,4, YLSL N10,2, HJJE N12,2",
)
