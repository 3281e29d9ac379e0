"""How Matplotlib is loaded where it only draws."""


def skip_help() -> None:
    """Before the first picture's module: while it loads it writes the help of everything that can be drawn, a fifth of the time."""
    import matplotlib.artist

    matplotlib.artist.kwdoc = lambda artist: ""
