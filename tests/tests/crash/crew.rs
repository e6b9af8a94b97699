//! The crew: a team file is read, people are invited, sign in with the temporary password and choose their own. No one is
//! invited twice, no one is left out, and everyone who signed in is in the team.

use std::collections::BTreeSet;

use anyhow::{Context, Result};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use tests::app::App;
use tests::crew::{PATIENCE, accept, drop_team, invitation, mails, people_in_state, team_file};
use tests::wait;
use tests::worker::{Worker, WorkerReply};

use crate::tally::Tally;

const TEAM: &str = "readers";
const PEOPLE: usize = 4;
const PASSWORD: &str = "Chosen-by-myself-7";

pub(crate) struct CrashingCrew {
    app: App,
    random: StdRng,
    tally: Tally,
}

fn person(number: usize) -> String {
    format!("person{number}@example.org")
}

impl CrashingCrew {
    pub(crate) async fn start(seed: u64) -> Result<Self> {
        Ok(Self {
            app: App::start_bare().await?,
            random: StdRng::seed_from_u64(seed),
            tally: Tally::default(),
        })
    }

    pub(crate) async fn run(mut self) -> Result<Tally> {
        let people: Vec<String> = (0..PEOPLE).map(person).collect();
        let names: Vec<&str> = people.iter().map(String::as_str).collect();
        drop_team(&self.app, TEAM, &team_file(&names))?;
        // At the first mail, and at a later one.
        for least in [1, self.random.random_range(2..PEOPLE)] {
            self.until_invited(&people, least).await;
            self.crash("a team on its way").await?;
        }
        self.until_invited(&people, PEOPLE).await;
        for email in &people {
            self.comes(email).await?;
        }
        people_in_state(&self.app, TEAM, "joined", PEOPLE as u64).await;
        self.check(&people).await
    }

    #[expect(clippy::print_stderr, reason = "a failure needs to say where it was killed")]
    async fn crash(&mut self, point: &'static str) -> Result<()> {
        eprintln!("killed: {point}");
        self.tally.count_kill(point);
        self.app.crash_and_restart().await
    }

    async fn until_invited(&self, people: &[String], least: usize) {
        wait::until(&format!("{least} people invited"), PATIENCE, || async {
            let mut invited = BTreeSet::new();
            for email in people {
                let mails = mails(&self.app, email).await.map_err(|error| error.to_string())?;
                if !mails.is_empty() {
                    invited.insert(email);
                }
            }
            if invited.len() >= least {
                Ok(())
            } else {
                Err(format!("{invited:?}"))
            }
        })
        .await;
    }

    /// Signs in and is killed on the way, then signs in with whatever password is good by now.
    async fn comes(&mut self, email: &str) -> Result<()> {
        let invited = invitation(&self.app, email).await?;
        let coming = accept(&self.app, &invited, email, PASSWORD);
        // A sign-in takes as long as two passwords are compared on purpose: some of this time passes.
        let patience = std::time::Duration::from_millis(self.random.random_range(1..400));
        let came = tokio::time::timeout(patience, coming).await;
        let was_let_in = matches!(came, Ok(Ok(_)));
        self.crash("a sign-in on its way").await?;
        let own = Worker::new(email, PASSWORD)?;
        // Refused where the password was not chosen yet.
        let signed_in = own.sign_in(self.app.text("web_url")).await;
        let is_in =
            signed_in.is_ok() && matches!(own.jobs(self.app.text("web_url")).await?, WorkerReply::Done(_));
        assert!(
            is_in || !was_let_in,
            "{email} chose a password, was let in, and it is not known"
        );
        if !is_in {
            accept(&self.app, &invited, email, PASSWORD)
                .await
                .with_context(|| format!("{email}: neither password is good"))?;
        }
        Ok(())
    }

    async fn check(mut self, people: &[String]) -> Result<Tally> {
        for email in people {
            let mails = mails(&self.app, email).await?;
            let subjects: Vec<_> = mails.iter().map(|mail| mail["subject"].clone()).collect();
            assert_eq!(mails.len(), 1, "{email} was sent {subjects:?}");
        }
        let joined = people_in_state(&self.app, TEAM, "joined", PEOPLE as u64).await;
        self.tally.invitations += people.len();
        self.tally.joined += joined["counts"]["joined"]
            .as_u64()
            .map_or(0, |count| count as usize);
        Ok(std::mem::take(&mut self.tally))
    }
}
