"""What gatekeepers do, part by part (`devnet.actors.cast` lists them), and clients in pools."""
