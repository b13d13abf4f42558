"""What to spend on whom: expected results per segment, and the split of a budget.

    people, model ── targets ──> Target per segment ── rates ──> Posterior
                                        └── prices ──> split (scipy) ── plan ──> Plan

``rates`` and ``split`` are pure arithmetic; docs/campaigns.md has it in formulas.
"""
