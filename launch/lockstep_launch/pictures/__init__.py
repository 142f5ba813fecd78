"""Pictures by matplotlib: `style` is how all look, each other module one kind. Such a module draws single panels, which the report
page takes one by one, and puts those of several runs into one figure."""
