//! The run ids of a record's lines in, whose line it is and who has come to an end out.

/// The runs that a record's lines come from: one, or one a shard where records were joined.
#[derive(Debug, Default)]
pub(super) struct Speakers {
    known: Vec<Speaker>,
    current: usize,
}

#[derive(Debug, Default)]
struct Speaker {
    run_id: String,
    ended: bool,
    /// Waivers that it has stated.
    waivers: usize,
}

impl Speakers {
    /// Takes the run id of the next line; lines without one are all of one run.
    pub(super) fn hear(&mut self, run_id: &str) {
        let is_current = |speaker: &Speaker| speaker.run_id == run_id;
        if self.known.get(self.current).is_some_and(is_current) {
            return;
        }
        self.current = self.known.iter().position(is_current).unwrap_or_else(|| {
            self.known.push(Speaker {
                run_id: run_id.to_owned(),
                ..Speaker::default()
            });
            self.known.len() - 1
        });
    }

    /// Whose line the last one was.
    pub(super) fn current(&self) -> usize {
        self.current
    }

    /// The run that speaks states a waiver: its place among those of the run.
    pub(super) fn next_waiver(&mut self) -> usize {
        let speaker = self.speaker();
        speaker.waivers += 1;
        speaker.waivers - 1
    }

    /// The run that speaks has told its end.
    pub(super) fn end(&mut self) {
        self.speaker().ended = true;
    }

    /// Whether that run has told its end.
    pub(super) fn has_ended(&self, speaker: usize) -> bool {
        self.known.get(speaker).is_some_and(|known| known.ended)
    }

    /// The id of that run; `None` where its lines had none.
    pub(super) fn run_id(&self, speaker: usize) -> Option<&str> {
        let known = self.known.get(speaker)?.run_id.as_str();
        (!known.is_empty()).then_some(known)
    }

    fn speaker(&mut self) -> &mut Speaker {
        if self.known.is_empty() {
            self.known.push(Speaker::default());
        }
        let current = self.current.min(self.known.len() - 1);
        &mut self.known[current]
    }
}
