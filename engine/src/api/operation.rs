//! The operations of the labeling API, and the form of each one's request.

use super::model::Shape;
use super::shapes;

macro_rules! operations {
    ($($operation:ident: $shape:ident,)*) => {
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(super) enum Operation {
            $($operation,)*
        }

        impl Operation {
            pub(super) const ALL: &[Operation] = &[$(Operation::$operation,)*];

            /// The operation's name in `X-Amz-Target`.
            pub(super) fn name(self) -> &'static str {
                match self {
                    $(Operation::$operation => stringify!($operation),)*
                }
            }

            pub(super) fn shape(self) -> &'static Shape {
                match self {
                    $(Operation::$operation => &shapes::$shape,)*
                }
            }
        }
    };
}

operations! {
    CreateLabelingJob: CREATE_LABELING_JOB,
    DescribeLabelingJob: LABELING_JOB,
    StopLabelingJob: LABELING_JOB,
    ListLabelingJobs: LIST_LABELING_JOBS,
    ListLabelingJobsForWorkteam: LIST_LABELING_JOBS_FOR_WORKTEAM,
    CreateWorkteam: CREATE_WORKTEAM,
    UpdateWorkteam: UPDATE_WORKTEAM,
    DescribeWorkteam: WORKTEAM,
    DeleteWorkteam: WORKTEAM,
    ListWorkteams: LIST,
    CreateWorkforce: CREATE_WORKFORCE,
    UpdateWorkforce: UPDATE_WORKFORCE,
    DescribeWorkforce: WORKFORCE,
    DeleteWorkforce: WORKFORCE,
    ListWorkforces: LIST,
    RenderUiTemplate: RENDER_UI_TEMPLATE,
    AddTags: ADD_TAGS,
    ListTags: LIST_TAGS,
    DeleteTags: DELETE_TAGS,
}

impl Operation {
    /// `None` if this engine has no operation of this name.
    pub(super) fn from_name(name: &str) -> Option<Operation> {
        let mut all = Operation::ALL.iter().copied();
        all.find(|operation| operation.name() == name)
    }
}
