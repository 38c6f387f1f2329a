"""Resizing running pods."""
