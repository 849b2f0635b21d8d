"""What is handed out to candidates: a repository of stubs, or nbgrader's source notebooks."""
