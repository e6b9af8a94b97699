//! The rules of a spec: from the shape that was read to the [`Spec`] everything else trusts. Each limit has AWS's
//! page beside it; "API reference" is CreateLabelingJob and the types it takes.

mod export;
mod files;
mod label;
mod prose;
mod tag;
mod team;
mod timing;
mod unit;

use serde_saphyr::Location;

use self::unit::whole_number;
use super::raw::RawSpec;
use crate::spec::{Spec, attribute};
use crate::task::Task;
use crate::template;
use crate::yaml::at::At;
use crate::yaml::error::{Problem, require};
use crate::yaml::nearest;

/// Stops at the first broken rule.
pub(super) fn check(root: &At<RawSpec>, source: &str) -> Result<Spec, Problem> {
    let (raw, at) = (&root.value, root.at);
    let task = task(require(
        raw.task.as_ref(),
        at,
        "task",
        "task: text-classification",
    )?)?;
    if let Some((at, key, instead)) = raw.not_yet() {
        return Err(Problem::new(at, format!("`{key}` is not yet supported")).hint(instead));
    }
    let labels = require(raw.labels.as_ref(), at, "labels", "labels: [Even, Odd]")?;
    let team = require(raw.team.as_ref(), at, "team", "team: my-work-team")?;
    let title = prose::title(require(raw.title.as_ref(), at, "title", "title: Even or odd?")?)?;
    let workers = (task.info().default_workers, 1, task.info().max_workers);
    let spec = Spec {
        task,
        labels: label::labels(labels, task, source)?,
        team: team::team(team)?,
        description: prose::description(raw.description.as_ref(), &title)?,
        title,
        instructions: prose::instructions(raw.instructions.as_ref())?,
        workers_per_item: whole_number("workers_per_item", &raw.workers_per_item, workers)?,
        task_timeout: timing::timeout(raw.task_timeout.as_ref(), task)?,
        task_expiration: timing::expiration(raw.task_expiration.as_ref())?,
        // API reference: 1 to 5,000; 1,000 when not given.
        max_concurrent_tasks: whole_number(
            "max_concurrent_tasks",
            &raw.max_concurrent_tasks,
            (1_000, 1, 5_000),
        )?,
        label_attribute: attribute::label_attribute(raw.label_attribute.as_ref(), task)?,
        select: files::select(raw.select.as_ref())?,
        text: files::split(raw.text.as_ref(), task)?,
        batch: timing::batch(raw.batch.as_ref(), task)?,
        stop_after: raw.stop_after.as_ref().map(timing::stop_after).transpose()?,
        kms_key: raw.kms_key.as_ref().map(tag::kms_key).transpose()?,
        tags: tag::tags(raw.tags.as_ref())?,
        export: export::exports(raw.export.as_deref())?,
    };
    page_fits(spec, at)
}

fn task(name: &At<String>) -> Result<Task, Problem> {
    let supported: Vec<&str> = Task::all()
        .filter(|task| task.is_supported())
        .map(Task::name)
        .collect();
    let known: Vec<&str> = Task::all().map(Task::name).collect();
    let text = name.value.as_str();
    match Task::from_name(text) {
        Some(task) if task.is_supported() => Ok(task),
        Some(task) => Err(
            Problem::new(name.at, format!("the task `{task}` is not yet supported"))
                .hint(format!("what works today: {}", supported.join(", "))),
        ),
        None => {
            let close = nearest::name(text, &known).map(|name| format!("did you mean `{name}`?"));
            let hint = close.or_else(|| nearest::hint(text, &supported, "the tasks are"));
            Err(Problem::new(name.at, format!("there is no task `{}`", text.escape_debug())).maybe_hint(hint))
        }
    }
}

/// The page made of it all has to fit. It is checked here because the author can still shorten the spec.
fn page_fits(spec: Spec, at: Location) -> Result<Spec, Problem> {
    if template::fits(&spec) {
        return Ok(spec);
    }
    let message = format!(
        "the worker page made from this has more than {} characters",
        template::MAX_CHARS
    );
    Err(Problem::at(at, message).hint("shorten the instructions or the descriptions of the labels"))
}
