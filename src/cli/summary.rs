//! How each of several runs ended in, their summary on the terminal and in the report folder out.

use std::path::PathBuf;

use super::Context;
use super::args;
use super::outputs::{self, named};
use super::run::to_stdout;
use crate::exit::Exit;
use crate::plan::Shard;
use crate::report::summary::{Row, document, markdown, text};
use crate::report::{Kind, Look};

/// The files that the summary of these runs is written to, as a page and for a machine.
pub(super) struct Summary<'o> {
    outputs: &'o args::Outputs,
    page: PathBuf,
    document: PathBuf,
}

impl<'o> Summary<'o> {
    /// Lays out the files; the shard tells apart the machines of one job.
    pub(super) fn plan(outputs: &'o args::Outputs, shard: Option<Shard>) -> Self {
        let place = |name| named(outputs, name, None, shard);
        Self {
            outputs,
            page: place("rolecall-summary.md"),
            document: place("rolecall-summary.json"),
        }
    }

    /// Removes what earlier runs left there.
    ///
    /// # Errors
    /// [`Exit::Usage`], after the reason was said.
    pub(super) fn clear(&self, context: &Context) -> Result<(), Exit> {
        outputs::clear_all(&[self.page.as_path(), &self.document], context)
    }

    /// Tells the summary where the reports are told; what another program may read on stdout is left alone.
    pub(super) fn tell(&self, rows: &[Row], worst: Exit, context: &Context) -> Exit {
        let code = worst.code();
        let told = match self.outputs.format {
            Kind::Table => to_stdout(
                format!("\n{}", text(rows, code, context.terminal.look)).as_bytes(),
                context,
            ),
            Kind::Markdown => to_stdout(format!("\n{}", markdown(rows, code)).as_bytes(), context),
            Kind::Json | Kind::Junit => {
                let look = Look {
                    colour: false,
                    ..context.terminal.look
                };
                context.terminal.hint(text(rows, code, look).trim_end());
                Exit::Conforms
            }
        };
        let page = outputs::write_text(&self.page, &markdown(rows, code), context);
        told.worst(page).worst(outputs::write_text(
            &self.document,
            &document(rows, code),
            context,
        ))
    }
}
