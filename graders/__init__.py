"""DeepKata's grader: a probe goes into the sandbox, plain data comes out, the judge decides."""

__version__ = "0.1.0"
