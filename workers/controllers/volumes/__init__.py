"""Volumes and claims: who gets which, and what becomes of them."""
