"""What goes wrong for reasons that the user can mend."""


class UserError(Exception):
    """One sentence that names the file, the problem and the mend; shown without a traceback, with exit code 2."""
