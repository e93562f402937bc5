//! A scenario's text in, its short parts as a tree and its operations as read out.

use super::raw::{Document, Entry, Node, Unread};
use super::reader::Reader;
use super::register::Register;
use super::{Deployment, deployment, environment, operation};

/// A document of which the long part is read: the operations, each as soon as its lines are, so that their text is never in
/// memory as a tree.
pub(super) struct Draft<'t> {
    /// Everything but the entries of `operations`.
    pub(super) root: Node<'t>,
    /// What is under test; `None` where it could not be read.
    pub(super) deployment: Option<Deployment>,
    /// `None` where the document has no such key.
    pub(super) operations: Option<operation::Read>,
}

/// What operations refer to: where some of it stands below them, they are read once more when it is known.
const REFERRED: [&str; 5] = [
    "environments",
    "deployment",
    "clients",
    "personas",
    "fixtures",
];

impl<'t> Draft<'t> {
    /// Reads a text; what is wrong with its long part is told to the reader.
    ///
    /// # Errors
    /// Those of [`Document`].
    pub(super) fn of(reader: &mut Reader<'_>, text: &'t str) -> Result<Self, Unread> {
        let mut document = Document::of(text);
        let mut root = document.head()?;
        let (deployment, operations) = Self::long(reader, &root, &mut document)?;
        let below = document.tail()?;
        let is_referred = |entry: &Entry<'_>| {
            let key = entry.key.as_text();
            key.is_some_and(|key| REFERRED.contains(&key) && root.get(key).is_none())
        };
        let again = below.iter().any(is_referred);
        root.extend(below);
        let (deployment, operations) = if again {
            reader.forget();
            let mut document = Document::of(text);
            document.head()?;
            Self::long(reader, &root, &mut document)?
        } else {
            (deployment, operations)
        };
        Ok(Self {
            root,
            deployment,
            operations,
        })
    }

    fn long(
        reader: &mut Reader<'_>,
        root: &Node<'t>,
        document: &mut Document<'t>,
    ) -> Result<(Option<Deployment>, Option<operation::Read>), Unread> {
        if let Some(environments) = root.named("environments") {
            environment::read(reader, environments);
        }
        let mut register = Register::of(root);
        let deployment = root.named("deployment");
        let deployment = deployment.and_then(|node| deployment::read(reader, node, &register));
        register.within = within(deployment.as_ref());
        let operations = operation::read(reader, root, document, &register)?;
        Ok((deployment, operations))
    }
}

/// The ids that only say where a deployment holds the run's own objects; none where it could not be read.
pub(super) fn within(deployment: Option<&Deployment>) -> Vec<String> {
    let within = deployment.map(|deployment| deployment.within.clone());
    within.unwrap_or_default()
}
