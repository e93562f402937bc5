//! A page of Markdown and a heading in, what stands under the heading out.

/// A page that words things: a `##` heading each, then one sentence and labelled paragraphs.
#[derive(Clone, Copy, Debug)]
pub struct Page(pub &'static str);

impl Page {
    /// What stands under a `##` heading, without the space around it; empty where there is no such heading.
    pub fn section(self, heading: &str) -> &'static str {
        let sections = self.0.split("\n## ").skip(1);
        let mut own =
            sections.filter_map(|section| section.strip_prefix(heading)?.strip_prefix('\n'));
        own.next().unwrap_or_default().trim()
    }

    /// The sentence that comes first under a heading.
    pub fn headline(self, heading: &str) -> &'static str {
        self.section(heading)
            .lines()
            .find(|line| !line.is_empty())
            .unwrap_or_default()
    }

    /// The paragraph under a heading that opens with `**label.**`, without its label; empty where there is none.
    pub fn paragraph(self, heading: &str, label: &str) -> &'static str {
        let text = |line: &'static str| {
            line.strip_prefix("**")?
                .strip_prefix(label)?
                .strip_prefix(".** ")
        };
        self.section(heading)
            .lines()
            .find_map(text)
            .unwrap_or_default()
    }

    /// Every heading, in order.
    #[cfg(test)]
    pub fn headings(self) -> impl Iterator<Item = &'static str> {
        self.0.lines().filter_map(|line| line.strip_prefix("## "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: Page =
        Page("# Top\n\n## one\n\nFirst.\n\n**Cause.** A.\n\n## one-more\n\nSecond.\n");

    #[test]
    fn a_heading_leads_to_what_stands_under_it_and_to_nothing_else() {
        assert_eq!(PAGE.section("one"), "First.\n\n**Cause.** A.");
        assert_eq!(PAGE.headline("one-more"), "Second.");
        assert_eq!(PAGE.paragraph("one", "Cause"), "A.");
        assert_eq!(PAGE.paragraph("one-more", "Cause"), "");
        assert_eq!(PAGE.section("two"), "");
        assert_eq!(PAGE.headings().collect::<Vec<_>>(), ["one", "one-more"]);
    }
}
