//! What the operator lets a spec ask for: links, keys, work teams and tags outside of the stack's own are closed unless
//! they are listed.

use crate::link::LinkSources;
use crate::name::DatasetName;
use crate::spec::{Spec, Team};
use crate::template;

/// As the stack's parameters set them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bounds {
    pub links: LinkSources,
    /// Exactly as a spec writes them. `*`: any.
    pub kms_keys: Vec<String>,
    /// ARNs of work teams that are not private teams of the account. `*`: any.
    pub teams: Vec<String>,
    /// Keys of tags. `*`: any.
    pub tag_keys: Vec<String>,
}

/// A spec asks for more than the operator allows.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}. {hint}")]
pub struct BoundsError {
    /// The key of the spec that asks.
    pub key: &'static str,
    pub message: String,
    pub hint: String,
}

/// Entries of a list in a parameter, separated by commas.
pub fn entries(list: &str) -> Vec<String> {
    let entries = list.split(',').map(str::trim).filter(|entry| !entry.is_empty());
    entries.map(str::to_owned).collect()
}

impl Bounds {
    pub fn strictest(input_bucket: impl Into<String>, output_bucket: impl Into<String>) -> Self {
        Self {
            links: LinkSources::own_folder(input_bucket, output_bucket),
            ..Self::default()
        }
    }

    /// The first thing the spec asks for that the operator has not allowed.
    pub fn check(&self, spec: &Spec, dataset: &DatasetName) -> Result<(), BoundsError> {
        if let Some(key) = &spec.kms_key
            && !lists(&self.kms_keys, key)
        {
            return Err(not_listed("kms_key", "key", key, "AllowedKmsKeys"));
        }
        if let Team::Arn(arn) = &spec.team
            && !is_private(arn)
        {
            self.check_team(arn)?;
        }
        if let Some((key, _)) = spec.tags.iter().find(|(key, _)| !lists(&self.tag_keys, key)) {
            return Err(not_listed("tags", "tag", key, "AllowedTagKeys"));
        }
        let images = template::image_links(spec);
        for image in images {
            let uri = self.links.image_uri(dataset, &image);
            self.links.follow(dataset, &uri).map_err(|error| BoundsError {
                key: "instructions",
                message: format!("an image of the instructions cannot be shown: {error}"),
                hint: "Images have to be in the dataset's folder or in a place the operator lists".to_owned(),
            })?;
        }
        Ok(())
    }
}

impl Bounds {
    /// A work team that is not the account's own.
    pub(crate) fn check_team(&self, arn: &str) -> Result<(), BoundsError> {
        match lists(&self.teams, arn) {
            true => Ok(()),
            false => Err(not_listed("team", "work team", arn, "AllowedTeams")),
        }
    }
}

fn lists(list: &[String], name: &str) -> bool {
    list.iter().any(|entry| entry == name || entry == "*")
}

/// A private work team is one of the account's own people, whichever way a spec names it. Whether it is of this account,
/// [`crate::job::plan`] looks.
fn is_private(arn: &str) -> bool {
    arn.split(':')
        .nth(5)
        .is_some_and(|team| team.starts_with("workteam/private-crowd/"))
}

fn not_listed(key: &'static str, what: &str, name: &str, parameter: &str) -> BoundsError {
    BoundsError {
        key,
        message: format!(
            "the {what} `{}` is not allowed in this stack",
            name.escape_debug()
        ),
        hint: format!("Leave it out, or ask the operator to list it in the parameter {parameter}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(bounds: &Bounds, more: &str) -> Result<(), String> {
        let team = if more.contains("team:") {
            ""
        } else {
            "team: crew\n"
        };
        let text = format!("task: image-classification\nlabels: [a, b]\ntitle: x\n{team}{more}\n");
        let spec = Spec::parse(text.as_bytes()).unwrap_or_else(|error| panic!("{error}"));
        let dataset = DatasetName::new("cats").unwrap();
        bounds.check(&spec, &dataset).map_err(|error| error.to_string())
    }

    fn image(markdown: &str) -> String {
        format!("instructions: {{short: {}}}", serde_json::Value::from(markdown))
    }

    const VENDOR: &str = "team: arn:aws:sagemaker:us-east-1:444455556666:workteam/vendor-crowd/acme";

    #[test]
    fn a_stack_is_closed_unless_its_parameters_open_it() {
        let closed = Bounds::strictest("inbox", "out");
        for (more, part) in [
            ("kms_key: alias/other", "AllowedKmsKeys"),
            ("tags: {CostCenter: '7'}", "AllowedTagKeys"),
            (VENDOR, "AllowedTeams"),
            (&image("![](s3://out/crew/x.json)"), "LinkSources"),
            (&image("![][a]\n\n[a]: s3://inbox/dogs/x.jpg"), "LinkSources"),
            (&image("![a ![](s3://out/people/x) b](good.jpg)"), "LinkSources"),
            (&image("![](%2e%2e/teams/crew.yaml)"), "written plainly|plainly"),
            (&image("![](labeling.yaml)"), "outside"),
        ] {
            let error = check(&closed, more).unwrap_err();
            assert!(
                part.split('|').any(|part| error.contains(part)),
                "{more}: {error}"
            );
        }
        for more in [
            "",
            "team: arn:aws:sagemaker:us-east-1:111122223333:workteam/private-crowd/crew",
            &image(
                "![](good.jpg) ![](./a/b.jpg) ![](s3://inbox/cats/c.jpg) <img src=\"s3://out/crew/x.json\">",
            ),
        ] {
            assert_eq!(check(&closed, more), Ok(()), "{more}");
        }
    }

    #[test]
    fn what_a_parameter_lists_is_allowed_and_nothing_like_it() {
        let bounds = Bounds {
            links: LinkSources::own_folder("inbox", "out")
                .with_listed("s3://lake/raw/")
                .unwrap(),
            kms_keys: entries("alias/labels, alias/more"),
            teams: entries(VENDOR.strip_prefix("team: ").unwrap()),
            tag_keys: entries("project"),
        };
        for more in [
            "kms_key: alias/labels",
            "kms_key: alias/more",
            "tags: {project: x}",
            VENDOR,
        ] {
            assert_eq!(check(&bounds, more), Ok(()), "{more}");
        }
        assert_eq!(check(&bounds, &image("![](s3://lake/raw/x.png)")), Ok(()));
        for more in [
            "kms_key: alias/labels2",
            "tags: {Project: x}",
            "tags: {project: x, b: y}",
        ] {
            assert!(check(&bounds, more).is_err(), "{more}");
        }
        let any = Bounds {
            tag_keys: entries("*"),
            ..bounds
        };
        assert_eq!(check(&any, "tags: {b: y}"), Ok(()));
    }
}
