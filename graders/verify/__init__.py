"""Proofs about the repository itself: what `kata verify` runs."""
