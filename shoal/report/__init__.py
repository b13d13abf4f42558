"""Who is in each segment: from the states of all users to a page and a JSON document."""
