"""The live loop: the order of work that never does what was not first written down.

`loop` takes the changes that have arrived (a submission, a report of an engine, a wake-up), lets each decide on a
`draft` through the one `step`, makes the whole draft durable in one transaction (`commit`), answers those who wait, and
only then hands the orders to the engines (`carry`). `recover` brings it all back after a restart. `projection` says how
effects change the rows of jobs and attempts; `world` is what the loop has in memory.
"""
