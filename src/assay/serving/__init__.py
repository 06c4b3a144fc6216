"""A model put to work: answers for one sample, and search through many."""
