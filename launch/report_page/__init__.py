"""What launch/report consists of, from the bottom up: run_folder and pictures read what a run has written, eval_tables has
lockstep make what is missing, chart and image draw, sections describe, page puts them together."""
