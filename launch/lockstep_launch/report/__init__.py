"""What launch/report consists of, from the bottom up: words says numbers, run_folder reads what a run has written, missing_tables has
lockstep make what is not there, charts draws, view collects what the page shows, page.html and page.css are how it shows it."""
