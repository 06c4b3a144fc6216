"""Benchmark cards: a known benchmark as a short file that says where its files are, what is asked and how it is scored."""

from assay.data.cards.card import Card, read_card, shipped
from assay.data.cards.layouts import load_card

__all__ = ["Card", "load_card", "read_card", "shipped"]
