//! What `template.yaml` lets each function do, with the names its resources have on one machine, so that calls recorded
//! here can be held against it.

use crate::template::{Stack, statements, strings};

/// One statement of a role: any of these actions, on any of these resources.
#[derive(Clone, Debug)]
pub struct Grant {
    pub actions: Vec<String>,
    /// ARNs, `*` and `?` as IAM reads them.
    pub resources: Vec<String>,
}

/// A call as IAM sees it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Call {
    pub action: String,
    pub resource: String,
}

impl Grant {
    pub fn allows(&self, call: &Call) -> bool {
        self.actions.contains(&call.action) && self.resources.iter().any(|r| fits(r, &call.resource))
    }
}

/// Everything the function may do in a stack deployed with defaults.
pub fn grants_of(function: &str) -> Vec<Grant> {
    statements(&Stack::by_default(), function)
        .iter()
        .filter(|statement| statement["Effect"] == "Allow")
        .map(|statement| Grant {
            actions: strings(&statement["Action"]),
            resources: strings(&statement["Resource"])
                .iter()
                .map(|r| resolve(r))
                .collect(),
        })
        .collect()
}

/// CloudFormation's names, as one machine calls what they stand for.
fn resolve(resource: &str) -> String {
    let names = [
        ("InputName.Value", "groundcrew-input"),
        ("OutputName.Value", "groundcrew-output"),
        (
            "NoticeTopic",
            "arn:aws:sns:us-east-1:000000000000:groundcrew-notices",
        ),
        (
            "UserPool.Arn",
            "arn:aws:cognito-idp:us-east-1:000000000000:userpool/us-east-1_Groundcrew",
        ),
        ("UserPool", "us-east-1_Groundcrew"),
        ("AWS::Partition", "aws"),
        ("AWS::Region", "us-east-1"),
        ("AWS::AccountId", "000000000000"),
        ("JobPrefix", "gc00"),
        ("NamePrefix", "groundcrew"),
    ];
    names.iter().fold(resource.to_owned(), |text, (name, value)| {
        let braced = text.replace(&format!("${{{name}}}"), value);
        if braced == *name {
            (*value).to_owned()
        } else {
            braced
        }
    })
}

/// IAM's wildcards: `*` for any characters, also none, `?` for one.
fn fits(pattern: &str, text: &str) -> bool {
    let text: Vec<char> = text.chars().collect();
    let mut reach = vec![false; text.len() + 1];
    if let Some(start) = reach.first_mut() {
        *start = true;
    }
    for sign in pattern.chars() {
        let mut next: Vec<bool> = Vec::with_capacity(reach.len());
        for (at, reached) in reach.iter().enumerate() {
            let before = at
                .checked_sub(1)
                .and_then(|b| Some((reach[b], text.get(b)?, next[b])));
            next.push(match (sign, before) {
                ('*', before) => *reached || before.is_some_and(|(_, _, longer)| longer),
                ('?', before) => before.is_some_and(|(reached, _, _)| reached),
                (sign, before) => before.is_some_and(|(reached, c, _)| reached && *c == sign),
            });
        }
        reach = next;
    }
    reach.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::fits;

    #[test]
    fn wildcards_are_read_as_iam_reads_them() {
        assert!(fits("arn:aws:s3:::b/*", "arn:aws:s3:::b/x/y"));
        assert!(!fits("arn:aws:s3:::b/x", "arn:aws:s3:::b/x/y"));
        assert!(fits("*", "anything"));
        assert!(fits("a?c*", "abc"));
        assert!(!fits("a?c", "ac"));
    }
}
