"""Bsoft style 创业: pinyin-initial tables, LIS in a database of its own."""
