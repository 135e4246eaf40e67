"""One guard, rule, effect, register or constraint taken away, in tests only: some promise must then be broken."""
