//! What can be wrong with a scenario, worded once, with line, column and caret.
