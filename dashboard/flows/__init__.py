"""What users do, one function an action; views, API and commands call the same ones."""
