//! The rules for what finished labels are also written as.

use crate::spec::ExportFormat;
use crate::yaml::at::At;
use crate::yaml::error::Problem;
use crate::yaml::nearest;

/// Known formats of labels that no supported task makes.
const NOT_YET: [&str; 4] = ["coco", "yolo", "voc", "conll"];

pub(super) fn exports(raw: Option<&[At<String>]>) -> Result<Vec<ExportFormat>, Problem> {
    let Some(raw) = raw else {
        return Ok(vec![ExportFormat::Csv]);
    };
    let mut formats = Vec::new();
    for name in raw {
        let format = export(name)?;
        if formats.contains(&format) {
            return Err(Problem::new(
                name.at,
                format!("the export `{}` is here twice", name.value),
            ));
        }
        formats.push(format);
    }
    Ok(formats)
}

fn export(name: &At<String>) -> Result<ExportFormat, Problem> {
    match name.value.as_str() {
        "csv" => Ok(ExportFormat::Csv),
        "jsonl" => Ok(ExportFormat::JsonLines),
        later if NOT_YET.contains(&later) => Err(Problem::new(
            name.at,
            format!("the export `{later}` is not yet supported"),
        )
        .hint(format!("what works today: {}", ExportFormat::NAMES.join(", ")))),
        other => Err(
            Problem::new(name.at, format!("there is no export `{}`", other.escape_debug()))
                .maybe_hint(nearest::hint(other, &ExportFormat::NAMES, "the exports are")),
        ),
    }
}
