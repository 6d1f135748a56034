"""Scenarios carried out, recorded, checked, bundled, replayed and reported."""
