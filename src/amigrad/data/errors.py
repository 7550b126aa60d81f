"""The error that readers raise for a file they cannot use."""


class DataError(ValueError):
    """A fault in a data file: which file, which line, what is wrong, and the way out.

    `line` is counted from 1; it is None where the fault belongs to the file as a whole.
    """

    def __init__(self, path: str, line: int | None, problem: str, remedy: str) -> None:
        super().__init__(path, line, problem, remedy)
        self.path = path
        self.line = line
        self.problem = problem
        self.remedy = remedy

    def __str__(self) -> str:
        place = self.path if self.line is None else f"{self.path}, line {self.line}"
        return f"{place}: {self.problem}. {self.remedy}."
