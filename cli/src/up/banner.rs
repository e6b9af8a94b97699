//! What `up` prints when everything runs: where to go, and how to sign in.

use std::fmt::Write as _;

use local::StackInfo;
use shared::shell;

use crate::paint::{Paint, Style};

/// What is in the data folder at this start.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum StartKind {
    Empty,
    WithExample,
    /// There was an earlier start.
    Later,
}

/// Opens a page of the console, or of the outbox, once.
pub(crate) fn start_link(page: &str, info: &StackInfo) -> String {
    format!("{page}?token={}", console::link_token(&info.console_secret))
}

/// `first_password`: the first worker still has the password that was made at the first start.
pub(super) fn text(info: &StackInfo, start: StartKind, first_password: bool, paint: Paint) -> String {
    let place = |text: &str| paint.word(Style::Place, text);
    let dim = |text: &str| paint.word(Style::Dim, text);
    let title = paint.word(Style::Strong, "Groundcrew is running.");
    let example = match start {
        StartKind::WithExample => "The example `numbers` is dropped: its job starts in a few seconds.",
        StartKind::Empty => "Drop a folder of files to begin.",
        StartKind::Later => "It continues where it was stopped.",
    };
    let drop = shell::path(&info.drop_folder.display().to_string());
    let teams = info.drop_folder.join("teams").display().to_string();
    let mut text = format!("\n  {title} {example}\n\n");
    let mut row = |name: &str, value: &str| {
        let _infallible = writeln!(text, "  {}  {value}", dim(&format!("{name:<11}")));
    };
    row(
        "Portal",
        &format!("{}   workers label here", place(&info.web_url)),
    );
    let password = if first_password {
        info.worker.password.as_str()
    } else {
        "with the password that was set since"
    };
    row("  sign in", &format!("{}   {password}", info.worker.email));
    row(
        "Console",
        &format!(
            "{}   this link works once",
            place(&start_link(&info.console_url, info))
        ),
    );
    row(
        "Outbox",
        &format!("{}   once the console is open", place(&info.outbox_url)),
    );
    row(
        "Drop folder",
        &format!("{drop}   a subfolder is a dataset; what is deleted here stays in the bucket"),
    );
    row(
        "People",
        &format!(
            "under People in the console, or with a file '<team>.yaml' in {}",
            shell::path(&teams)
        ),
    );
    row(
        "Results",
        &format!(
            "download them in the console, or: aws s3 cp --recursive {} results",
            shell::word(&format!("s3://{}/results/", info.output_bucket))
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

/// boto3 and version 1 of the AWS CLI read only the older name of the Region.
fn exports(info: &StackInfo) -> [String; 5] {
    [
        export("AWS_ENDPOINT_URL", &info.aws_url),
        export("AWS_REGION", &info.region),
        export("AWS_DEFAULT_REGION", &info.region),
        export("AWS_ACCESS_KEY_ID", &info.access_key_id),
        export("AWS_SECRET_ACCESS_KEY", &info.secret_access_key),
    ]
}

fn export(name: &str, value: &str) -> String {
    format!("export {name}={}", shell::word(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn info() -> StackInfo {
        let mut info =
            serde_json::json!({"worker": {"email": "w@example.com", "password": "Mango"}, "queues": []});
        let names = "aws_url web_url console_url outbox_url console_secret account access_key_id secret_access_key \
                     input_bucket state_bucket topic_arn labeling_role_arn job_prefix user_pool_id client_id team data \
                     drop_folder";
        for name in names.split(' ') {
            info[name] = name.into();
        }
        info["region"] = "us-east-1".into();
        info["output_bucket"] = "out".into();
        serde_json::from_value(info).unwrap()
    }

    fn banner(first_password: bool) -> String {
        text(&info(), StartKind::Empty, first_password, Paint::none())
    }

    #[test]
    fn every_sdk_finds_its_region_in_the_printed_lines() {
        for line in [
            "export AWS_REGION=us-east-1\n",
            "export AWS_DEFAULT_REGION=us-east-1\n",
        ] {
            assert!(banner(true).contains(line), "{}", banner(true));
        }
    }

    #[test]
    fn the_banner_says_where_results_are_and_that_the_drop_folder_deletes_nothing() {
        for part in [
            "aws s3 cp --recursive s3://out/results/ results\n",
            "stays in the bucket",
        ] {
            assert!(banner(true).contains(part), "{}", banner(true));
        }
    }

    #[test]
    fn a_password_that_was_changed_is_not_shown() {
        assert!(banner(true).contains("w@example.com   Mango\n"));
        assert!(!banner(false).contains("Mango"), "{}", banner(false));
    }

    /// A double click, or a copied line, also selects what touches an address, a path or a command.
    #[test]
    fn nothing_touches_what_people_copy_from_the_banner() {
        let mut info = info();
        info.web_url = "http://127.0.0.1:8080/".into();
        info.drop_folder = "/home/b o/$(id)/drop".into();
        for start in [StartKind::Empty, StartKind::WithExample, StartKind::Later] {
            let text = text(&info, start, true, Paint::none());
            let copied = [
                "http://127.0.0.1:8080/",
                "w@example.com",
                "Mango",
                "aws_url",
                "outbox_url",
                "'/home/b o/$(id)/drop'",
                "'/home/b o/$(id)/drop/teams'",
                "aws s3 cp --recursive s3://out/results/ results",
            ];
            for part in copied {
                let (_, after) = text
                    .split_once(part)
                    .unwrap_or_else(|| panic!("no `{part}` in {text}"));
                assert!(after.starts_with([' ', '\n']), "{part} is touched in {text}");
                assert!(text.contains(&format!(" {part}")), "{part} is touched in {text}");
            }
            let (_, link) = text
                .split_once(" console_url?token=")
                .expect("the console's link");
            let token = link.split([' ', '\n']).next().unwrap_or_default();
            let plain = |c: char| c.is_ascii_hexdigit() || c == '.';
            assert!(
                token.len() > 64 && token.chars().all(plain) && !token.ends_with('.'),
                "{token}"
            );
        }
    }

    #[test]
    fn the_lines_to_paste_set_what_they_name_whatever_it_holds() {
        let mut info = info();
        info.secret_access_key = "$(touch x)'`id`".into();
        let lines = exports(&info).join("\n");
        let script = format!("{lines}\nprintf %s \"$AWS_SECRET_ACCESS_KEY\"");
        let output = std::process::Command::new("/bin/sh")
            .args(["-c", &script])
            .output()
            .unwrap();
        assert_eq!(String::from_utf8_lossy(&output.stdout), "$(touch x)'`id`");
    }
}
