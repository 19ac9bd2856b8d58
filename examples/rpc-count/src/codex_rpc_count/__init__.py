"""An RPC method that counts the turns and items of a thread."""
