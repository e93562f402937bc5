//! A parser's error in, the complaint in our own words out.

use serde_saphyr::granit_parser::ErrorKind;

use crate::scenario::complaint::Kind;

/// Own words for what the parser says: its texts may carry pieces of the file, and so secrets.
pub(super) fn complaint(kind: &ErrorKind) -> Kind {
    let (what, help) = match kind {
        ErrorKind::UnclosedFlowCollection { .. }
        | ErrorKind::ExpectedFlowMappingSeparator
        | ErrorKind::ExpectedFlowSequenceSeparator
        | ErrorKind::UnexpectedEofFlowMapping
        | ErrorKind::UnexpectedEofFlowSequence
        | ErrorKind::UnexpectedEofImplicitFlowMapping => (
            "a `{` or `[` is not closed, or a comma is missing",
            "close it; inside { } and [ ], quote text that holds `${…}`, `{{ … }}`, commas or colons",
        ),
        ErrorKind::MisplacedFlowCollectionEnd | ErrorKind::MismatchedFlowCollectionEnd { .. } => (
            "this bracket closes nothing that is open",
            "leave it out, or quote the text that it is part of",
        ),
        ErrorKind::UnclosedQuotedScalar
        | ErrorKind::InvalidTrailingSingleQuotedScalar
        | ErrorKind::InvalidTrailingDoubleQuotedScalar => (
            "quotation marks do not pair up here",
            "close the text with the mark that opened it, perhaps further up",
        ),
        ErrorKind::TabNotAllowed
        | ErrorKind::TabInBlockIndentation
        | ErrorKind::TabInIndentation
        | ErrorKind::TabAtBlockScalarStart
        | ErrorKind::TabInPlainScalar => {
            ("a tab stands where YAML wants spaces", "indent with spaces")
        }
        ErrorKind::InvalidIndentation
        | ErrorKind::ExpectedBlockMappingKey
        | ErrorKind::ExpectedBlockSequenceEntry
        | ErrorKind::BlockSequenceEntryNotAllowed
        | ErrorKind::InvalidQuotedScalarIndent
        | ErrorKind::InvalidFlowScalarIndent => (
            "the indentation does not fit the lines above",
            "indent what belongs together alike",
        ),
        ErrorKind::SimpleKeyExpected | ErrorKind::InvalidSimpleKey => {
            ("a key has no `:` after it", "write `key: value`")
        }
        ErrorKind::MappingValueNotAllowed
        | ErrorKind::MappingKeyNotAllowed
        | ErrorKind::InvalidColonPlacement => (
            "a `:` stands where none can be",
            "quote text that holds a colon",
        ),
        ErrorKind::UnknownAnchor => (
            "an alias names no anchor",
            "quote text that begins with `*`",
        ),
        ErrorKind::UnknownQuotedScalarEscape | ErrorKind::InvalidQuotedScalarHexEscape => (
            "quoted text holds an escape that YAML does not know",
            "use single quotation marks, or write the backslash twice",
        ),
        ErrorKind::UnexpectedCharacter { .. } => {
            ("unquoted text cannot start with this character", "quote it")
        }
        ErrorKind::RecursionLimitExceeded => return Kind::TooLarge,
        ErrorKind::DirectiveDisallowed => (
            "a directive stands here; scenarios use none",
            "leave it out",
        ),
        _ => ("this is not YAML", "compare it with the lines around it"),
    };
    Kind::Syntax { what, help }
}
