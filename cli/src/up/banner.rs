//! What `up` says when everything runs: where to go, and how to sign in.

use std::fmt::Write as _;

use local::StackInfo;

use crate::paint::{Look, Paint};

/// What lies in the data folder when `up` is ready.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Before {
    Nothing,
    Example,
    /// Whatever an earlier start left.
    Something,
}

pub(super) fn text(info: &StackInfo, before: Before, paint: Paint) -> String {
    let place = |text: &str| paint.word(Look::Place, text);
    let dim = |text: &str| paint.word(Look::Dim, text);
    let head = paint.word(Look::Strong, "Groundcrew is running.");
    let example = match before {
        Before::Example => "The example `numbers` is dropped: its job starts in a few seconds.",
        Before::Nothing => "Drop a folder of files to begin.",
        Before::Something => "It goes on where it was stopped.",
    };
    let mut text = format!("\n  {head} {example}\n\n");
    let mut row = |name: &str, value: &str| {
        let _infallible = writeln!(text, "  {}  {value}", dim(&format!("{name:<11}")));
    };
    row(
        "Portal",
        &format!("{}   workers label here", place(&info.web_url)),
    );
    row(
        "  sign in",
        &format!("{}   {}", info.worker.email, info.worker.password),
    );
    row(
        "Console",
        &place(&format!("{}?token={}", info.console_url, info.console_token)),
    );
    row("Outbox", &place(&info.outbox_url));
    row(
        "Drop folder",
        &format!("{}   a subfolder is a dataset", info.drop_folder.display()),
    );
    row(
        "People",
        &format!(
            "invite them with a file {}/teams/<team>.yaml, or under People in the console",
            info.drop_folder.display()
        ),
    );
    row(
        "AWS",
        &format!(
            "{}   for any S3 client, SDK or the AWS CLI:",
            place(&info.aws_url)
        ),
    );
    text.push('\n');
    for line in exports(info) {
        let _infallible = writeln!(text, "  {}", dim(&line));
    }
    let _infallible = write!(text, "\n  {}\n\n", dim("Ctrl-C stops it; everything is kept."));
    text
}

fn exports(info: &StackInfo) -> [String; 4] {
    [
        format!("export AWS_ENDPOINT_URL={}", info.aws_url),
        format!("export AWS_REGION={}", info.region),
        format!("export AWS_ACCESS_KEY_ID={}", info.access_key_id),
        format!("export AWS_SECRET_ACCESS_KEY={}", info.secret_access_key),
    ]
}
