"""Junwei 军卫一号: the HIS of the paper."""
