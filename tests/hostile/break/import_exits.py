"""Ends its import by what is no error: exits, interrupts, an exception that cannot be printed.

Says: importing your file
"""

import sys


class Ending(SystemExit, KeyboardInterrupt):
    def __str__(self):
        raise self

    __repr__ = __str__


sys.exitfunc = None
raise Ending(0)
