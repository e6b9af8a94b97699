//! The built-in task types this engine has, by the suffix of the PRE- and ACS- Lambda ARNs in AWS's API reference
//! (HumanTaskConfig.PreHumanTaskLambdaArn).

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TaskType {
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

/// What workers make for an item. The rooms `answer`, `consolidate` and `output` have a file for each kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AnnotationKind {
    /// Categories that the item has.
    Classes,
}

/// How many of the categories one item gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Choice {
    One,
    Several,
}

impl TaskType {
    pub(crate) fn from_suffix(suffix: &str) -> Option<TaskType> {
        match suffix {
            "TextMultiClass" => Some(TaskType::TextMultiClass),
            "TextMultiClassMultiLabel" => Some(TaskType::TextMultiClassMultiLabel),
            "ImageMultiClass" => Some(TaskType::ImageMultiClass),
            "ImageMultiClassMultiLabel" => Some(TaskType::ImageMultiClassMultiLabel),
            _ => None,
        }
    }

    pub(crate) fn kind(self) -> AnnotationKind {
        match self {
            TaskType::TextMultiClass
            | TaskType::TextMultiClassMultiLabel
            | TaskType::ImageMultiClass
            | TaskType::ImageMultiClassMultiLabel => AnnotationKind::Classes,
        }
    }

    pub(crate) fn media(self) -> Media {
        match self {
            TaskType::TextMultiClass | TaskType::TextMultiClassMultiLabel => Media::Text,
            TaskType::ImageMultiClass | TaskType::ImageMultiClassMultiLabel => Media::Image,
        }
    }

    pub(crate) fn choice(self) -> Choice {
        match self {
            TaskType::TextMultiClass | TaskType::ImageMultiClass => Choice::One,
            TaskType::TextMultiClassMultiLabel | TaskType::ImageMultiClassMultiLabel => Choice::Several,
        }
    }

    /// The name of the crowd element in AWS's template of this task: answers are keyed by it.
    pub(crate) fn element(self) -> &'static str {
        match self {
            TaskType::TextMultiClass => "crowd-classifier",
            TaskType::TextMultiClassMultiLabel => "crowd-classifier-multi-select",
            TaskType::ImageMultiClass => "crowd-image-classifier",
            TaskType::ImageMultiClassMultiLabel => "crowd-image-classifier-multi-select",
        }
    }

    /// `type` in the output's metadata.
    pub(crate) fn output_type(self) -> &'static str {
        match self {
            TaskType::TextMultiClass => "groundtruth/text-classification",
            TaskType::TextMultiClassMultiLabel => "groundtruth/text-classification-multilabel",
            TaskType::ImageMultiClass => "groundtruth/image-classification",
            TaskType::ImageMultiClassMultiLabel => "groundtruth/image-classification-multilabel",
        }
    }

    /// Classification with several labels takes at most 50 categories; with one, any number.
    /// (Developer guide, "Input data quotas", label category quotas.)
    pub(crate) fn max_categories(self) -> Option<usize> {
        (self.choice() == Choice::Several).then_some(50)
    }
}
