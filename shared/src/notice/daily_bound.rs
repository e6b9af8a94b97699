//! The notice that a day's items or jobs are used up.

use serde_json::json;

use super::message::subject;
use super::model::{Notice, NoticeKind};
use crate::daily::{DailyBudget, DailyUnit};
use crate::mail_text::{brief, quote};
use crate::name::DatasetName;

impl Notice {
    /// The day's bound is reached. Said once a day and unit, for all datasets together: `dataset` is the first that waits.
    pub fn daily_bound(budget: &DailyBudget, dataset: &DatasetName) -> Self {
        let DailyBudget {
            unit,
            most,
            day,
            ends,
        } = budget;
        let (name, parameter) = (unit.name(), unit.parameter());
        let what = match unit {
            DailyUnit::Items => "no further batch is cut",
            DailyUnit::Jobs => "no further labeling job is started",
        };
        Self {
            id: format!("daily-bound/{name}/{day}"),
            kind: NoticeKind::DailyBound,
            dataset: dataset.to_string(),
            team: None,
            subject: subject(&format!(
                "Groundcrew: the day's {most} {name} are used up; {} waits",
                brief(dataset.as_str())
            )),
            text: format!(
                "This stack labels no more than {most} {name} a day (UTC), and on {day} they are\n\
                 used up: {what}. What runs goes on.\n\n\
                 \x20 First to wait  the dataset {}; others may wait too: see the console,\n\
                 \x20                or `groundcrew status`\n\
                 \x20 Goes on        by itself after {ends}\n\
                 \x20 More today     raise the stack's parameter {parameter}\n",
                quote(dataset.as_str())
            ),
            detail: json!({"unit": name, "most": most, "day": day, "parameter": parameter, "goes_on": ends}),
        }
    }
}
