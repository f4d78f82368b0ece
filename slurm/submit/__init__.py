"""effuse-submit: one module for each of its subjects. Python 3.8 or later, nothing but its standard library."""
