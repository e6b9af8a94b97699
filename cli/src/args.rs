//! The command line.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Parser, Subcommand};
use local::TrustedProxies;

/// What `aws-config` finds without its SSO and process features.
const CREDENTIALS: &str = "\
With --stack, credentials come from the environment (AWS_ACCESS_KEY_ID and the others),
from a profile (AWS_PROFILE) that has keys or a role_arn, from a web identity, or from the
container or instance this runs on. For IAM Identity Center, `aws login` and
credential_process, run this first:
    eval \"$(aws configure export-credentials --format env)\"";

/// Drop files in a folder, get labels back.
#[derive(Debug, Parser)]
#[command(name = "groundcrew", version, about, args_conflicts_with_subcommands = true)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    up: Up,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run everything on this machine (also without a command)
    Up(Up),
    /// Show everything in seconds: example files, simulated workers, labels, a notice
    Demo(Demo),
    /// Say what would happen to a folder of files or a team file before it is dropped, or whether a deployment is complete
    #[command(after_help = CREDENTIALS)]
    Check(Check),
    /// Show datasets, jobs, teams and people
    #[command(after_help = CREDENTIALS)]
    Status(Status),
    /// Print a new link to the console, and one to the outbox, of the Groundcrew on this machine; each works once
    Link(DataFolder),
    /// Serve the console of a stack on AWS on this machine
    #[command(after_help = CREDENTIALS)]
    Console(Console),
    /// Hand a group and a work team that Groundcrew did not make over to the team file of their name
    #[command(after_help = CREDENTIALS)]
    Adopt(Adopt),
    /// Drop three texts, follow them through every step, clean up, and say whether everything works
    #[command(after_help = CREDENTIALS)]
    Smoke(Smoke),
    /// Print the JSON Schema of labeling.yaml or of a team file, for editors
    Schema(Schema),
}

#[derive(Clone, Debug, clap::Args)]
pub(crate) struct DataFolder {
    /// Folder that everything is kept in [default: $GROUNDCREW_DATA, or ./data]
    #[arg(long = "data", value_name = "DIR")]
    folder: Option<PathBuf>,
}

impl DataFolder {
    pub(crate) fn folder(&self) -> PathBuf {
        let given = self
            .folder
            .clone()
            .or_else(|| std::env::var_os("GROUNDCREW_DATA").map(PathBuf::from));
        given.unwrap_or_else(|| PathBuf::from("./data"))
    }
}

/// Which Groundcrew: one on this machine, or a stack on AWS.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Location {
    #[command(flatten)]
    pub(crate) data: DataFolder,
    /// CloudFormation stack on AWS, instead of a data folder
    #[arg(long, value_name = "NAME", conflicts_with = "folder")]
    pub(crate) stack: Option<String>,
    /// AWS Region of the stack [default: that of the environment or profile]
    #[arg(long, value_name = "REGION", requires = "stack")]
    pub(crate) region: Option<String>,
}

impl Location {
    /// The command line says which; otherwise it is the one of the default data folder.
    pub(crate) fn is_given(&self) -> bool {
        self.stack.is_some() || self.data.folder.is_some()
    }
}

#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Up {
    #[command(flatten)]
    pub(crate) data: DataFolder,
    /// Address of the AWS endpoint; loopback only
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:4566")]
    pub(crate) aws: SocketAddr,
    /// Address of the portal and the console
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8080")]
    pub(crate) web: SocketAddr,
    /// Address of the portal for workers and browsers, if it is not --web: behind a proxy, or with --web 0.0.0.0:8080
    #[arg(long, value_name = "URL", value_parser = origin)]
    pub(crate) public_url: Option<String>,
    /// Write every request to the AWS endpoint, and its response, to this file (it will hold addresses and answers)
    #[arg(long, value_name = "FILE")]
    pub(crate) record: Option<PathBuf>,
    /// Proxies in front of the portal whose X-Forwarded-For names the client [default: $GROUNDCREW_TRUSTED_PROXIES]
    #[arg(long, value_name = "CIDR,...")]
    trusted_proxies: Option<TrustedProxies>,
    /// Where manifests made by hand and images of instructions may point, besides their dataset's folder
    #[arg(long, value_name = "s3://BUCKET/PREFIX/", value_delimiter = ',')]
    pub(crate) links: Vec<String>,
    /// Start without the example dataset
    #[arg(long)]
    pub(crate) bare: bool,
}

impl Up {
    pub(crate) fn trusted_proxies(&self) -> anyhow::Result<TrustedProxies> {
        match (&self.trusted_proxies, std::env::var("GROUNDCREW_TRUSTED_PROXIES")) {
            (Some(given), _) => Ok(given.clone()),
            (None, Ok(text)) => text
                .parse()
                .map_err(|error| anyhow::anyhow!("GROUNDCREW_TRUSTED_PROXIES: {error}")),
            (None, Err(std::env::VarError::NotPresent)) => Ok(TrustedProxies::default()),
            (None, Err(error)) => Err(anyhow::anyhow!("GROUNDCREW_TRUSTED_PROXIES: {error}")),
        }
    }
}

#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Demo {
    /// Print one JSON document instead of a table
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Check {
    /// Folder with a labeling.yaml and the files to label; or a team file, or a folder of them. Without a path the
    /// deployment itself is checked; with a path and --stack or --data, the folder is checked against that deployment
    #[arg(value_name = "PATH")]
    pub(crate) path: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) location: Location,
    /// Where manifests made by hand may point, besides their folder: what the operator lists (LinkSources, `up --links`)
    #[arg(long, value_name = "s3://BUCKET/PREFIX/", value_delimiter = ',')]
    pub(crate) links: Vec<String>,
    /// Print one JSON document
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Schema {
    /// The schema of a team file, teams/<team>.yaml
    #[arg(long)]
    pub(crate) team: bool,
}

#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Status {
    #[command(flatten)]
    pub(crate) location: Location,
    /// List every person, not only the first ones
    #[arg(long)]
    pub(crate) people: bool,
    /// Keep running and show every change
    #[arg(long)]
    pub(crate) watch: bool,
    /// Print JSON: one document, or with --watch one line per change
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Console {
    /// CloudFormation stack on AWS
    #[arg(long, value_name = "NAME")]
    pub(crate) stack: String,
    /// AWS Region of the stack [default: that of the environment or profile]
    #[arg(long, value_name = "REGION")]
    pub(crate) region: Option<String>,
    /// Address of the console; loopback only
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8090")]
    pub(crate) web: SocketAddr,
}

#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Adopt {
    /// The team, as its file teams/<team>.yaml is called
    #[arg(value_name = "TEAM")]
    pub(crate) team: String,
    #[command(flatten)]
    pub(crate) location: Location,
}

#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Smoke {
    #[command(flatten)]
    pub(crate) location: Location,
    /// Work team that the job is for [default: the only one there is]
    #[arg(long, value_name = "NAME")]
    pub(crate) team: Option<String>,
    /// Label as this worker (password: $GROUNDCREW_WORKER_PASSWORD) instead of stopping the job; only on a Groundcrew engine
    #[arg(long, value_name = "EMAIL")]
    pub(crate) worker: Option<String>,
    /// Minutes that any one step may take; the sweep finds within 15 minutes what an event missed
    #[arg(long, value_name = "MINUTES", default_value = "20", value_parser = minutes)]
    pub(crate) patience: Duration,
}

fn minutes(text: &str) -> Result<Duration, String> {
    match text.parse::<u32>() {
        Ok(minutes @ 1..=1440) => Ok(Duration::from_secs(u64::from(minutes) * 60)),
        _ => Err("give a number of minutes from 1 to 1440".to_owned()),
    }
}

/// `http://` or `https://`, a host, perhaps a port, and nothing more: cookies and sign-in are bound to it.
fn origin(text: &str) -> Result<String, String> {
    let text = text.trim_end_matches('/');
    let host = text
        .strip_prefix("https://")
        .or_else(|| text.strip_prefix("http://"));
    match host {
        Some(host) if !host.is_empty() && !host.contains(['/', '?', '#', '@', ' ']) => Ok(text.to_owned()),
        _ => Err(
            "write it like https://crew.example.com or http://192.168.1.5:8080, without a path".to_owned(),
        ),
    }
}

impl Args {
    pub(crate) fn into_command(self) -> Command {
        self.command.unwrap_or(Command::Up(self.up))
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_fits_together() {
        Args::command().debug_assert();
    }

    #[test]
    fn a_stack_and_a_data_folder_exclude_each_other() {
        let parse =
            |arguments: &[&str]| Args::try_parse_from([&["groundcrew", "status"], arguments].concat());
        assert!(parse(&["--stack", "crew", "--region", "eu-west-1"]).is_ok());
        assert!(parse(&["--data", "/x"]).is_ok());
        assert!(parse(&["--stack", "crew", "--data", "/x"]).is_err());
        assert!(parse(&["--region", "eu-west-1"]).is_err());
    }

    #[test]
    fn a_public_url_is_an_origin() {
        assert_eq!(
            origin("https://crew.example.com/").unwrap(),
            "https://crew.example.com"
        );
        assert_eq!(
            origin("http://192.168.1.5:8080").unwrap(),
            "http://192.168.1.5:8080"
        );
        for wrong in [
            "crew.example.com",
            "https://",
            "https://a/b",
            "ftp://a",
            "https://a@b",
            "",
        ] {
            assert!(origin(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn proxies_are_named_by_their_networks() {
        let parse = |proxies: &str| Args::try_parse_from(["groundcrew", "up", "--trusted-proxies", proxies]);
        let Command::Up(up) = parse("127.0.0.1/32,10.0.0.0/24").unwrap().into_command() else {
            panic!("not up")
        };
        assert_eq!(
            up.trusted_proxies().unwrap(),
            "127.0.0.1/32,10.0.0.0/24".parse().unwrap()
        );
        for wrong in ["0.0.0.0/0", "proxy.example.com"] {
            let refused = parse(wrong).unwrap_err().to_string();
            assert!(refused.contains(&format!("`{wrong}`")), "{refused}");
        }
    }

    #[test]
    fn without_a_command_everything_starts() {
        let args = Args::parse_from(["groundcrew", "--bare", "--data", "/x", "--web", "127.0.0.1:0"]);
        let Command::Up(up) = args.into_command() else {
            panic!("not up")
        };
        assert!(up.bare);
        assert_eq!(
            (up.data.folder(), up.web.port(), up.aws.port()),
            (PathBuf::from("/x"), 0, 4566)
        );
    }
}
