"""The 16-column table of user profiles: from a spreadsheet's file to profile events.

    bytes ── encoding ──> text ── records ──> whole lines ── table (pandas) ──> cells
          ── row (pydantic) ──> ProfileRow ── profile_events ──> Event

``columns`` says which column means what, ``cells`` how people write values down.
"""
