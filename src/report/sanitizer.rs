//! Any text that a server had a hand in, the same text without what terminals, CI agents and XML parsers execute out.
