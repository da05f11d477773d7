"""Taking a sending back: the values that Marketo had accepted before are put back here, and sent."""
