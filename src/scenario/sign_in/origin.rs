//! A reference to a secret in, where it comes from out; what stands in the file itself is refused and not shown.

use super::{Command, SecretSource};
use crate::scenario::complaint::{Kind, sounds_secret};
use crate::scenario::raw::{Node, Value};
use crate::scenario::reader::{Named, Reader};

/// A secret: a variable or a file, read now, or a program, run when its value is needed.
pub(super) fn read(reader: &mut Reader<'_>, named: Named<'_>) -> Option<SecretSource> {
    if let Some(words) = command_of(named.node) {
        return command(reader, words).map(SecretSource::Command);
    }
    reader
        .secret(named.node, format!("`{}`", named.name))
        .map(SecretSource::Value)
}

/// A secret that somebody else renews: a file is read again at each use. It must be there from the beginning all the same.
pub(super) fn read_renewed(reader: &mut Reader<'_>, named: Named<'_>) -> Option<SecretSource> {
    let source = read(reader, named)?;
    match named.node.get("file").and_then(Node::as_text) {
        Some(path) => reader.beside(named.node, path).map(SecretSource::File),
        None => Some(source),
    }
}

/// The words of `{ command: […] }`; `None` for any other reference.
pub(in crate::scenario) fn command_of<'n>(node: &'n Node<'n>) -> Option<&'n Node<'n>> {
    match &node.value {
        Value::Map(entries) if entries.len() == 1 => node.get("command"),
        _ => None,
    }
}

/// A program with its arguments.
pub(in crate::scenario) fn command(reader: &mut Reader<'_>, words: &Node<'_>) -> Option<Command> {
    let items = reader.list(words, "`command`")?;
    if items.is_empty() {
        reader.complain(words.span, Kind::Empty { what: "words" });
        return None;
    }
    let words: Vec<Option<String>> = items.iter().map(|item| word(reader, item)).collect();
    let mut words = words.into_iter().collect::<Option<Vec<String>>>()?;
    let arguments = words.split_off(1);
    Some(Command {
        program: words.pop()?,
        arguments,
        folder: reader.folder().to_owned(),
    })
}

/// Arguments are for every process of the machine to read, so a variable that sounds secret has no place in them.
fn word(reader: &mut Reader<'_>, item: &Node<'_>) -> Option<String> {
    let written = item.as_text().unwrap_or_default();
    let secretive = written.split("${").skip(1).any(|rest| {
        let name = rest.split(['}', ':']).next().unwrap_or_default();
        // By its last word: KEY_VAULT and TOKEN_FILE only say where one is.
        sounds_secret(name.rsplit('_').next().unwrap_or_default())
    });
    if secretive {
        reader.complain(item.span, Kind::SecretArgument);
        return None;
    }
    reader.plain(item, "this word")
}
