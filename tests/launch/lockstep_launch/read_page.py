#!/usr/bin/env python3
"""Reads an HTML page as a strict browser would. Prints its text, that of titles, labels and data included, each on a line of
its own; or says what is wrong with the page and ends with 1.

Usage: read_page.py FILE
"""

import html.parser
import re
import sys

VOID = {"meta", "img", "br", "link", "input"}
BARE = {"path", "rect", "use", "image", "g"}  # of SVG: closed in themselves, or by an end tag


class Page(html.parser.HTMLParser):
    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.open, self.text, self.headings, self.style = [], [], [], ""
        self.names, self.referred = [], set()

    def wrong(self, what):
        sys.exit(f"line {self.getpos()[0]}: {what}")

    def handle_starttag(self, tag, attributes):
        self.start(tag, dict(attributes))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        if tag not in BARE:
            self.wrong(f"<{tag}/> closes itself")
        self.start(tag, dict(attributes))

    def start(self, tag, attributes):
        if tag in ("script", "iframe", "link", "object"):
            self.wrong(f"a <{tag}>")
        for name, value in attributes.items():
            if name.startswith("on"):
                self.wrong(f"a handler {name}")
            if name == "id":
                self.names.append(value)
            self.referred |= set(re.findall(r"url\(#([^)]+)\)", value))
            if name == "href" and value.startswith("#"):
                self.referred.add(value[1:])
            elif name in ("src", "href", "xlink:href", "action", "data") and not value.startswith("data:image/png;base64,"):
                self.wrong(f"{name} is {value[:60]}, not an image in the page itself")
        if tag in ("svg", "img") and not attributes.get("alt" if tag == "img" else "aria-label"):
            self.wrong(f"a <{tag}> without words for those who do not see it")
        if "d" in attributes and not re.fullmatch(r"[MLQCZz\d.\s-]*", attributes["d"]):
            self.wrong(f"a path of other things than numbers: {attributes['d'][:60]}")
        if re.fullmatch("h[1-6]", tag):
            level = int(tag[1])
            if level > len(self.headings) + 1 or (level == 1 and self.headings):
                self.wrong(f"{tag} after headings of level {self.headings}")
            self.headings = self.headings[:level - 1] + [level]
        self.text += [attributes[name] for name in ("aria-label", "alt", "title") if attributes.get(name)]

    def handle_endtag(self, tag):
        if not self.open or self.open[-1] != tag:
            self.wrong(f"</{tag}> inside {self.open}")
        self.open.pop()

    def handle_data(self, data):
        if self.open and self.open[-1] == "style":
            self.style += data
        elif data.strip():
            self.text += data.strip().splitlines()


def read(path):
    """The page's text; ends the program where something is wrong with it."""
    with open(path, encoding="utf-8") as file:
        content = file.read()
    page = Page()
    page.feed(content)
    page.close()
    if not content.startswith("<!DOCTYPE html>"):
        sys.exit("no <!DOCTYPE html> at the start")
    if page.open or not page.headings:
        sys.exit(f"left open: {page.open}")
    if re.search(r"url\(|@import", page.style):
        sys.exit("the style loads something")
    if len(set(page.names)) < len(page.names):
        sys.exit(f"two elements of one name: {sorted(page.names)}")
    if not page.referred <= set(page.names):
        sys.exit(f"elements that are not there: {page.referred - set(page.names)}")
    return page.text


if __name__ == "__main__":
    print("\n".join(read(sys.argv[1])))
