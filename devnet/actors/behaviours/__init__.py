"""Actors that behave otherwise than honestly, each registered in `devnet.actors.cast`."""
