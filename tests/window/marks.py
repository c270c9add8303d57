"""The mark of a test. `run` reads the marks as text: size of the screen, and whether it wants a real node."""


def test(function=None, **marks):
    return function if callable(function) else lambda function: function
