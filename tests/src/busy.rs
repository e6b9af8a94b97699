//! A line that does all it can do once, on purpose also what goes wrong: what its functions call is recorded.

use std::path::Path;

use anyhow::{Context, Result, bail};
use serde_json::json;

use crate::app::App;
use crate::aws::Aws;
use crate::crew::{PATIENCE, accept, drop_team, invitation, mails, people_in_state, team_file};
use crate::wait;
use crate::worker::{Worker, WorkerReply};

const TEAM: &str = "readers";
const ANA: &str = "ana@example.org";
/// Has an account, and is in no team.
const CY: &str = "cy@example.org";
const POOL: &str = "AWSCognitoIdentityProviderService";
const BO: &str = "bo@example.org";
const SPEC: &str = "task: text-classification
labels: [Even, Odd]
team: readers
title: Even or odd?
workers_per_item: 1
batch: {quiet: 1s}
tags: {project: parity}
";

/// From an empty line to labels, notices and people who have come and gone.
pub async fn drive_everything(recording: &Path) -> Result<()> {
    let mut app = App::start_recorded(recording).await?;
    let aws = Aws::of(&app);
    old_crew(&app, &aws).await?;
    nothing_yet(&app, &aws).await?;
    let more = "groups: [old-crew, no-such-group]\nnotify_workers: true\nnetworks: [127.0.0.0/8]\n";
    drop_team(&app, TEAM, &(team_file(&[ANA, BO, CY]) + more))?;
    let ana = accept(&app, &invitation(&app, ANA).await?, ANA, "Ana-labels-9-numbers").await?;
    people_in_state(&app, TEAM, "joined", 2).await;
    labels(&app, &ana).await?;
    wrong_things(&app).await?;
    let file = team_file(&[BO, CY]).replace("label numbers", "label all numbers")
        + "notify_workers: true\nnetworks: [127.0.0.0/8]\n";
    drop_team(&app, TEAM, &file)?;
    people_in_state(&app, TEAM, "left", 1).await;
    operation_is_recorded(recording, "UpdateWorkteam").await;
    app.crash_and_restart().await?;
    // sync-team looks at everybody, as every function does when the line starts.
    operation_is_recorded(recording, "ListUsersInGroup").await;
    Ok(())
}

/// An account without a workforce, and an app client that knows no portal: what a new stack on AWS finds.
async fn nothing_yet(app: &App, aws: &Aws) -> Result<()> {
    let team = json!({"WorkteamName": app.text("team")});
    aws.json("sagemaker", "SageMaker.DeleteWorkteam", &team).await?;
    let workforce = json!({"WorkforceName": "default"});
    aws.json("sagemaker", "SageMaker.DeleteWorkforce", &workforce)
        .await?;
    let (pool, client) = (app.text("user_pool_id"), app.text("client_id"));
    let client = json!({"UserPoolId": pool, "ClientId": client, "WriteAttributes": [],
        "AllowedOAuthFlows": ["code"], "AllowedOAuthFlowsUserPoolClient": true,
        "AllowedOAuthScopes": ["openid", "email", "profile"], "SupportedIdentityProviders": ["COGNITO"],
        "CallbackURLs": ["https://127.0.0.1/oauth2/idpresponse"]});
    aws.json("cognito-idp", &format!("{POOL}.UpdateUserPoolClient"), &client)
        .await
        .map(drop)
}

/// The operation is in the recording.
async fn operation_is_recorded(recording: &Path, operation: &str) {
    wait::until(&format!("a call of {operation}"), PATIENCE, || async {
        let text = std::fs::read_to_string(recording).map_err(|e| e.to_string())?;
        match text.contains(operation) {
            true => Ok(()),
            false => Err(format!("{} calls, and none of it", text.lines().count())),
        }
    })
    .await;
}

/// A group with a member who had an account before.
async fn old_crew(app: &App, aws: &Aws) -> Result<()> {
    let group = json!({"UserPoolId": app.text("user_pool_id"), "GroupName": "old-crew"});
    aws.json("cognito-idp", &format!("{POOL}.CreateGroup"), &group)
        .await?;
    aws.hire_into(app, "old-crew", (CY, "Cy-was-here-1-before")).await
}

/// Two numbers, dropped, labelled and announced.
async fn labels(app: &App, worker: &Worker) -> Result<()> {
    let folder = app.drop_folder().join("parity");
    std::fs::create_dir_all(&folder)?;
    std::fs::write(folder.join("labeling.yaml"), SPEC)?;
    for number in ["41", "42"] {
        std::fs::write(folder.join(format!("{number}.txt")), number)?;
    }
    std::fs::write(folder.join("empty.txt"), "")?;
    let portal = app.text("web_url");
    let job = wait::until("a job of the team", PATIENCE, || async {
        match worker.jobs(portal).await.map_err(|e| e.to_string())? {
            WorkerReply::Done(jobs) => jobs["jobs"][0]["name"]
                .as_str()
                .map(str::to_owned)
                .ok_or_else(|| jobs.to_string()),
            other => Err(format!("{other:?}")),
        }
    })
    .await;
    forget_that_it_started(app).await?;
    for _ in 0..2 {
        let WorkerReply::Done(next) = worker.next(portal, &job).await? else {
            bail!("no task");
        };
        let token = next["task"]["token"].as_str().context("a task")?;
        worker.answer(portal, token, "Even").await?;
    }
    wait::until(
        "the labels are announced, and who gave them",
        PATIENCE,
        || async {
            let status = app.status().map_err(|e| format!("{e:#}"))?;
            let people = status["crew"]["people"].as_array().cloned().unwrap_or_default();
            if people.iter().any(|person| person["answers"] == 2) {
                Ok(())
            } else {
                Err(status.to_string())
            }
        },
    )
    .await;
    Ok(())
}

/// The admin has a mail about this.
async fn notice_arrives(app: &App, what: &str) {
    wait::until(&format!("a mail about {what}"), PATIENCE, || async {
        let mails = mails(app, "admin@example.com").await.map_err(|e| e.to_string())?;
        let subjects: Vec<&str> = mails.iter().filter_map(|mail| mail["subject"].as_str()).collect();
        if subjects.iter().any(|subject| subject.contains(what)) {
            Ok(())
        } else {
            Err(format!("{subjects:?}"))
        }
    })
    .await;
}

/// As if start-job had died between the job and its marker: the next event finds the name taken, and looks whose it is.
async fn forget_that_it_started(app: &App) -> Result<()> {
    let marker = "jobs/parity/000001/started";
    let s3 = app.s3()?;
    let gone = s3.delete_object().bucket(app.text("output_bucket")).key(marker);
    gone.send().await?;
    Ok(())
}

/// What is refused, and said: a spec, a team file, a work team that is not there.
async fn wrong_things(app: &App) -> Result<()> {
    let broken = app.drop_folder().join("broken");
    std::fs::create_dir_all(&broken)?;
    std::fs::write(broken.join("labeling.yaml"), "task: guessing\n")?;
    drop_team(app, "nobodys", "organization: Example Lab\n")?;
    let stranded = app.drop_folder().join("stranded");
    std::fs::create_dir_all(&stranded)?;
    std::fs::write(
        stranded.join("labeling.yaml"),
        SPEC.replace("readers", "no-such-team"),
    )?;
    std::fs::write(stranded.join("1.txt"), "1")?;
    for what in ["labeling.yaml of broken", "nobodys", "stranded"] {
        notice_arrives(app, what).await;
    }
    Ok(())
}
