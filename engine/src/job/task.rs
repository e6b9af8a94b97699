//! The built-in task types this engine has, recognised by the suffix of the PRE- and ACS- Lambda ARNs as in AWS's API
//! reference (HumanTaskConfig.PreHumanTaskLambdaArn).

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Task {
    TextMultiClass,
    TextMultiClassMultiLabel,
    ImageMultiClass,
    ImageMultiClassMultiLabel,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Media {
    Text,
    Image,
}

/// How many of the categories one object gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Choice {
    One,
    Several,
}

impl Task {
    pub(crate) fn from_suffix(suffix: &str) -> Option<Task> {
        match suffix {
            "TextMultiClass" => Some(Task::TextMultiClass),
            "TextMultiClassMultiLabel" => Some(Task::TextMultiClassMultiLabel),
            "ImageMultiClass" => Some(Task::ImageMultiClass),
            "ImageMultiClassMultiLabel" => Some(Task::ImageMultiClassMultiLabel),
            _ => None,
        }
    }

    pub(crate) fn media(self) -> Media {
        match self {
            Task::TextMultiClass | Task::TextMultiClassMultiLabel => Media::Text,
            Task::ImageMultiClass | Task::ImageMultiClassMultiLabel => Media::Image,
        }
    }

    pub(crate) fn choice(self) -> Choice {
        match self {
            Task::TextMultiClass | Task::ImageMultiClass => Choice::One,
            Task::TextMultiClassMultiLabel | Task::ImageMultiClassMultiLabel => Choice::Several,
        }
    }

    /// The name of the crowd element in AWS's template of this task: answers are keyed by it.
    pub(crate) fn element(self) -> &'static str {
        match self {
            Task::TextMultiClass => "crowd-classifier",
            Task::TextMultiClassMultiLabel => "crowd-classifier-multi-select",
            Task::ImageMultiClass => "crowd-image-classifier",
            Task::ImageMultiClassMultiLabel => "crowd-image-classifier-multi-select",
        }
    }

    /// `type` in the output's metadata.
    pub(crate) fn output_type(self) -> &'static str {
        match self {
            Task::TextMultiClass => "groundtruth/text-classification",
            Task::TextMultiClassMultiLabel => "groundtruth/text-classification-multilabel",
            Task::ImageMultiClass => "groundtruth/image-classification",
            Task::ImageMultiClassMultiLabel => "groundtruth/image-classification-multilabel",
        }
    }

    /// Classification with several labels takes at most 50 categories; with one, any number.
    /// (Developer guide, "Input data quotas", label category quotas.)
    pub(crate) fn max_categories(self) -> Option<usize> {
        (self.choice() == Choice::Several).then_some(50)
    }
}
