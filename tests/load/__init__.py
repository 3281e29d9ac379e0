"""The load side, in this process: scenario, bodies, answers, transport, stages, tally, plan."""
