"""Documents to hand in: what stands in them; how they are written is `show.word`."""
