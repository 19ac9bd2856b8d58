"""Authentication of websocket clients: capability tokens and signed bearer tokens."""
