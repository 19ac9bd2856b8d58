"""How clients connect: standard input and output, WebSockets, Unix sockets."""
