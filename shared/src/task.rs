//! The one table of what there is to label: every built-in task type of Ground Truth, what it is called on both
//! sides, and what the labeling service allows in it.
//!
//! Sources: the SageMaker API reference (CreateLabelingJob, HumanTaskConfig, AnnotationConsolidationConfig,
//! UiConfig) for names, ARNs and the `-ref` rule; the SageMaker developer guide for workers ("Annotation
//! consolidation"), timeouts ("Create a labeling job (console)") and label counts ("Input data quotas").

mod arn;

use std::time::Duration;

pub use self::arn::{acs_lambda_arn, auto_label_arn, pre_lambda_arn, regions, task_ui_arn};

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

/// A kind of labeling, by the names a spec uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Task {
    ImageClassification,
    ImageClassificationMultiLabel,
    BoundingBox,
    SemanticSegmentation,
    TextClassification,
    TextClassificationMultiLabel,
    NamedEntityRecognition,
    VideoClassification,
    VideoObjectDetection,
    VideoObjectTracking,
    PointCloudObjectDetection,
    PointCloudObjectTracking,
    PointCloudSemanticSegmentation,
    TextRanking,
    QuestionAnswer,
    Polygon,
    Keypoint,
    Custom,
}

/// What one item of the task is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Input {
    /// Inlined as `source`: a text job whose `source` is an S3 URI shows workers the URI.
    Text,
    Image,
    Video,
    /// A sequence file that lists video frames.
    Frames,
    PointCloud,
    /// A sequence file that lists point clouds.
    PointClouds,
    /// Any line: the worker template decides what it makes of it.
    Any,
}

impl Input {
    /// The manifest key that holds the item.
    pub fn manifest_key(self) -> &'static str {
        match self {
            Self::Text | Self::Any => "source",
            _ => "source-ref",
        }
    }
}

/// What shows the item to the worker. Exactly one of the two goes into UiConfig.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Interface {
    /// `UiTemplateS3Uri`: a worker template whose tool is this crowd element.
    Template(&'static str),
    /// `HumanTaskUiArn`: AWS's own page of this name.
    TaskUi(&'static str),
}

/// Shape of the label category configuration file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Categories {
    /// `{"document-version":"2018-11-28","labels":[{"label":…}]}`
    Labels,
    /// The same with the instructions in it.
    LabelsAndInstructions,
    /// `{"documentVersion":"2020-03-01",…}` with attributes.
    Attributes,
}

/// What the labeling service writes for an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Output {
    /// A class index; name and confidence in the metadata.
    Class,
    /// Class indices; names and confidences in the metadata.
    Classes,
    Boxes,
    /// A mask image.
    Mask,
    Entities,
    /// A file per frame sequence.
    Sequence,
    Cuboids,
    /// The workers' answers as they are.
    Answers,
}

/// All that is fixed about a task.
#[derive(Debug)]
pub struct TaskInfo {
    pub task: Task,
    pub name: &'static str,
    /// What AWS's own functions for the task are called: `PRE-<suffix>`, `ACS-<suffix>`.
    pub suffix: &'static str,
    pub interface: Interface,
    pub input: Input,
    /// LabelAttributeName must end in `-ref`; where this is false it must not.
    pub ref_attribute: bool,
    pub default_workers: u32,
    /// 9 is the service's limit; frame and point-cloud tasks take one worker.
    pub max_workers: u32,
    pub default_timeout: Duration,
    pub max_timeout: Duration,
    pub min_labels: usize,
    /// `None`: the API sets no limit.
    pub max_labels: Option<usize>,
    /// Characters of a label's name.
    pub max_label_chars: usize,
    /// Items of one job.
    pub max_items: u32,
    /// Last part of the auto-labeling algorithm's ARN.
    pub auto_label: Option<&'static str>,
    pub verify_suffix: Option<&'static str>,
    pub adjust_suffix: Option<&'static str>,
    pub categories: Categories,
    pub output: Output,
}

/// What most tasks have in common: up to nine workers, 8 hours, 100,000 items ("Input data quotas").
const BASE: TaskInfo = TaskInfo {
    task: Task::Custom,
    name: "custom",
    suffix: "PassThrough",
    interface: Interface::Template("crowd-form"),
    input: Input::Any,
    ref_attribute: false,
    default_workers: 3,
    max_workers: 9,
    default_timeout: Duration::from_secs(HOUR),
    max_timeout: Duration::from_secs(8 * HOUR),
    min_labels: 1,
    max_labels: None,
    max_label_chars: 256,
    max_items: 100_000,
    auto_label: None,
    verify_suffix: None,
    adjust_suffix: None,
    categories: Categories::Labels,
    output: Output::Answers,
};

/// Single- and multi-label classification: the console's 5 minutes, and at least two labels to choose from.
const CLASSIFICATION: TaskInfo = TaskInfo {
    default_timeout: Duration::from_secs(5 * MINUTE),
    min_labels: 2,
    output: Output::Class,
    ..BASE
};

/// Video frames and point clouds: one worker, up to 7 days, at most 30 labels of at most 16 characters.
const SEQUENCE: TaskInfo = TaskInfo {
    ref_attribute: true,
    default_workers: 1,
    max_workers: 1,
    max_timeout: Duration::from_secs(7 * DAY),
    max_labels: Some(30),
    max_label_chars: 16,
    categories: Categories::Attributes,
    output: Output::Sequence,
    ..BASE
};

const POINT_CLOUD: TaskInfo = TaskInfo {
    default_timeout: Duration::from_secs(3 * DAY),
    ..SEQUENCE
};

static TABLE: [TaskInfo; 18] = [
    TaskInfo {
        task: Task::ImageClassification,
        name: "image-classification",
        suffix: "ImageMultiClass",
        interface: Interface::Template("crowd-image-classifier"),
        input: Input::Image,
        auto_label: Some("image-classification"),
        ..CLASSIFICATION
    },
    TaskInfo {
        task: Task::ImageClassificationMultiLabel,
        name: "image-classification-multi-label",
        suffix: "ImageMultiClassMultiLabel",
        interface: Interface::Template("crowd-image-classifier-multi-select"),
        input: Input::Image,
        max_labels: Some(50),
        output: Output::Classes,
        ..CLASSIFICATION
    },
    TaskInfo {
        task: Task::BoundingBox,
        name: "bounding-box",
        suffix: "BoundingBox",
        interface: Interface::Template("crowd-bounding-box"),
        input: Input::Image,
        default_workers: 5,
        max_labels: Some(50),
        auto_label: Some("object-detection"),
        verify_suffix: Some("VerificationBoundingBox"),
        adjust_suffix: Some("AdjustmentBoundingBox"),
        output: Output::Boxes,
        ..BASE
    },
    TaskInfo {
        task: Task::SemanticSegmentation,
        name: "semantic-segmentation",
        suffix: "SemanticSegmentation",
        interface: Interface::Template("crowd-semantic-segmentation"),
        input: Input::Image,
        ref_attribute: true,
        max_items: 20_000,
        auto_label: Some("semantic-segmentation"),
        verify_suffix: Some("VerificationSemanticSegmentation"),
        adjust_suffix: Some("AdjustmentSemanticSegmentation"),
        output: Output::Mask,
        ..BASE
    },
    TaskInfo {
        task: Task::TextClassification,
        name: "text-classification",
        suffix: "TextMultiClass",
        interface: Interface::Template("crowd-classifier"),
        input: Input::Text,
        auto_label: Some("text-classification"),
        ..CLASSIFICATION
    },
    TaskInfo {
        task: Task::TextClassificationMultiLabel,
        name: "text-classification-multi-label",
        suffix: "TextMultiClassMultiLabel",
        interface: Interface::Template("crowd-classifier-multi-select"),
        input: Input::Text,
        max_labels: Some(50),
        output: Output::Classes,
        ..CLASSIFICATION
    },
    TaskInfo {
        task: Task::NamedEntityRecognition,
        name: "named-entity-recognition",
        suffix: "NamedEntityRecognition",
        interface: Interface::TaskUi("NamedEntityRecognition"),
        input: Input::Text,
        categories: Categories::LabelsAndInstructions,
        output: Output::Entities,
        ..BASE
    },
    // The developer guide's page calls the functions VideoClassification; the API reference, which has the ARNs,
    // calls them VideoMultiClass.
    TaskInfo {
        task: Task::VideoClassification,
        name: "video-classification",
        suffix: "VideoMultiClass",
        interface: Interface::Template("crowd-classifier"),
        input: Input::Video,
        max_labels: Some(30),
        output: Output::Class,
        ..BASE
    },
    TaskInfo {
        task: Task::VideoObjectDetection,
        name: "video-object-detection",
        suffix: "VideoObjectDetection",
        interface: Interface::TaskUi("VideoObjectDetection"),
        input: Input::Frames,
        adjust_suffix: Some("AdjustmentVideoObjectDetection"),
        ..SEQUENCE
    },
    TaskInfo {
        task: Task::VideoObjectTracking,
        name: "video-object-tracking",
        suffix: "VideoObjectTracking",
        interface: Interface::TaskUi("VideoObjectTracking"),
        input: Input::Frames,
        adjust_suffix: Some("AdjustmentVideoObjectTracking"),
        ..SEQUENCE
    },
    TaskInfo {
        task: Task::PointCloudObjectDetection,
        name: "point-cloud-object-detection",
        suffix: "3DPointCloudObjectDetection",
        interface: Interface::TaskUi("PointCloudObjectDetection"),
        input: Input::PointCloud,
        ref_attribute: false,
        adjust_suffix: Some("Adjustment3DPointCloudObjectDetection"),
        output: Output::Cuboids,
        ..POINT_CLOUD
    },
    TaskInfo {
        task: Task::PointCloudObjectTracking,
        name: "point-cloud-object-tracking",
        suffix: "3DPointCloudObjectTracking",
        interface: Interface::TaskUi("PointCloudObjectTracking"),
        input: Input::PointClouds,
        adjust_suffix: Some("Adjustment3DPointCloudObjectTracking"),
        ..POINT_CLOUD
    },
    TaskInfo {
        task: Task::PointCloudSemanticSegmentation,
        name: "point-cloud-semantic-segmentation",
        suffix: "3DPointCloudSemanticSegmentation",
        interface: Interface::TaskUi("PointCloudSemanticSegmentation"),
        input: Input::PointCloud,
        adjust_suffix: Some("Adjustment3DPointCloudSemanticSegmentation"),
        ..POINT_CLOUD
    },
    TaskInfo {
        task: Task::TextRanking,
        name: "text-ranking",
        interface: Interface::Template("crowd-text-ranking"),
        default_workers: 1,
        ..BASE
    },
    TaskInfo {
        task: Task::QuestionAnswer,
        name: "question-answer",
        interface: Interface::Template("crowd-question-answer"),
        default_workers: 1,
        ..BASE
    },
    TaskInfo {
        task: Task::Polygon,
        name: "polygon",
        interface: Interface::Template("crowd-polygon"),
        ..BASE
    },
    TaskInfo {
        task: Task::Keypoint,
        name: "keypoint",
        interface: Interface::Template("crowd-keypoint"),
        ..BASE
    },
    BASE,
];

impl Task {
    pub fn all() -> impl Iterator<Item = Self> {
        TABLE.iter().map(|info| info.task)
    }

    pub fn from_name(name: &str) -> Option<Self> {
        TABLE.iter().find(|info| info.name == name).map(|info| info.task)
    }

    pub fn info(self) -> &'static TaskInfo {
        &TABLE[self as usize]
    }

    pub fn name(self) -> &'static str {
        self.info().name
    }

    pub fn input(self) -> Input {
        self.info().input
    }

    /// More than one label an item.
    pub fn is_multi_label(self) -> bool {
        self.info().output == Output::Classes
    }

    /// Whether Groundcrew can run it today. The others are known by name so that a spec gets a straight answer.
    pub fn is_supported(self) -> bool {
        matches!(
            self,
            Self::ImageClassification
                | Self::ImageClassificationMultiLabel
                | Self::TextClassification
                | Self::TextClassificationMultiLabel
        )
    }
}

impl std::fmt::Display for Task {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_in_the_order_of_the_tasks_and_knows_each_by_name() {
        for (position, info) in TABLE.iter().enumerate() {
            assert_eq!(info.task as usize, position, "{}", info.name);
            assert_eq!(info.task.info().name, info.name);
            assert_eq!(Task::from_name(info.name), Some(info.task));
        }
        assert_eq!(Task::from_name("Text-Classification"), None);
    }

    #[test]
    fn the_services_arns_are_built_as_documented() {
        let arn = |region| pre_lambda_arn(region, Task::TextClassification);
        assert_eq!(
            arn("us-east-1").as_deref(),
            Some("arn:aws:lambda:us-east-1:432418664414:function:PRE-TextMultiClass")
        );
        assert_eq!(
            acs_lambda_arn("ap-south-1", Task::VideoClassification).as_deref(),
            Some("arn:aws:lambda:ap-south-1:565803892007:function:ACS-VideoMultiClass")
        );
        assert_eq!(arn("us-west-1"), None, "no built-in tasks there");
        assert_eq!(
            task_ui_arn("eu-west-1", Task::PointCloudObjectTracking).as_deref(),
            Some("arn:aws:sagemaker:eu-west-1:394669845002:human-task-ui/PointCloudObjectTracking")
        );
        assert_eq!(task_ui_arn("eu-west-1", Task::TextClassification), None);
        assert_eq!(
            auto_label_arn("eu-west-1", Task::BoundingBox).as_deref(),
            Some(
                "arn:aws:sagemaker:eu-west-1:027400017018:labeling-job-algorithm-specification/object-detection"
            )
        );
    }

    #[test]
    fn the_ref_rule_and_the_worker_rule_hold_for_sequences() {
        let with_ref: Vec<&str> = TABLE
            .iter()
            .filter(|i| i.ref_attribute)
            .map(|i| i.suffix)
            .collect();
        assert_eq!(
            with_ref,
            [
                "SemanticSegmentation",
                "VideoObjectDetection",
                "VideoObjectTracking",
                "3DPointCloudObjectTracking",
                "3DPointCloudSemanticSegmentation"
            ]
        );
        for info in TABLE.iter().filter(|i| i.categories == Categories::Attributes) {
            assert_eq!((info.default_workers, info.max_workers), (1, 1), "{}", info.name);
        }
    }

    #[test]
    fn there_are_twelve_regions() {
        assert_eq!(regions().count(), 12);
        assert!(arn::REGIONS.iter().all(|(_, account)| account.len() == 12));
    }
}
