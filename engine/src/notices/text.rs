//! The text of a work notice: which job, how many items wait, how much time is left, and where to start.

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use crate::event_sink::WorkNotice;

/// "Subjects must be ASCII text […] must be less than 100 characters long" (Publish).
const MAX_SUBJECT: usize = 99;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NoticeKind {
    New,
    Expiring,
}

impl NoticeKind {
    pub(super) fn name(self) -> &'static str {
        match self {
            NoticeKind::New => "new",
            NoticeKind::Expiring => "expiring",
        }
    }
}

/// What a notice is about.
pub(super) struct NoticeFacts<'a> {
    pub(super) topic_arn: &'a str,
    pub(super) team: &'a str,
    pub(super) job: &'a str,
    pub(super) title: &'a str,
    pub(super) description: &'a str,
    /// Items without enough answers.
    pub(super) waiting: u32,
    pub(super) until: Timestamp,
    pub(super) portal_url: &'a str,
}

impl NoticeFacts<'_> {
    pub(super) fn notice(&self, kind: NoticeKind, now: Timestamp) -> WorkNotice {
        WorkNotice {
            topic_arn: self.topic_arn.to_owned(),
            subject: self.subject(kind),
            message: self.message(kind, now),
        }
    }

    /// With the job's title, unless SNS would refuse it.
    fn subject(&self, kind: NoticeKind) -> String {
        let begin = match kind {
            NoticeKind::New => "New work for you",
            NoticeKind::Expiring => "Work for you ends soon",
        };
        let is_plain = self.title.bytes().all(|byte| (b' '..=b'~').contains(&byte));
        let subject = match is_plain {
            true => format!("{begin}: {}", self.title.trim()),
            false => begin.to_owned(),
        };
        match subject.len() {
            ..=MAX_SUBJECT => subject,
            _ => format!("{}...", &subject[..MAX_SUBJECT - 3]),
        }
    }

    fn message(&self, kind: NoticeKind, now: Timestamp) -> String {
        let team = self.team;
        let begin = match kind {
            NoticeKind::New => format!("Hello! There is new work for your team {team}:"),
            NoticeKind::Expiring => {
                format!("Hello! Your team {team} still has work that ends soon:")
            }
        };
        let description = match self.description {
            same if same == self.title => String::new(),
            other => format!("\n  {other}"),
        };
        let waiting = match self.waiting {
            1 => "1 item waits".to_owned(),
            many => format!("{many} items wait"),
        };
        let until = self
            .until
            .to_zoned(TimeZone::UTC)
            .strftime("%-d %B %Y, %H:%M UTC");
        let left = time_left(self.until.duration_since(now));
        format!(
            "{begin}\n\n  {}{description}\n\n{waiting}. The job ends on {until}, in {left}.\n\n\
             Sign in and start here: {}/\n\nEvery answer helps, even a few. Thank you!\n\n\
             (You get this message because you are in the team {team}. The job's name is {}.)\n",
            self.title, self.portal_url, self.job
        )
    }
}

/// The two largest units, as people say it.
fn time_left(left: SignedDuration) -> String {
    let minutes = (left.as_secs() / 60).max(1);
    let units = [
        (minutes / 1440, "day"),
        (minutes / 60 % 24, "hour"),
        (minutes % 60, "minute"),
    ];
    let parts = units
        .iter()
        .skip_while(|(count, _)| *count == 0)
        .take(2)
        .filter(|(count, _)| *count > 0)
        .map(|(count, unit)| format!("{count} {unit}{}", if *count == 1 { "" } else { "s" }));
    parts.collect::<Vec<_>>().join(" and ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_left_is_written_as_people_say_it() {
        for (seconds, expected) in [
            (10 * 86_400, "10 days"),
            (86_400 + 3_600 + 60, "1 day and 1 hour"),
            (86_400 + 60, "1 day"),
            (5_400, "1 hour and 30 minutes"),
            (3_600, "1 hour"),
            (61, "1 minute"),
            (0, "1 minute"),
        ] {
            assert_eq!(time_left(SignedDuration::from_secs(seconds)), expected);
        }
    }

    fn facts(title: &str) -> NoticeFacts<'_> {
        NoticeFacts {
            topic_arn: "arn",
            team: "numbers-team",
            job: "numbers-000001",
            title,
            description: "Say so.",
            waiting: 12,
            until: Timestamp::from_second(1_800_000_000).unwrap(),
            portal_url: "https://portal.example",
        }
    }

    #[test]
    fn a_subject_is_valid_for_sns_whatever_the_title() {
        for title in [
            "Even or odd?",
            "Gerade oder ungerade? – 偶数",
            "a\nb",
            &"x".repeat(128),
        ] {
            for kind in [NoticeKind::New, NoticeKind::Expiring] {
                let subject = facts(title).subject(kind);
                assert!(subject.len() < 100, "{subject}");
                assert!(
                    subject.bytes().all(|byte| (b' '..=b'~').contains(&byte)),
                    "{subject}"
                );
            }
        }
    }

    #[test]
    fn a_message_says_what_waits_how_long_and_where() {
        let now = Timestamp::from_second(1_800_000_000 - 90_000).unwrap();
        let message = facts("Even or odd?").notice(NoticeKind::Expiring, now).message;
        for part in [
            "numbers-team",
            "Even or odd?",
            "Say so.",
            "12 items wait",
            "15 January 2027, 08:00 UTC",
            "1 day and 1 hour",
            "https://portal.example/",
            "numbers-000001",
        ] {
            assert!(message.contains(part), "{part:?} is not in {message}");
        }
    }
}
