//! The requests of SageMaker's API model (service model 2017-07-24): members, lengths, patterns, ranges.

use super::model::{Member, Shape, optional, required};

const ANY: usize = usize::MAX;

macro_rules! text {
    ($name:ident, $min:expr, $max:expr) => {
        pub(super) static $name: Shape = Shape::Text {
            min: $min,
            max: $max,
            pattern: None,
            is_secret: false,
        };
    };
    ($name:ident, $min:expr, $max:expr, $pattern:expr) => {
        pub(super) static $name: Shape = Shape::Text {
            min: $min,
            max: $max,
            pattern: Some($pattern),
            is_secret: false,
        };
    };
}

macro_rules! structure {
    ($name:ident, $($member:expr),* $(,)?) => {
        pub(super) static $name: Shape = Shape::Structure({
            static MEMBERS: &[Member] = &[$($member),*];
            MEMBERS
        });
    };
}

text!(NAME, 1, 63, "[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}");
text!(ATTRIBUTE, 1, 127, "[a-zA-Z0-9](-*[a-zA-Z0-9]){0,126}");
text!(S3_URI, 0, 1024, "(https|s3)://([^/]+)/?(.*)");
text!(
    TOPIC_ARN,
    0,
    2048,
    r"arn:aws[a-z\-]*:sns:[a-z0-9\-]*:[0-9]{12}:[a-zA-Z0-9_.-]+"
);
text!(
    NOTIFICATION_TOPIC_ARN,
    0,
    ANY,
    r"arn:aws[a-z\-]*:sns:[a-z0-9\-]*:[0-9]{12}:[a-zA-Z0-9_.-]*"
);
text!(KMS_KEY, 0, 2048, "[a-zA-Z0-9:/_-]*");
text!(
    ROLE_ARN,
    20,
    2048,
    r"arn:aws[a-z\-]*:iam::\d{12}:role/?[a-zA-Z_0-9+=,.@\-_/]+"
);
text!(
    WORKTEAM_ARN,
    0,
    256,
    r"arn:aws[a-z\-]*:sagemaker:[a-z0-9\-]*:[0-9]{12}:workteam/.*"
);
text!(
    UI_ARN,
    0,
    1024,
    r"arn:aws[a-z\-]*:sagemaker:[a-z0-9\-]+:[0-9]{12}:human-task-ui/.*"
);
text!(
    LAMBDA_ARN,
    0,
    2048,
    r"arn:aws[a-z\-]*:lambda:[a-z0-9\-]*:[0-9]{12}:function:.*"
);
text!(
    RESOURCE_ARN,
    0,
    256,
    "arn:aws[a-z-]*:sagemaker:[a-z0-9-]*:[0-9]{12}:.+"
);
text!(KEYWORD, 1, 30, "[A-Za-z0-9]+( [A-Za-z0-9]+)*");
text!(TASK_TITLE, 1, 128, r"[\t\n\r -\u{D7FF}\u{E000}-\u{FFFD}]*");
text!(TASK_DESCRIPTION, 1, 255, ".+");
text!(DESCRIPTION, 1, 200, ".+");
text!(TAG_KEY, 1, 128, r"([\p{L}\p{Z}\p{N}_.:/=+\-@]*)");
text!(TAG_VALUE, 0, 256, r"([\p{L}\p{Z}\p{N}_.:/=+\-@]*)");
text!(NEXT_TOKEN, 0, 8192, ".*");
text!(NAME_CONTAINS, 0, 63, r"[a-zA-Z0-9\-]+");
text!(REFERENCE_CONTAINS, 1, 255, ".+");
text!(USER_POOL, 1, 55, r"[\w-]+_[0-9a-zA-Z]+");
text!(USER_GROUP, 1, 128, r"[\p{L}\p{M}\p{S}\p{N}\p{P}]+");
text!(CLIENT_ID, 1, 1024, "[ -~]+");
pub(super) static CLIENT_SECRET: Shape = Shape::Text {
    min: 1,
    max: 1024,
    pattern: Some("[ -~]+"),
    is_secret: true,
};
text!(OIDC_GROUP, 1, 63, r"[\p{L}\p{M}\p{S}\p{N}\p{P}]+");
text!(OIDC_ENDPOINT, 0, 500, r"https://\S+");
text!(OIDC_SCOPE, 0, 1024, r"[!#-\[\]-~]+( [!#-\[\]-~]+)*");
text!(CIDR, 4, 64);
text!(TEMPLATE, 1, 128_000, r"[\S\s]+");
text!(TASK_INPUT, 2, 128_000, r"[\S\s]+");
text!(WORKFORCE_NAME, 1, 63, r"[a-zA-Z0-9]([a-zA-Z0-9\-]){0,62}");

static MAX_RESULTS: Shape = Shape::Int { min: 1, max: 100 };
static SORT_ORDER: Shape = Shape::Choice(&["Ascending", "Descending"]);
static ENABLED: Shape = Shape::Choice(&["Enabled", "Disabled"]);
static TIME: Shape = Shape::Time;
static UNSUPPORTED: Shape = Shape::Unsupported;

structure!(TAG, required("Key", &TAG_KEY), required("Value", &TAG_VALUE));
static TAGS: Shape = Shape::List {
    min: 0,
    max: 50,
    of: &TAG,
};

// Labeling jobs.
structure!(S3_DATA_SOURCE, required("ManifestS3Uri", &S3_URI));
structure!(SNS_DATA_SOURCE, required("SnsTopicArn", &TOPIC_ARN));
structure!(
    DATA_SOURCE,
    optional("S3DataSource", &S3_DATA_SOURCE),
    optional("SnsDataSource", &SNS_DATA_SOURCE)
);
static CLASSIFIER: Shape = Shape::Choice(&["FreeOfPersonallyIdentifiableInformation", "FreeOfAdultContent"]);
static CLASSIFIERS: Shape = Shape::List {
    min: 0,
    max: 256,
    of: &CLASSIFIER,
};
structure!(DATA_ATTRIBUTES, optional("ContentClassifiers", &CLASSIFIERS));
structure!(
    INPUT_CONFIG,
    required("DataSource", &DATA_SOURCE),
    optional("DataAttributes", &DATA_ATTRIBUTES)
);
structure!(
    OUTPUT_CONFIG,
    required("S3OutputPath", &S3_URI),
    optional("KmsKeyId", &KMS_KEY),
    optional("SnsTopicArn", &TOPIC_ARN),
);
static MAX_OBJECTS: Shape = Shape::Int {
    min: 1,
    max: i32::MAX as i64,
};
static PERCENT: Shape = Shape::Int { min: 1, max: 100 };
structure!(
    STOPPING_CONDITIONS,
    optional("MaxHumanLabeledObjectCount", &MAX_OBJECTS),
    optional("MaxPercentageOfInputDatasetLabeled", &PERCENT),
);
structure!(
    UI_CONFIG,
    optional("UiTemplateS3Uri", &S3_URI),
    optional("HumanTaskUiArn", &UI_ARN)
);
structure!(
    CONSOLIDATION_CONFIG,
    required("AnnotationConsolidationLambdaArn", &LAMBDA_ARN)
);
static KEYWORDS: Shape = Shape::List {
    min: 1,
    max: 5,
    of: &KEYWORD,
};
static WORKERS: Shape = Shape::Int { min: 1, max: 9 };
static TIME_LIMIT: Shape = Shape::Int {
    min: 30,
    max: i32::MAX as i64,
};
static AVAILABILITY: Shape = Shape::Int {
    min: 60,
    max: i32::MAX as i64,
};
static CONCURRENT: Shape = Shape::Int { min: 1, max: 5000 };
structure!(
    HUMAN_TASK_CONFIG,
    required("WorkteamArn", &WORKTEAM_ARN),
    required("UiConfig", &UI_CONFIG),
    optional("PreHumanTaskLambdaArn", &LAMBDA_ARN),
    optional("TaskKeywords", &KEYWORDS),
    required("TaskTitle", &TASK_TITLE),
    required("TaskDescription", &TASK_DESCRIPTION),
    required("NumberOfHumanWorkersPerDataObject", &WORKERS),
    required("TaskTimeLimitInSeconds", &TIME_LIMIT),
    optional("TaskAvailabilityLifetimeInSeconds", &AVAILABILITY),
    optional("MaxConcurrentTaskCount", &CONCURRENT),
    optional("AnnotationConsolidationConfig", &CONSOLIDATION_CONFIG),
    optional("PublicWorkforceTaskPrice", &UNSUPPORTED),
);
structure!(
    CREATE_LABELING_JOB,
    required("LabelingJobName", &NAME),
    required("LabelAttributeName", &ATTRIBUTE),
    required("InputConfig", &INPUT_CONFIG),
    required("OutputConfig", &OUTPUT_CONFIG),
    required("RoleArn", &ROLE_ARN),
    optional("LabelCategoryConfigS3Uri", &S3_URI),
    optional("StoppingConditions", &STOPPING_CONDITIONS),
    optional("LabelingJobAlgorithmsConfig", &UNSUPPORTED),
    required("HumanTaskConfig", &HUMAN_TASK_CONFIG),
    optional("Tags", &TAGS),
);
structure!(LABELING_JOB, required("LabelingJobName", &NAME));
static JOB_SORT: Shape = Shape::Choice(&["Name", "CreationTime", "Status"]);
static JOB_STATUS: Shape = Shape::Choice(&[
    "Initializing",
    "InProgress",
    "Completed",
    "Failed",
    "Stopping",
    "Stopped",
]);
structure!(
    LIST_LABELING_JOBS,
    optional("CreationTimeAfter", &TIME),
    optional("CreationTimeBefore", &TIME),
    optional("LastModifiedTimeAfter", &TIME),
    optional("LastModifiedTimeBefore", &TIME),
    optional("MaxResults", &MAX_RESULTS),
    optional("NextToken", &NEXT_TOKEN),
    optional("NameContains", &NAME_CONTAINS),
    optional("SortBy", &JOB_SORT),
    optional("SortOrder", &SORT_ORDER),
    optional("StatusEquals", &JOB_STATUS),
);
static CREATION_TIME: Shape = Shape::Choice(&["CreationTime"]);
structure!(
    LIST_LABELING_JOBS_FOR_WORKTEAM,
    required("WorkteamArn", &WORKTEAM_ARN),
    optional("MaxResults", &MAX_RESULTS),
    optional("NextToken", &NEXT_TOKEN),
    optional("CreationTimeAfter", &TIME),
    optional("CreationTimeBefore", &TIME),
    optional("JobReferenceCodeContains", &REFERENCE_CONTAINS),
    optional("SortBy", &CREATION_TIME),
    optional("SortOrder", &SORT_ORDER),
);

// Work teams and workforces.
structure!(
    COGNITO_MEMBER,
    required("UserPool", &USER_POOL),
    required("UserGroup", &USER_GROUP),
    required("ClientId", &CLIENT_ID),
);
static OIDC_GROUPS: Shape = Shape::List {
    min: 1,
    max: 10,
    of: &OIDC_GROUP,
};
structure!(OIDC_MEMBER, optional("Groups", &OIDC_GROUPS));
structure!(
    MEMBER,
    optional("CognitoMemberDefinition", &COGNITO_MEMBER),
    optional("OidcMemberDefinition", &OIDC_MEMBER)
);
static TEAM_MEMBERS: Shape = Shape::List {
    min: 1,
    max: 10,
    of: &MEMBER,
};
structure!(
    NOTIFICATION,
    optional("NotificationTopicArn", &NOTIFICATION_TOPIC_ARN)
);
structure!(
    IAM_POLICY_CONSTRAINTS,
    optional("SourceIp", &ENABLED),
    optional("VpcSourceIp", &ENABLED)
);
structure!(
    S3_PRESIGN,
    optional("IamPolicyConstraints", &IAM_POLICY_CONSTRAINTS)
);
structure!(WORKER_ACCESS, optional("S3Presign", &S3_PRESIGN));
structure!(
    CREATE_WORKTEAM,
    required("WorkteamName", &NAME),
    optional("WorkforceName", &WORKFORCE_NAME),
    required("MemberDefinitions", &TEAM_MEMBERS),
    required("Description", &DESCRIPTION),
    optional("NotificationConfiguration", &NOTIFICATION),
    optional("WorkerAccessConfiguration", &WORKER_ACCESS),
    optional("Tags", &TAGS),
);
structure!(
    UPDATE_WORKTEAM,
    required("WorkteamName", &NAME),
    optional("MemberDefinitions", &TEAM_MEMBERS),
    optional("Description", &DESCRIPTION),
    optional("NotificationConfiguration", &NOTIFICATION),
    optional("WorkerAccessConfiguration", &WORKER_ACCESS),
);
structure!(WORKTEAM, required("WorkteamName", &NAME));
static NAME_OR_DATE: Shape = Shape::Choice(&["Name", "CreateDate"]);
structure!(
    LIST,
    optional("SortBy", &NAME_OR_DATE),
    optional("SortOrder", &SORT_ORDER),
    optional("NameContains", &NAME),
    optional("NextToken", &NEXT_TOKEN),
    optional("MaxResults", &MAX_RESULTS),
);
structure!(
    COGNITO_CONFIG,
    required("UserPool", &USER_POOL),
    required("ClientId", &CLIENT_ID)
);
static EXTRA_PARAMS: Shape = Shape::Map { max: 10 };
structure!(
    OIDC_CONFIG,
    required("ClientId", &CLIENT_ID),
    required("ClientSecret", &CLIENT_SECRET),
    required("Issuer", &OIDC_ENDPOINT),
    required("AuthorizationEndpoint", &OIDC_ENDPOINT),
    required("TokenEndpoint", &OIDC_ENDPOINT),
    required("UserInfoEndpoint", &OIDC_ENDPOINT),
    required("LogoutEndpoint", &OIDC_ENDPOINT),
    required("JwksUri", &OIDC_ENDPOINT),
    optional("Scope", &OIDC_SCOPE),
    optional("AuthenticationRequestExtraParams", &EXTRA_PARAMS),
);
static CIDRS: Shape = Shape::List {
    min: 0,
    max: 10,
    of: &CIDR,
};
structure!(SOURCE_IP_CONFIG, required("Cidrs", &CIDRS));
structure!(
    CREATE_WORKFORCE,
    required("WorkforceName", &WORKFORCE_NAME),
    optional("CognitoConfig", &COGNITO_CONFIG),
    optional("OidcConfig", &OIDC_CONFIG),
    optional("SourceIpConfig", &SOURCE_IP_CONFIG),
    optional("WorkforceVpcConfig", &UNSUPPORTED),
    optional("IpAddressType", &UNSUPPORTED),
    optional("Tags", &TAGS),
);
structure!(
    UPDATE_WORKFORCE,
    required("WorkforceName", &WORKFORCE_NAME),
    optional("SourceIpConfig", &SOURCE_IP_CONFIG),
    optional("OidcConfig", &OIDC_CONFIG),
    optional("WorkforceVpcConfig", &UNSUPPORTED),
    optional("IpAddressType", &UNSUPPORTED),
);
structure!(WORKFORCE, required("WorkforceName", &WORKFORCE_NAME));

// Templates and tags.
structure!(UI_TEMPLATE, required("Content", &TEMPLATE));
structure!(RENDERABLE_TASK, required("Input", &TASK_INPUT));
structure!(
    RENDER_UI_TEMPLATE,
    optional("UiTemplate", &UI_TEMPLATE),
    required("Task", &RENDERABLE_TASK),
    required("RoleArn", &ROLE_ARN),
    optional("HumanTaskUiArn", &UI_ARN),
);
structure!(
    ADD_TAGS,
    required("ResourceArn", &RESOURCE_ARN),
    required("Tags", &TAGS)
);
static TAG_PAGE: Shape = Shape::Int {
    min: 50,
    max: i32::MAX as i64,
};
structure!(
    LIST_TAGS,
    required("ResourceArn", &RESOURCE_ARN),
    optional("NextToken", &NEXT_TOKEN),
    optional("MaxResults", &TAG_PAGE),
);
static TAG_KEYS: Shape = Shape::List {
    min: 1,
    max: 50,
    of: &TAG_KEY,
};
structure!(
    DELETE_TAGS,
    required("ResourceArn", &RESOURCE_ARN),
    required("TagKeys", &TAG_KEYS)
);
