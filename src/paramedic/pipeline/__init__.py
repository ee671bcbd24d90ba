"""The verbs: scrape, judge, diagnose, recover, notify; `cycle` runs them, read it first."""
